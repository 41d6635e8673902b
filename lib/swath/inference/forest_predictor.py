"""Class probabilities from a forest."""

import numpy as np
from numpy.typing import NDArray

from swath.inference.forest import Forest
from swath.inference.forest_kernel import BLOCK_PX, predict_by_scan, predict_by_walk
from swath.inference.forest_pack import MAX_LEAVES, cuts_of, leaves_of, scan_of, walk_of


class ForestPredictor:
    """A forest that predicts; a ``pipeline.Predictor``. Small trees are scanned, others walked: equal answers."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._cuts = cuts_of(forest)
        small = leaves_of(forest) <= MAX_LEAVES
        self._scan = scan_of(forest) if small else None
        self._walk = None if small else walk_of(forest)

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities [1], (class, pixel), of features, (feature, pixel); NaN counts as 0 (LightGBM's rule).

        Raises:
            ValueError: Another number of features, or not float32.
        """
        forest = self._forest
        if features.ndim != 2 or features.shape[0] != forest.features or features.dtype != np.float32:
            msg = f"expected float32 ({forest.features}, pixels), got {features.dtype} {features.shape}"
            raise ValueError(msg)
        result = np.empty((forest.classes, features.shape[1]), dtype=np.float32)
        scores = np.empty((forest.outputs, BLOCK_PX), dtype=np.float64)
        ordered = np.ascontiguousarray(features)
        if self._scan is not None:
            predict_by_scan(ordered, self._cuts, self._scan, forest.sigmoid, scores, result)
        elif self._walk is not None:
            predict_by_walk(ordered, self._cuts, self._walk, forest.sigmoid, scores, result)
        return result
