"""A version that MLflow's own flavours logged becomes a model of ours, registered beside where it comes from."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.address import public
from swath.inference.foreign import MLMODEL, data_flavour, mlmodel_of
from swath.inference.listing import RegisteredModel
from swath.inference.manifest import MANIFEST_FILE, Manifest
from swath.inference.mlmodel import NativeWeights
from swath.inference.reference import REFERENCE_FILE
from swath.inference.registry import Registry
from swath.training.adopting.folder import NO_EXAMPLE, write_adopted
from swath.training.adopting.rows import read_rows
from swath.training.adopting.signature import refuse_other_signature
from swath.training.adopting.stated import read_stated
from swath.training.adopting.weights import ForeignWeights, Library

if TYPE_CHECKING:
    from mlflow.models import Model

_MAX_EXAMPLE_BYTES = 64 << 20
#: What MLflow calls the version of each library.
_VERSIONS: Mapping[str, str] = {"lightgbm": "lgb_version", "xgboost": "xgb_version", "onnx": "onnx_version"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logged:
    """A version as MLflow logged it."""

    called: str
    name: str
    version: str
    run_id: str
    model: "Model"
    weights: ForeignWeights
    library_version: str
    example: Any

    @property
    def origin(self) -> dict[str, str]:
        """What the manifest keeps of it."""
        flavour = f"{self.weights.library} {self.library_version}".strip()
        told = {"adopted": self.called, "adopted_run": self.run_id, "adopted_flavour": flavour}
        return {k: v for k, v in told.items() if v}


def adopt(
    registry: Registry, reference: str, *, manifest: Path, rows: Path | None = None, name: str = "", say: Callable[[str], None]
) -> RegisteredModel:
    """Register a version of MLflow's own flavours as a model of ours.

    Args:
        registry: That has the version.
        reference: ``models:/name/3`` or ``models:/name@alias``.
        manifest: File that states bands, scale, classes and licence.
        rows: Real features, a CSV with a column for each band; the input example when None.
        name: Registered name; the manifest's when empty.
        say: Hears what could not be proven.

    Raises:
        ConfigError: It is no such version, needs code to load, differs from the manifest, or is refused by admission.
    """
    stated = read_stated(manifest)
    examples = None if rows is None else read_rows(rows, bands=stated.get("bands", ()))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        found, directory = registry.download(reference, into=Path(scratch) / "logged")
        called = f"{found.name}/{found.version}"
        try:
            logged = _logged(directory, called=called, run_id=found.run_id or "")
            folder, made = _written(Path(scratch) / "model", logged, stated=stated, where=str(manifest), rows=examples)
        except ConfigError as error:
            msg = f"model {called}: {error}"
            raise ConfigError(msg) from error
        if not (folder / REFERENCE_FILE).is_file():
            say(f"{called}: {NO_EXAMPLE}; give --rows FILE, or `swath models promote` gives it no alias")
        source = {
            "source.registry": public(registry.uri), "source.name": logged.name, "source.version": logged.version,
            "source.run": logged.run_id, "source.flavour": logged.origin["adopted_flavour"],
        }  # fmt: skip
        weights = logged.weights
        native = NativeWeights(flavour=weights.library, path=weights.path, version=logged.library_version)
        return registry.register(folder, name=name or made.name, more=source, native=native, called=f"model {called}")


def _logged(directory: Path, *, called: str, run_id: str) -> _Logged:
    if (directory / MANIFEST_FILE).is_file():
        msg = f"it has a {MANIFEST_FILE} and is a model of swath already: use it as it is"
        raise ConfigError(msg)
    told = mlmodel_of(directory)
    if not told:
        msg = f"it has no {MLMODEL} file: it was not logged by a flavour of MLflow; make a folder and run `swath models register`"
        raise ConfigError(msg)
    flavours = told["flavors"]
    flavour, file = data_flavour(flavours)
    path = directory / file
    if Path(file).is_absolute() or ".." in Path(file).parts or path.resolve().parent != directory.resolve():
        msg = f"its {MLMODEL} file names the weights {file!r}, which are not beside it"
        raise ConfigError(msg)
    from mlflow.models import Model  # noqa: PLC0415 (costs seconds: only where it is used)

    name, _, version = called.rpartition("/")
    model = Model.load(str(directory))
    return _Logged(
        called=called, name=name, version=version, run_id=run_id, model=model,
        weights=ForeignWeights(library=cast("Library", flavour), path=path),
        library_version=str(flavours[flavour].get(_VERSIONS[flavour], "")), example=_example(model, directory),
    )  # fmt: skip


def _written(
    into: Path, logged: _Logged, *, stated: Mapping[str, Any], where: str, rows: NDArray[np.float32] | None
) -> tuple[Path, Manifest]:
    rows = _rows(logged.example) if rows is None and logged.example is not None else rows
    manifest = write_adopted(into, logged.weights, stated=stated, rows=rows, origin=logged.origin, where=where)
    refuse_other_signature(logged.model.signature, manifest)
    return into, manifest


def _example(model: "Model", directory: Path) -> Any:
    file = str((model.saved_input_example_info or {}).get("artifact_path", ""))
    if not file:
        return None
    path = directory / Path(file).name
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_EXAMPLE_BYTES:
        msg = f"its input example {file!r} is not a plain file of at most {_MAX_EXAMPLE_BYTES} bytes"
        raise ConfigError(msg)
    return model.load_input_example(str(directory))


def _rows(example: Any) -> NDArray[np.float32] | None:
    """Rows of features (row, band); None of patches and of several tensors."""
    table = example.to_numpy() if hasattr(example, "to_numpy") else example
    if isinstance(table, dict) and len(table) == 1:
        (table,) = table.values()
    try:
        rows = np.asarray(table, dtype=np.float32)
    except (TypeError, ValueError) as error:
        msg = f"its input example holds no numbers: {error}"
        raise ConfigError(msg) from error
    return rows if rows.ndim == 2 and len(rows) else None
