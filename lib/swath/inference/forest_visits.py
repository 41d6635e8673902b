"""How many pixels pass each node of a forest: what crowns are chosen by."""

import numpy as np
from numpy.typing import NDArray

from swath.compiled import machine_code
from swath.inference.forest import LEAF
from swath.inference.forest_arrays import Cuts, Walk
from swath.inference.forest_kernel import BLOCK_PX, bin_block


def visits_of(features: NDArray[np.float32], *, cuts: Cuts, walk: Walk) -> NDArray[np.int64]:
    """How many of some pixels pass each node, (node,).

    Args:
        features: The first ``BLOCK_PX`` pixels of these are counted, (feature, pixel).
        cuts: Thresholds of the forest.
        walk: The forest.
    """
    bins = np.zeros((cuts.source.size, BLOCK_PX), dtype=np.uint8)
    bin_block(features, cuts, 0, bins)
    visits = np.zeros(walk.nodes.size, dtype=np.int64)
    count_visits(bins, walk, min(features.shape[1], BLOCK_PX), visits)
    return visits


@machine_code
def count_visits(  # noqa: PLR0917 (compiled functions take positions)
    bins: NDArray[np.uint8], walk: Walk, count: int, visits: NDArray[np.int64]
) -> None:
    """Add to ``visits``, (node,), the nodes that the first ``count`` pixels of ``bins``, (column, pixel), pass."""
    for t in range(walk.entry.shape[0]):
        begin = walk.tree_offset[t]
        for i in range(count):
            node = begin
            word = walk.nodes[node]
            visits[node] += 1
            while word & 255 != LEAF:
                node = begin + (word >> 16) + (bins[(word >> 8) & 255, i] > (word & 255))
                word = walk.nodes[node]
                visits[node] += 1
