"""A forest made ready for the compiled kernels."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from swath.inference.forest import LEAF, XGBOOST, Forest
from swath.inference.forest_arrays import Cuts, Link, Questions, Scan, Walk
from swath.inference.forest_kernel import BLOCK_PX, CROWN_BITS, CROWN_MULTIPLIER, CROWN_NODES, KEY_SHIFT, SIGN

_KEYS = 1 << 16
#: Bits of a word, and its de Bruijn number.
_DE_BRUIJN = {CROWN_BITS: CROWN_MULTIPLIER, 32: 0x077CB531}
_WORDS: dict[int, type[np.unsignedinteger]] = {16: np.uint16, 32: np.uint32}
#: Trees of more leaves are quicker walked.
MAX_LEAVES = 32


def cuts_of(forest: Forest) -> Cuts:
    """Prepare the thresholds of a forest for ``the kernels``."""
    return Cuts(
        cut=forest.cut,
        cut_offset=forest.cut_offset,
        first=_first_bins(forest.cut, forest.cut_offset),
        source=forest.source_of.astype(np.int64),
        rule=forest.rule_of,
    )


def link_of(forest: Forest) -> Link:
    """How the sums of a forest become probabilities."""
    return Link(base=forest.base_of, kind=forest.link, sigmoid=forest.sigmoid)


def scores_of(forest: Forest) -> NDArray[np.floating]:
    """Scratch for the sums of a block, in the precision of the library that trained, (output, ``BLOCK_PX``)."""
    return np.empty((forest.outputs, BLOCK_PX), dtype=np.float32 if forest.link == XGBOOST else np.float64)


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


def walk_of(forest: Forest, *, passing: NDArray[np.int64] | None = None) -> Walk:
    """Prepare a forest of any size.

    Args:
        forest: The forest.
        passing: Pixels that pass each node, (node,), by which crowns are chosen; the leaves below a node if not given.
            Answers do not depend on it, only speed.
    """
    child, feature = forest.child.astype(np.uint32), forest.feature.astype(np.uint32)
    weight = _leaves_below(forest) if passing is None else passing.tolist()
    entry = np.zeros((forest.trees, CROWN_BITS), dtype=np.uint16)
    nodes: list[list[tuple[int, int]]] = []
    for tree, (start, children) in enumerate(_trees(forest)):
        asked, exits = _numbered(children, inner=_crown(children, weight=weight[start : start + len(children)]))
        nodes.append([(start + node, struck) for node, struck in asked])
        entry[tree, _places(len(exits), bits=CROWN_BITS)] = exits
    return Walk(
        nodes=((child << 16) | (feature << 8) | forest.threshold).astype(np.uint32),
        value=forest.value,
        tree_offset=forest.tree_offset,
        crown=_questions(forest, nodes, bits=CROWN_BITS),
        entry=entry,
    )


def scan_of(forest: Forest) -> Scan:
    """Prepare a forest of trees with at most ``MAX_LEAVES`` leaves."""
    bits = 16 if leaves_of(forest) <= 16 else 32
    value = np.zeros((forest.trees, bits))
    nodes: list[list[tuple[int, int]]] = []
    for tree, (start, children) in enumerate(_trees(forest)):
        inner = {node for node, left in enumerate(children) if left != node}
        asked, leaves = _numbered(children, inner=inner)
        nodes.append([(start + node, struck) for node, struck in asked])
        value[tree, _places(len(leaves), bits=bits)] = forest.value[start + np.array(leaves)]
    return Scan(
        asked=_questions(forest, nodes, bits=bits),
        value=value,
        multiplier=_DE_BRUIJN[bits],
        every=(1 << bits) - 1,
        shift=_shift(bits),
    )


def _trees(forest: Forest) -> Iterator[tuple[int, list[int]]]:
    """The first node of each tree, and the left children within it; a leaf is its own."""
    for start, stop in zip(forest.tree_offset[:-1].tolist(), forest.tree_offset[1:].tolist(), strict=True):
        yield start, forest.child[start:stop].tolist()


def _leaves_below(forest: Forest) -> list[int]:
    below = [1] * forest.value.size
    for start, children in _trees(forest):
        for node in range(len(children) - 1, -1, -1):  # children come after their parents
            left = children[node]
            if left != node:
                below[start + node] = below[start + left] + below[start + left + 1]
    return below


def _crown(children: Sequence[int], *, weight: Sequence[int]) -> set[int]:
    """Up to ``CROWN_NODES`` inner nodes, from the root on always the heaviest of those next to the chosen ones."""
    chosen: set[int] = set()
    beside: list[tuple[int, int]] = []
    fresh = [0]
    while True:
        for node in fresh:
            if children[node] != node:
                heappush(beside, (-weight[node], node))
        if not beside or len(chosen) == CROWN_NODES:
            return chosen
        _, node = heappop(beside)
        chosen.add(node)
        fresh = [children[node], children[node] + 1]


def _numbered(children: Sequence[int], *, inner: set[int]) -> tuple[list[tuple[int, int]], list[int]]:
    """Number what is below the inner nodes from left to right.

    Returns:
        The inner nodes, each with the bits that it strikes out where a pixel goes right; and the exits, in order.
    """
    asked: list[tuple[int, int]] = []
    exits: list[int] = []

    def descend(node: int) -> None:
        if node not in inner:
            exits.append(node)
            return
        first = len(exits)
        descend(children[node])
        asked.append((node, (1 << len(exits)) - (1 << first)))
        descend(children[node] + 1)

    descend(0)
    return asked, exits


def _questions(forest: Forest, nodes: list[list[tuple[int, int]]], *, bits: int) -> Questions:
    table = np.array([row for tree in nodes for row in tree], dtype=np.int64).reshape(-1, 2)
    at, struck = table[:, 0], table[:, 1]
    return Questions(
        feature=forest.feature[at].astype(np.int64),
        threshold=forest.threshold[at],
        kept=(~struck & ((1 << bits) - 1)).astype(_WORDS[bits]),
        node_offset=np.cumsum([0, *(len(tree) for tree in nodes)], dtype=np.int64),
    )


def _places(count: int, *, bits: int) -> list[int]:
    """Where the kernel looks for the first so many bits of a word."""
    return [((1 << bit) * _DE_BRUIJN[bits] & ((1 << bits) - 1)) >> _shift(bits) for bit in range(count)]


def _shift(bits: int) -> int:
    return bits - (bits.bit_length() - 1)
