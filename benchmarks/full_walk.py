"""The forest kernel as it was before crowns: from the root, as many steps as the tree is deep. It is here to be compared."""

import numpy as np
from numpy.typing import NDArray

from swath.compiled import machine_code
from swath.inference.forest import Forest
from swath.inference.forest_arrays import Cuts, Link, Walk
from swath.inference.forest_kernel import BLOCK_PX, _to_probabilities, bin_block
from swath.inference.forest_pack import cuts_of, link_of, walk_of


class FullWalk:
    """A forest that predicts, with the answers of ``ForestPredictor``."""

    def __init__(self, forest: Forest) -> None:
        self._forest, self._cuts, self._walk = forest, cuts_of(forest), walk_of(forest)
        self._depths = _depths(forest)

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities [1], (class, pixel), of features, (feature, pixel)."""
        result = np.empty((self._forest.classes, features.shape[1]), dtype=np.float32)
        scores = np.empty((self._forest.outputs, BLOCK_PX))
        _predict(features, self._cuts, self._walk, self._depths, link_of(self._forest), scores, result)
        return result


def _depths(forest: Forest) -> NDArray[np.int64]:
    """Levels below the root of each tree."""
    depths = []
    for start, stop in zip(forest.tree_offset[:-1], forest.tree_offset[1:], strict=True):
        child = forest.child[start:stop].tolist()
        level = [0] * len(child)
        for node, left in enumerate(child):
            if left != node:
                level[left] = level[left + 1] = level[node] + 1
        depths.append(max(level))
    return np.array(depths, dtype=np.int64)


@machine_code
def _walk_block(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], walk: Walk, depths: NDArray[np.int64], count: int, scores: NDArray[np.float64]
) -> None:
    for t in range(depths.size):
        begin, end = walk.tree_offset[t], walk.tree_offset[t + 1]
        tree, leaf = walk.nodes[begin:end], walk.value[begin:end]
        out = scores[t % scores.shape[0]]
        for i in range(0, count, 8):
            a = b = c = d = e = f = g = h = np.uint32(0)
            for _ in range(depths[t]):
                m, n, o, p, q, r, s, u = tree[a], tree[b], tree[c], tree[d], tree[e], tree[f], tree[g], tree[h]
                a = (m >> 16) + np.uint32(bins[(m >> 8) & 255, i] > (m & 255))
                b = (n >> 16) + np.uint32(bins[(n >> 8) & 255, i + 1] > (n & 255))
                c = (o >> 16) + np.uint32(bins[(o >> 8) & 255, i + 2] > (o & 255))
                d = (p >> 16) + np.uint32(bins[(p >> 8) & 255, i + 3] > (p & 255))
                e = (q >> 16) + np.uint32(bins[(q >> 8) & 255, i + 4] > (q & 255))
                f = (r >> 16) + np.uint32(bins[(r >> 8) & 255, i + 5] > (r & 255))
                g = (s >> 16) + np.uint32(bins[(s >> 8) & 255, i + 6] > (s & 255))
                h = (u >> 16) + np.uint32(bins[(u >> 8) & 255, i + 7] > (u & 255))
            out[i] += leaf[a]
            out[i + 1] += leaf[b]
            out[i + 2] += leaf[c]
            out[i + 3] += leaf[d]
            out[i + 4] += leaf[e]
            out[i + 5] += leaf[f]
            out[i + 6] += leaf[g]
            out[i + 7] += leaf[h]


@machine_code
def _predict(  # noqa: PLR0917 (compiled functions take positions)
    features: NDArray[np.float32],
    cuts: Cuts,
    walk: Walk,
    depths: NDArray[np.int64],
    link: Link,
    scores: NDArray[np.float64],
    result: NDArray[np.float32],
) -> None:
    bins = np.zeros((features.shape[0], BLOCK_PX), dtype=np.uint8)
    for start in range(0, features.shape[1], BLOCK_PX):
        scores[:] = 0.0
        bin_block(features, cuts, start, bins)
        _walk_block(bins, walk, depths, min(features.shape[1] - start, BLOCK_PX), scores)
        _to_probabilities(scores, link, start, result)
