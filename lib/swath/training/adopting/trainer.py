"""What the library that trained answers itself: the proof of a conversion."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.training.adopting.weights import ForeignWeights

_INSTALL = {"lightgbm": "lightgbm", "xgboost": "xgboost-cpu", "onnx": "onnxruntime"}
_MODULE = {"onnx": "onnxruntime"}


def answers_of(weights: ForeignWeights, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (row, class) of rows (row, feature), float32, by the library that trained.

    Raises:
        ConfigError: The library is not here, or it refuses the file or the rows.
    """
    library = weights.library
    if find_spec(_MODULE.get(library, library)) is None:
        name = weights.path.name
        msg = f"{name}: only {library} itself proves its conversion, and it is not installed: pip install {_INSTALL[library]}"
        raise ConfigError(msg)
    try:
        given = np.asarray({"lightgbm": _lightgbm, "xgboost": _xgboost, "onnx": _onnx}[library](weights, rows), dtype=np.float64)
    except Exception as error:  # libraries raise types of their own
        msg = f"{weights.path.name}: {library} itself cannot use it: {str(error).strip().partition(chr(10))[0]}"
        raise ConfigError(msg) from error
    given = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    both = given if given.ndim == 2 else np.stack([1.0 - given, given], axis=1)
    return both.astype(np.float32)


def _lightgbm(weights: ForeignWeights, rows: NDArray[np.float32]) -> Any:
    from lightgbm import Booster  # noqa: PLC0415 (costs a second: only where models are adopted)

    return Booster(model_str=weights.path.read_text(encoding="utf-8")).predict(rows, num_threads=1)


def _xgboost(weights: ForeignWeights, rows: NDArray[np.float32]) -> Any:
    # No extra brings it: distributions differ in name, and only who trained with it has a use for it.
    xgboost = import_module("xgboost")
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(weights.path.read_bytes()))
    # Bands have names in our manifest alone.
    booster.feature_names = None
    return booster.predict(xgboost.DMatrix(rows, nthread=1))


def _onnx(weights: ForeignWeights, rows: NDArray[np.float32]) -> Any:
    from swath.inference.onnx_runtime import onnxruntime  # noqa: PLC0415 (as above)

    session = onnxruntime.InferenceSession(str(weights.path), providers=["CPUExecutionProvider"])
    outputs = session.get_outputs()
    chosen = next((o for o in outputs if "probabilit" in o.name), outputs[-1])
    (answer,) = session.run([chosen.name], {session.get_inputs()[0].name: rows})
    # Converters of scikit-learn give a dictionary a row unless asked otherwise.
    return [list(r.values()) for r in answer] if isinstance(answer, list) else answer
