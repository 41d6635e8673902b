"""From a pinned model directory to a predictor: verified first, data only, once per process."""

from functools import lru_cache
from pathlib import Path

from swath.errors import ConfigError
from swath.inference.calibration import CalibratedPredictor
from swath.inference.digest import model_digest
from swath.inference.kinds import kind_of
from swath.inference.manifest import Manifest, read_manifest
from swath.inputs import Predictor

#: A process keeps this many models.
_KEPT = 8


def load_predictor(path: str | Path, digest: str) -> Predictor:
    """Load the model at ``path`` if it is still the one that was pinned.

    Args:
        path: Model directory, or the URI of a store that holds the model by its digest.
        digest: Digest that ``model_digest`` gave when the model was pinned.

    Raises:
        ConfigError: Another digest, a broken manifest, or weights that do not keep the manifest's promise.
    """
    return _load(str(path), digest)


@lru_cache(maxsize=_KEPT)
def _load(path: str, digest: str) -> Predictor:
    directory = local_copy(path, digest)
    found = model_digest(directory)
    if found != digest:
        msg = f"{path}: the model is not the one that was pinned: expected digest {digest}, got {found}; pin it again"
        raise ConfigError(msg)
    return predictor_of(directory, read_manifest(directory))


def local_copy(path: str, digest: str) -> Path:
    """Where this machine has a pinned model; fetched from its store when it is one.

    Raises:
        ConfigError: The store has no such model.
    """
    if "://" not in path:
        return Path(path)
    from swath.inference.model_store import ModelStore, worker_cache  # noqa: PLC0415  signatures, YAML: a tenth of a second

    return ModelStore.at(path).fetch(digest, cache=worker_cache())


def predictor_of(directory: Path, manifest: Manifest) -> Predictor:
    """Load weights without looking at the digest (training uses it on what it has just written).

    Raises:
        ConfigError: The weights do not keep the manifest's promise.
    """
    return as_stated(raw_predictor_of(directory, manifest), manifest)


def as_stated(raw: Predictor, manifest: Manifest) -> Predictor:
    """A model whose answers are what its manifest states: calibrated where it says so."""
    return raw if manifest.calibration is None else CalibratedPredictor(raw, calibration=manifest.calibration)


def raw_predictor_of(directory: Path, manifest: Manifest) -> Predictor:
    """Load weights as they were trained, without the manifest's calibration: reference rows are the trainer's own answers.

    Raises:
        ConfigError: The weights do not keep the manifest's promise.
    """
    weights = directory / manifest.weights
    if not weights.is_file():
        msg = f"{weights}: the manifest names these weights, but there is no such file"
        raise ConfigError(msg)
    return kind_of(manifest.kind).load(weights, manifest)
