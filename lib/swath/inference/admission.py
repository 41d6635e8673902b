"""What a folder must be before a registry takes it as a model."""

from pathlib import Path

from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.loader import predictor_of
from swath.inference.manifest import CARD_FILE, MANIFEST_FILE, Manifest, read_manifest

#: Weights of each kind of model are data of this format.
_SUFFIXES = {"forest": ".npz", "onnx": ".onnx"}


def admit(directory: Path) -> Manifest:
    """The manifest of a model that may be registered.

    Raises:
        ConfigError: The folder holds other files than manifest, weights and card, or no plain ones; or the weights are
            empty, unreadable or of another width than the manifest's.
    """
    model_digest(directory)  # refuses links, devices and oversize
    manifest = read_manifest(directory)
    suffix = _SUFFIXES[manifest.kind]
    if not manifest.weights.endswith(suffix):
        msg = f"{directory}: weights of kind {manifest.kind} are a {suffix} file, the manifest names {manifest.weights!r}"
        raise ConfigError(msg)
    allowed = {MANIFEST_FILE, CARD_FILE, manifest.weights}
    other = sorted({p.relative_to(directory).as_posix() for p in directory.rglob("*")} - allowed)
    if other:
        msg = f"{directory}: a model holds {', '.join(sorted(allowed))} and nothing else; remove {', '.join(other)}"
        raise ConfigError(msg)
    if (directory / manifest.weights).is_file() and not (directory / manifest.weights).stat().st_size:
        msg = f"{directory / manifest.weights}: the weights are empty; write the model anew"
        raise ConfigError(msg)
    predictor_of(directory, manifest)
    return manifest
