"""Class probabilities from a forest."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.forest import LEAF, LIGHTGBM, XGBOOST, Forest
from swath.inference.forest_arrays import Walk
from swath.inference.forest_kernel import BLOCK_PX, predict_by_scan, predict_by_walk
from swath.inference.forest_pack import MAX_LEAVES, cuts_of, leaves_of, link_of, scan_of, scores_of, walk_of
from swath.inference.forest_visits import visits_of
from swath.inference.kinds import PredictorKind
from swath.inference.manifest import Manifest
from swath.place import Place

#: From so many pixels at once on, their own paths choose the crowns: that takes as long as some 20,000 pixels.
LEARN_PX = 64 * BLOCK_PX


class ForestPredictor:
    """A forest that predicts; a ``inputs.Predictor`` of single pixels.

    Args:
        forest: The forest.
        scanned_leaves: Forests whose trees have at most so many leaves are scanned, others walked, with equal answers.
    """

    def __init__(self, forest: Forest, *, scanned_leaves: int = MAX_LEAVES) -> None:
        self._forest = forest
        self._cuts, self._link = cuts_of(forest), link_of(forest)
        small = leaves_of(forest) <= min(scanned_leaves, MAX_LEAVES)
        self._scan = scan_of(forest) if small else None
        self._walk = None if small else walk_of(forest)
        self._learned = False

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        """Class probabilities [1] of pixels in any arrangement, (class, ...), of features, (feature, ...).

        NaN goes where the trainer's library sends it; it counts as 0 where that had none to learn from (LightGBM's rule).

        Raises:
            ValueError: Another number of features, or not float32.
        """
        del place
        forest = self._forest
        if features.ndim < 2 or features.shape[0] != forest.features or features.dtype != np.float32:
            msg = f"expected float32 ({forest.features}, pixels), got {features.dtype} {features.shape}"
            raise ValueError(msg)
        answer = self._of_pixels(features.reshape(forest.features, -1))
        return answer.reshape(forest.classes, *features.shape[1:])

    def _of_pixels(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        forest = self._forest
        result = np.empty((forest.classes, features.shape[1]), dtype=np.float32)
        scores = scores_of(forest)
        ordered = np.ascontiguousarray(features)
        if self._scan is not None:
            predict_by_scan(ordered, self._cuts, self._scan, self._link, scores, result)
        elif self._walk is not None:
            if not self._learned and features.shape[1] >= LEARN_PX:
                self._walk = self._learned_walk(ordered, walk=self._walk)
            predict_by_walk(ordered, self._cuts, self._walk, self._link, scores, result)
        return result

    def _learned_walk(self, features: NDArray[np.float32], *, walk: Walk) -> Walk:
        """Choose the crowns by the paths of some pixels, once; answers do not depend on them."""
        # An odd step does not stay in one column of a piece, whose width is even.
        some = np.ascontiguousarray(features[:, :: features.shape[1] // BLOCK_PX | 1])
        self._learned = True
        return walk_of(self._forest, passing=visits_of(some, cuts=self._cuts, walk=walk))


def _load(weights: Path, manifest: Manifest) -> ForestPredictor:
    forest = Forest.from_file(weights)
    if (forest.features, forest.classes) != (len(manifest.bands), len(manifest.classes)):
        msg = (
            f"{weights}: the manifest promises {len(manifest.bands)} bands and {len(manifest.classes)} classes, "
            f"the forest has {forest.features} and {forest.classes}"
        )
        raise ConfigError(msg)
    return ForestPredictor(forest)


#: Forests are the trainer's own to the last bit.
KIND = PredictorKind(suffix=".npz", tolerance=0.0, load=_load)


def warm_up() -> None:
    """Compile the kernels for every kind of forest, so that an image or an installation carries their machine code."""
    for leaves in (2, MAX_LEAVES // 2 + 1, MAX_LEAVES + 1):
        for link in (LIGHTGBM, XGBOOST):
            ForestPredictor(_comb(leaves, outputs=2, link=link)).predict(np.zeros((1, LEARN_PX), dtype=np.float32))


def _comb(leaves: int, *, outputs: int, link: int = LIGHTGBM) -> Forest:
    """Trees that split one feature at 1, 2, 3 ..., always on to the right."""
    inner = np.arange(leaves - 1)
    nodes = 2 * leaves - 1
    child, threshold = np.arange(nodes), np.full(nodes, LEAF)
    # Node 0 is the root; 2k + 1 and 2k + 2 are the children of the k-th split, which is at node 2k.
    child[2 * inner], threshold[2 * inner] = 2 * inner + 1, inner
    return Forest(
        child=np.tile(child, outputs).astype(np.uint16),
        feature=np.zeros(nodes * outputs, dtype=np.uint8),
        threshold=np.tile(threshold, outputs).astype(np.uint8),
        value=np.tile(np.where(threshold == LEAF, np.arange(nodes), 0.0), outputs),
        tree_offset=np.arange(outputs + 1, dtype=np.int64) * nodes,
        cut=np.arange(1, leaves, dtype=np.float32),
        cut_offset=np.array([0, leaves - 1], dtype=np.int64),
        outputs=outputs,
        link=link,
    )
