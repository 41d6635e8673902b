"""Models that MLflow logged without us: what they are, and how they become ours."""

from pathlib import Path

import yaml

from swath.errors import ConfigError
from swath.inference.manifest import CARD_FILE, MANIFEST_FILE

MLMODEL = "MLmodel"
#: Flavours whose files are data that we read.
DATA_FLAVOURS = ("onnx", "lightgbm", "xgboost")
_MAX_MLMODEL_BYTES = 1 << 20


def flavours_of(directory: Path) -> tuple[str, ...]:
    """Flavours that MLflow wrote into a model's folder, sorted; empty when it is no folder of MLflow.

    Raises:
        ConfigError: MLmodel file cannot be read.
    """
    path = directory / MLMODEL
    if not path.is_file() or path.is_symlink():
        return ()
    try:
        loaded = yaml.safe_load(path.read_bytes()[:_MAX_MLMODEL_BYTES])
        return tuple(sorted(map(str, loaded["flavors"])))
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        msg = f"its {MLMODEL} file cannot be read: {error}"
        raise ConfigError(msg) from error


def refuse_foreign(directory: Path, *, called: str) -> None:
    """Refuse what MLflow logged without a manifest.

    Raises:
        ConfigError: The version has other flavours; the message names them and the remedy.
    """
    if (directory / MANIFEST_FILE).is_file():
        return
    found = flavours_of(directory)
    data = [f for f in found if f in DATA_FLAVOURS]
    what = f"logged by MLflow with the flavours {', '.join(found)}" if found else "not registered by swath"
    way = "its weights" if data or not found else "weights as data (ONNX, or LightGBM's text): these flavours need code to load"
    msg = (
        f"model {called}: {what}, without {MANIFEST_FILE}: nothing says its bands, scale and classes; write {MANIFEST_FILE} and "
        f"{CARD_FILE} beside {way} and run `swath models register FOLDER`"
    )
    raise ConfigError(msg)
