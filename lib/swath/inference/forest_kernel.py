"""The compiled part of a forest: bins of the features, scores of the leaves, probabilities.

Pixels go in blocks that stay in the cache. Every pixel is computed alone, so its answer does not depend on its
neighbours or its place. There are two ways to find the leaves, with equal answers:

* **Scan** (small trees): every node is asked of every pixel, without a branch. Each pixel keeps one bit for each leaf of
  the tree at hand; a node that sends it to the right strikes out the leaves on its left; the lowest bit left over is the
  leaf that walking would have reached (QuickScorer: Lucchese et al. 2015, doi:10.1145/2766462.2767733). Asking too much
  is still quicker: many pixels go through one vector instruction.
* **Walk** (large trees): eight pixels at a time go down, so that their loads overlap, as many steps as the tree is deep;
  a leaf leads to itself.

All compiled functions stay in this one file: numba keeps machine code by the date of the file of the calling function,
and would not notice a change of what it calls elsewhere.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from swath.compiled import machine_code

BLOCK_PX = 1024
#: Bins are looked up by the upper bits of a float32: sign, exponent and 7 bits of the mantissa.
KEY_SHIFT = np.uint32(16)
SIGN = np.uint32(0x80000000)
_ALL = np.uint32(0xFFFFFFFF)


class Cuts(NamedTuple):
    """The thresholds of all features, and where to start looking among them."""

    cut: NDArray[np.float32]
    cut_offset: NDArray[np.int64]
    first: NDArray[np.uint8]


class Walk(NamedTuple):
    """Trees to walk down.

    ``nodes`` holds ``child << 16 | feature << 8 | threshold``, (node,); ``depth`` is the number of levels below the
    root of each tree.
    """

    nodes: NDArray[np.uint32]
    value: NDArray[np.float64]
    tree_offset: NDArray[np.int64]
    depth: NDArray[np.int64]


class Scan(NamedTuple):
    """Trees to scan.

    ``kept`` holds the leaves that a node leaves to a pixel that goes right; ``value`` the scores of the leaves of a
    tree, (tree, bits), in the order of the de Bruijn number ``multiplier``.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.uint8]
    kept: NDArray[np.unsignedinteger]
    node_offset: NDArray[np.int64]
    value: NDArray[np.float64]
    multiplier: int
    every: int
    shift: int


@machine_code
def _bin_block(  # noqa: PLR0917 (compiled functions take positions)
    features: NDArray[np.float32], cuts: Cuts, start: int, bins: NDArray[np.uint8]
) -> None:
    """Bins of up to ``BLOCK_PX`` pixels from ``start`` on, (feature, ``BLOCK_PX``): the count of cuts below the value."""
    codes = features.view(np.uint32)
    stop = min(features.shape[1], start + BLOCK_PX)
    for f in range(features.shape[0]):
        low, high = cuts.cut_offset[f], cuts.cut_offset[f + 1]
        for i in range(start, stop):
            x, code = features[f, i], codes[f, i]
            if math.isnan(x):  # LightGBM reads it as 0 where a model has no branch for missing values
                x, code = np.float32(0.0), np.uint32(0)
            key = code ^ (_ALL if code & SIGN else SIGN)
            c = low + np.int64(cuts.first[f, key >> KEY_SHIFT])
            while c < high and cuts.cut[c] < x:
                c += 1
            bins[f, i - start] = c - low


@machine_code
def _walk_block(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], walk: Walk, count: int, scores: NDArray[np.float64]
) -> None:
    for t in range(walk.depth.size):
        begin, end = walk.tree_offset[t], walk.tree_offset[t + 1]
        tree, leaf = walk.nodes[begin:end], walk.value[begin:end]
        out = scores[t % scores.shape[0]]
        for i in range(0, count, 8):
            a = b = c = d = e = f = g = h = np.uint32(0)
            for _ in range(walk.depth[t]):
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
def predict_by_walk(  # noqa: PLR0917 (as above)
    features: NDArray[np.float32],
    cuts: Cuts,
    walk: Walk,
    sigmoid: float,
    scores: NDArray[np.float64],
    result: NDArray[np.float32],
) -> None:
    """Fill ``result``, (class, pixel), with the probabilities of ``features``, (feature, pixel), both float32.

    ``scores`` is scratch, (output, ``BLOCK_PX``). Scores are summed in float64 in the order of the trees, as LightGBM
    does.
    """
    bins = np.zeros((features.shape[0], BLOCK_PX), dtype=np.uint8)
    for start in range(0, features.shape[1], BLOCK_PX):
        scores[:] = 0.0
        _bin_block(features, cuts, start, bins)
        _walk_block(bins, walk, min(features.shape[1] - start, BLOCK_PX), scores)
        _to_probabilities(scores, sigmoid, start, result)


@machine_code
def _scan_block(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], scan: Scan, left: NDArray[np.unsignedinteger], scores: NDArray[np.float64]
) -> None:
    one, multiplier = np.uint64(1), np.uint64(scan.multiplier)
    every, shift = np.uint64(scan.every), np.uint64(scan.shift)
    for tree in range(scan.value.shape[0]):
        for i in range(BLOCK_PX):
            left[i] = every
        for node in range(scan.node_offset[tree], scan.node_offset[tree + 1]):
            row, threshold, kept = bins[scan.feature[node]], scan.threshold[node], scan.kept[node]
            for i in range(BLOCK_PX):
                word = left[i]
                left[i] = word if row[i] <= threshold else word & kept
        out, leaf = scores[tree % scores.shape[0]], scan.value[tree]
        for i in range(BLOCK_PX):
            word = np.uint64(left[i])
            lowest = word & (~word + one)
            out[i] += leaf[((lowest * multiplier) & every) >> shift]


@machine_code
def predict_by_scan(  # noqa: PLR0917 (as above)
    features: NDArray[np.float32],
    cuts: Cuts,
    scan: Scan,
    sigmoid: float,
    scores: NDArray[np.float64],
    result: NDArray[np.float32],
) -> None:
    """Fill ``result``, (class, pixel), with the probabilities of ``features``, (feature, pixel), both float32.

    ``scores`` is scratch, (output, ``BLOCK_PX``). Scores are summed in float64 in the order of the trees, as LightGBM
    does.
    """
    bins = np.zeros((features.shape[0], BLOCK_PX), dtype=np.uint8)
    left = np.zeros(BLOCK_PX, dtype=scan.kept.dtype)
    for start in range(0, features.shape[1], BLOCK_PX):
        scores[:] = 0.0
        _bin_block(features, cuts, start, bins)
        _scan_block(bins, scan, left, scores)
        _to_probabilities(scores, sigmoid, start, result)


@machine_code
def _to_probabilities(  # noqa: PLR0917 (as above)
    scores: NDArray[np.float64], sigmoid: float, start: int, result: NDArray[np.float32]
) -> None:
    """Softmax of the scores, (output, ``BLOCK_PX``), or the sigmoid of the only one, into ``result``; spoils the scores."""
    outputs = scores.shape[0]
    for i in range(min(result.shape[1] - start, BLOCK_PX)):
        if outputs == 1:
            p = 1.0 / (1.0 + math.exp(-sigmoid * scores[0, i]))
            result[0, start + i] = 1.0 - p
            result[1, start + i] = p
            continue
        top = scores[0, i]
        for k in range(1, outputs):
            top = max(top, scores[k, i])
        total = 0.0
        for k in range(outputs):
            scores[k, i] = math.exp(scores[k, i] - top)
            total += scores[k, i]
        for k in range(outputs):
            result[k, start + i] = scores[k, i] / total
