"""A forest as its compiled kernels take it: arrays side by side, and the numbers that go with them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Cuts(NamedTuple):
    """The thresholds of all columns, where to start looking among them, their features, and where they send NaN."""

    cut: NDArray[np.float32]
    cut_offset: NDArray[np.int64]
    first: NDArray[np.uint8]
    source: NDArray[np.int64]
    rule: NDArray[np.uint8]


class Link(NamedTuple):
    """What the sums begin with, and how they become probabilities."""

    base: NDArray[np.float64]
    kind: int
    sigmoid: float


class Questions(NamedTuple):
    """Inner nodes that are asked of all pixels, tree after tree.

    ``kept`` holds the leaves (of a crown: the exits) that a node leaves to a pixel that goes right.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.uint8]
    kept: NDArray[np.unsignedinteger]
    node_offset: NDArray[np.int64]


class Walk(NamedTuple):
    """Trees to walk down.

    ``nodes`` holds ``child << 16 | feature << 8 | threshold``, (node,); ``entry`` the node at each exit of a tree's
    crown, (tree, ``CROWN_BITS``), in the order of the de Bruijn number.
    """

    nodes: NDArray[np.uint32]
    value: NDArray[np.float64]
    tree_offset: NDArray[np.int64]
    crown: Questions
    entry: NDArray[np.uint16]


class Scan(NamedTuple):
    """Trees to scan.

    ``value`` holds the scores of the leaves of a tree, (tree, bits), in the order of the de Bruijn number
    ``multiplier``.
    """

    asked: Questions
    value: NDArray[np.float64]
    multiplier: int
    every: int
    shift: int
