"""The file ``MLmodel`` beside a registered model: MLflow's own loaders and pages read it, swath never does."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, Literal

from swath.inference.foreign import MLMODEL
from swath.inference.manifest import MANIFEST_FILE, Manifest

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

#: Folder of the weights as the library that trained keeps them, beside our own files.
NATIVE = "native"
#: What MLflow executes to load a model of single pixels: a module of this package.
_LOADER = "swath.inference.mlflow_loader"


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeWeights:
    """A file of the library that trained, for MLflow's flavour of that library.

    Args:
        flavour: Flavour of MLflow that reads the file.
        path: The file; data, no code.
        version: Version of the library, where it is known.
    """

    flavour: Literal["lightgbm", "xgboost", "onnx"]
    path: Path
    version: str = ""


def write_mlmodel(into: Path, *, manifest: Manifest, native: NativeWeights | None, run_id: str) -> None:
    """Write what MLflow needs beside a model's own files: ``MLmodel`` with a signature, and the native weights.

    Args:
        into: Empty folder.
        manifest: Manifest of the model.
        native: Weights as their library keeps them; None where only ours are known.
        run_id: The run that the model is logged to.
    """
    from mlflow.models import Model  # noqa: PLC0415 (costs seconds: only where models are registered)

    model = Model(run_id=run_id, artifact_path="model", signature=_signature(manifest))
    if manifest.kind == "onnx":
        native = NativeWeights(flavour="onnx", path=Path(manifest.weights))
        kept = manifest.weights
    elif native is not None:
        kept = f"{NATIVE}/{native.path.name}"
        (into / NATIVE).mkdir(parents=True)
        shutil.copyfile(native.path, into / kept)
    loader = _LOADER if manifest.network is None else "mlflow.onnx"
    # Without an environment: MLflow would install one, from an index that many sites do not have.
    model.add_flavor("python_function", loader_module=loader, data=manifest.weights, python_version=python_version())
    if native is not None:
        model.add_flavor(native.flavour, data=kept, **_facts(native))
    model.save(str(into / MLMODEL))


def remove_mlmodel(directory: Path) -> None:
    """Take away what ``write_mlmodel`` added to a model's folder: no file of it is a part of the model.

    Folders without a manifest, and links, stay as they are: admission refuses them by name.
    """
    native, mlmodel = directory / NATIVE, directory / MLMODEL
    if not (directory / MANIFEST_FILE).is_file() or mlmodel.is_symlink() or not mlmodel.is_file():
        return
    mlmodel.unlink()
    if native.is_dir() and not native.is_symlink():
        shutil.rmtree(native)


def _facts(native: NativeWeights) -> dict[str, Any]:
    if native.flavour == "onnx":
        return {"onnx_version": native.version, "providers": ["CPUExecutionProvider"], "code": None}
    if native.flavour == "lightgbm":
        return {"lgb_version": native.version, "model_class": "lightgbm.basic.Booster", "code": None}
    told = {"model_class": "xgboost.core.Booster", "model_format": native.path.suffix.removeprefix("."), "code": None}
    return {"xgb_version": native.version, **told}


def _signature(manifest: Manifest) -> "ModelSignature":
    """Features of pixels by band name; of a network that looks around, patches as its manifest says."""
    import numpy as np  # noqa: PLC0415
    from mlflow.models import ModelSignature  # noqa: PLC0415 (as above)
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec  # noqa: PLC0415 (as above)

    single, classes = np.dtype(np.float32), len(manifest.classes)
    if manifest.network is None:
        taken = Schema([ColSpec(DataType.float, name) for name in manifest.bands])
        return ModelSignature(inputs=taken, outputs=Schema([TensorSpec(single, (-1, classes))]))
    side = manifest.network.patch_px
    return ModelSignature(
        inputs=Schema([TensorSpec(single, (-1, len(manifest.bands), side, side))]),
        outputs=Schema([TensorSpec(single, (-1, classes if manifest.network.activation != "sigmoid" else 1, side, side))]),
    )
