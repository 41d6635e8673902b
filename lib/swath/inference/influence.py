"""How far a network's answers look: measured, because a halo that is too small shows as seams."""

import numpy as np
from numpy.typing import NDArray

from swath.inference.network import Network
from swath.inference.patches import Answer

#: What is added to a normalised feature: small enough for a rectifier's live side, large enough to wake a dead one.
_PUSHES = (-8.0, 0.5, 8.0)
#: Places of the pushed pixel: an answer's reach depends on where it is between two samples of a coarser level.
_PLACES = 4


def influence_px(answer: Answer, *, network: Network, bands: int) -> int:
    """Longest distance, along rows or columns, at which one pixel changes an answer [px].

    Args:
        answer: Function that answers one patch.
        network: Description of the network's input.
        bands: Bands of a patch.
    """
    random = np.random.default_rng(0)
    side, farthest = network.patch_px, 0
    base = random.normal(0.0, 1.0, (1, bands, side, side)).astype(np.float32)
    before = answer(base)
    for place in range(min(network.align_px, _PLACES)):
        middle = side // 2 + place
        for push in _PUSHES:
            pushed = base.copy()
            pushed[:, :, middle, middle] += np.float32(push)
            farthest = max(farthest, _reach(before, answer(pushed), middle=middle))
    return farthest


def _reach(before: NDArray[np.float32], after: NDArray[np.float32], *, middle: int) -> int:
    rows, cols = np.nonzero((before != after).any(axis=0))
    return int(max(np.abs(rows - middle).max(), np.abs(cols - middle).max())) if rows.size else 0
