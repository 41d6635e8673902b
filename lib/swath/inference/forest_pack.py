"""A forest made ready for the compiled kernels."""

import numpy as np
from numpy.typing import NDArray

from swath.inference.forest import LEAF, Forest
from swath.inference.forest_kernel import KEY_SHIFT, SIGN, Cuts, Scan, Walk

_KEYS = 1 << 16
#: Bits of a word, and its de Bruijn number: times a power of two, its upper bits number the power (Leiserson, Prokop &
#: Randall 1998, "Using de Bruijn sequences to index a 1 in a computer word").
_DE_BRUIJN = {16: 0x09AF, 32: 0x077CB531}
_WORDS: dict[int, type[np.unsignedinteger]] = {16: np.uint16, 32: np.uint32}
#: Trees of more leaves are quicker walked.
MAX_LEAVES = 32


def cuts_of(forest: Forest) -> Cuts:
    """Prepare the thresholds of a forest for ``the kernels``."""
    return Cuts(cut=forest.cut, cut_offset=forest.cut_offset, first=_first_bins(forest.cut, forest.cut_offset))


def _first_bins(cut: NDArray[np.float32], cut_offset: NDArray[np.int64]) -> NDArray[np.uint8]:
    """For each feature and key, the count of cuts below the least float32 with that key; (feature, key).

    Keys order float32 by value: positive numbers have their sign bit set, negative ones are inverted.
    """
    least = np.arange(_KEYS, dtype=np.uint32) << KEY_SHIFT
    bits = np.where(least & SIGN, least ^ SIGN, ~least)
    # The least value with a key of a negative number has all lower bits set once inverted: that is ``~least``.
    values = bits.astype(np.uint32).view(np.float32)
    values = np.where(np.isnan(values), np.where(bits & SIGN, -np.inf, np.inf), values).astype(np.float32)
    rows = [np.searchsorted(cut[cut_offset[f] : cut_offset[f + 1]], values, side="left") for f in range(cut_offset.size - 1)]
    return np.array(rows, dtype=np.uint8).reshape(cut_offset.size - 1, _KEYS)


def leaves_of(forest: Forest) -> int:
    """Leaves of the largest tree."""
    ends = np.concatenate([[0], np.cumsum(forest.threshold == LEAF)])[forest.tree_offset]
    return int(np.diff(ends).max())


def walk_of(forest: Forest) -> Walk:
    """Prepare a forest of any size."""
    child, feature = forest.child.astype(np.uint32), forest.feature.astype(np.uint32)
    return Walk(
        nodes=((child << 16) | (feature << 8) | forest.threshold).astype(np.uint32),
        value=forest.value,
        tree_offset=forest.tree_offset,
        depth=_depths(forest),
    )


def _depths(forest: Forest) -> NDArray[np.int64]:
    depths = []
    for start, stop in zip(forest.tree_offset[:-1], forest.tree_offset[1:], strict=True):
        child, inner = forest.child[start:stop].tolist(), (forest.threshold[start:stop] != LEAF).tolist()
        level = [0] * len(child)
        for node, left in enumerate(child):
            if inner[node]:
                level[left] = level[left + 1] = level[node] + 1
        depths.append(max(level))
    return np.array(depths, dtype=np.int64)


def scan_of(forest: Forest) -> Scan:
    """Prepare a forest of trees with at most ``MAX_LEAVES`` leaves."""
    bits = 16 if leaves_of(forest) <= 16 else 32
    every = (1 << bits) - 1
    shift = bits - (bits.bit_length() - 1)
    value = np.zeros((forest.trees, bits))
    nodes: list[tuple[int, int, int]] = []
    offset = [0]
    for tree, (start, stop) in enumerate(zip(forest.tree_offset[:-1], forest.tree_offset[1:], strict=True)):
        spans = _leaf_spans(forest.child[start:stop].tolist(), (forest.threshold[start:stop] == LEAF).tolist())
        for node, (first, middle, _) in enumerate(spans):
            at = int(start) + node
            if forest.threshold[at] == LEAF:
                value[tree, ((1 << first) * _DE_BRUIJN[bits] & every) >> shift] = forest.value[at]
            else:
                struck = (1 << middle) - (1 << first)
                nodes.append((int(forest.feature[at]), int(forest.threshold[at]), every & ~struck))
        offset.append(len(nodes))
    columns = np.array(nodes, dtype=np.int64).reshape(-1, 3)
    return Scan(
        feature=columns[:, 0].copy(),
        threshold=columns[:, 1].astype(np.uint8),
        kept=columns[:, 2].astype(_WORDS[bits]),
        node_offset=np.array(offset, dtype=np.int64),
        value=value,
        multiplier=_DE_BRUIJN[bits],
        every=every,
        shift=shift,
    )


def _leaf_spans(child: list[int], leaf: list[bool]) -> list[tuple[int, int, int]]:
    """Leaves under each node, numbered from left to right: the first, the first under the right child, the end."""
    below = [1] * len(child)
    for node in range(len(child) - 1, -1, -1):  # children come after their parents
        if not leaf[node]:
            below[node] = below[child[node]] + below[child[node] + 1]
    first = [0] * len(child)
    for node, left in enumerate(child):
        if not leaf[node]:
            first[left], first[left + 1] = first[node], first[node] + below[left]
    return [(first[n], first[n] if leaf[n] else first[child[n] + 1], first[n] + below[n]) for n in range(len(child))]
