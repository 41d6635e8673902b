"""Class probabilities from a forest."""

import numpy as np
from numpy.typing import NDArray

from swath.inference.forest import Forest
from swath.inference.forest_kernel import Packed, pack, predict_forest


class ForestPredictor:
    """A forest that predicts; a ``pipeline.Predictor``."""

    def __init__(self, forest: Forest) -> None:
        self._packed: Packed = pack(forest)
        self._features, self._classes = forest.features, forest.classes

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities [1], (class, pixel), of features, (feature, pixel); NaN counts as 0 (LightGBM's rule).

        Raises:
            ValueError: Another number of features, or not float32.
        """
        if features.ndim != 2 or features.shape[0] != self._features or features.dtype != np.float32:
            msg = f"expected float32 ({self._features}, pixels), got {features.dtype} {features.shape}"
            raise ValueError(msg)
        result = np.empty((self._classes, features.shape[1]), dtype=np.float32)
        predict_forest(np.ascontiguousarray(features), self._packed, result)
        return result
