"""Models that MLflow logged without us: what they are, and how they become ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from swath.errors import ConfigError
from swath.inference.manifest import MANIFEST_FILE

MLMODEL = "MLmodel"
#: Flavours whose files can be data that we read, and the ends of these files.
DATA_FLAVOURS: Final[Mapping[str, tuple[str, ...]]] = {
    "onnx": (".onnx",),
    "lightgbm": (".lgb", ".txt"),
    "xgboost": (".ubj", ".json", ".xgb"),
}
#: How the weights of other flavours become data.
_WAYS: Final = {
    "lightgbm": "log its booster, which is text: mlflow.lightgbm.log_model(model.booster_, ...)",
    "xgboost": "log it with model_format='ubj': mlflow.xgboost.log_model(..., model_format='ubj')",
    "sklearn": "convert it with skl2onnx and log that: mlflow.onnx.log_model(...)",
    "pytorch": "export it with torch.onnx.export(..., opset_version=17) and log that: mlflow.onnx.log_model(...)",
}
_TO_ONNX = "export the weights to ONNX and log that: mlflow.onnx.log_model(...)"
_MAX_MLMODEL_BYTES = 1 << 20


def mlmodel_of(directory: Path) -> Mapping[str, Any]:
    """The MLmodel file of a folder, parsed; empty when it is no folder of MLflow.

    Raises:
        ConfigError: It cannot be read.
    """
    path = directory / MLMODEL
    if not path.is_file() or path.is_symlink():
        return {}
    try:
        loaded = yaml.safe_load(path.read_bytes()[:_MAX_MLMODEL_BYTES])
        if all(isinstance(f, Mapping) for f in loaded["flavors"].values()):
            return dict(loaded)
    except (yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        msg = f"its {MLMODEL} file cannot be read: {error}"
        raise ConfigError(msg) from error
    msg = f"its {MLMODEL} file has flavours that say nothing of their files"
    raise ConfigError(msg)


def flavours_of(directory: Path) -> tuple[str, ...]:
    """Flavours that MLflow wrote into a model's folder, sorted; empty when it is no folder of MLflow.

    Raises:
        ConfigError: MLmodel file cannot be read.
    """
    return tuple(sorted(map(str, mlmodel_of(directory).get("flavors", ()))))


def data_flavour(flavours: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Flavour whose file is data, and the file.

    Args:
        flavours: What MLmodel says of each flavour.

    Raises:
        ConfigError: None is; with the flavours, their files, and the way out.
    """
    for name, ends in DATA_FLAVOURS.items():
        file = str(flavours.get(name, {}).get("data", ""))
        if file.endswith(ends):
            return name, file
    named = sorted(f for f in flavours if f != "python_function") or ["python_function"]
    files = [f"{n} ({flavours[n].get('data')})" if flavours[n].get("data") else n for n in named]
    ways = [_WAYS.get(n, _TO_ONNX) for n in named]
    msg = f"its flavours need code to load: {', '.join(files)}; {ways[0]}"
    raise ConfigError(msg)


def refuse_foreign(directory: Path, *, called: str) -> None:
    """Refuse what MLflow logged without a manifest.

    Raises:
        ConfigError: The version has other flavours; the message names them and the remedy.
    """
    if (directory / MANIFEST_FILE).is_file():
        return
    told = mlmodel_of(directory)
    flavours = told.get("flavors", {})
    if not flavours:
        msg = f"model {called}: it has neither {MANIFEST_FILE} nor {MLMODEL}: no model of swath or of MLflow; register one"
        raise ConfigError(msg)
    by = f"MLflow {told.get('mlflow_version', '')}".strip()
    what = f"logged by {by} with the flavours {', '.join(sorted(flavours))}"
    try:
        data_flavour(flavours)
        way = f"write its bands, scale and classes into m.yaml and run `swath models adopt models:/{called} --manifest m.yaml`"
    except ConfigError as error:
        way = str(error)
    msg = f"model {called}: {what}, without {MANIFEST_FILE}: nothing says its bands, scale and classes; {way}"
    raise ConfigError(msg)
