"""The compiled part of a forest: bins of the features, scores of the leaves, probabilities.

Pixels go in blocks that stay in the cache. Every pixel is computed alone, so its answer does not depend on its
neighbours or its place. There are two ways to find the leaves, with equal answers:

* **Scan** (small trees): every node is asked of every pixel, without a branch. Each pixel keeps one bit for each leaf of
  the tree at hand; a node that sends it to the right strikes out the leaves on its left; the lowest bit left over is the
  leaf that walking would have reached (QuickScorer: Lucchese et al. 2015, doi:10.1145/2766462.2767733). Asking too much
  is still quicker: many pixels go through one vector instruction.
* **Walk** (large trees): the crown, the ``CROWN_NODES`` inner nodes next to the root that most pixels pass, is scanned as
  above and says at which node each pixel goes on. From there eight pixels at a time go down, so that their loads
  overlap, until all of them are at leaves; a leaf leads to itself.

Compiled functions call others of this file alone: numba keeps machine code by the date of the file of the calling function,
and would not notice a change of what it calls elsewhere.
"""

import math

import numpy as np
from numpy.typing import NDArray

from swath.compiled import machine_code
from swath.inference.forest import EXACT_LEFT, LEAF, NAN_IS_ZERO, NAN_LEFT, PLAIN, XGBOOST, ZERO_LEFT
from swath.inference.forest_arrays import Cuts, Link, Questions, Scan, Walk

BLOCK_PX = 1024
#: Bins are looked up by the upper bits of a float32: sign, exponent and 7 bits of the mantissa.
KEY_SHIFT = np.uint32(16)
SIGN = np.uint32(0x80000000)
_ALL = np.uint32(0xFFFFFFFF)
#: LightGBM's ``kZeroThreshold``: it leaves out values up to here when it fills a row, and so reads them as 0.
ZERO = np.float32(1e-35)
#: Votes of trees that sum to 1 are rounded to this at most.
ROUNDED = 1e-6
#: Inner nodes of a crown; there is one exit more.
CROWN_NODES = 15
#: The word of a crown, and its de Bruijn number: times a power of two, its upper bits number the power (Leiserson, Prokop &
#: Randall 1998, "Using de Bruijn sequences to index a 1 in a computer word").
CROWN_BITS = 16
CROWN_MULTIPLIER = 0x09AF
_CROWN_SHIFT = 12
#: Parts of a node; unsigned, so that no index is looked at for being negative.
_CHILD, _FEATURE, _LOW = np.uint32(16), np.uint32(8), np.uint32(255)


@machine_code
def bin_block(  # noqa: PLR0917 (compiled functions take positions)
    features: NDArray[np.float32], cuts: Cuts, start: int, bins: NDArray[np.uint8]
) -> None:
    """Bins of up to ``BLOCK_PX`` pixels from ``start`` on, (column, ``BLOCK_PX``): the count of cuts below the value."""
    codes = features.view(np.uint32)
    stop = min(features.shape[1], start + BLOCK_PX)
    for column in range(cuts.source.size):
        low, high, f = cuts.cut_offset[column], cuts.cut_offset[column + 1], cuts.source[column]
        if cuts.rule[column] != NAN_IS_ZERO:
            _bin_missing(features[f, start:stop], cuts, column, bins[column])
            continue
        for i in range(start, stop):
            x, code = features[f, i], codes[f, i]
            # LightGBM reads NaN as 0 where a model has no branch for missing values, and tiny values everywhere.
            if not abs(x) > ZERO:
                x, code = np.float32(0.0), np.uint32(0)
            key = code ^ (_ALL if code & SIGN else SIGN)
            c = low + np.int64(cuts.first[column, key >> KEY_SHIFT])
            while c < high and cuts.cut[c] < x:
                c += 1
            bins[column, i - start] = c - low


@machine_code
def _bin_missing(  # noqa: PLR0917 (as above)
    values: NDArray[np.float32], cuts: Cuts, column: int, bins: NDArray[np.uint8]
) -> None:
    """Bins of a column with a side for missing values: 0 is left of every node, ``LEAF`` right of all but the leaves."""
    codes = values.view(np.uint32)
    low, high, rule = cuts.cut_offset[column], cuts.cut_offset[column + 1], cuts.rule[column]
    aside = np.uint8(0 if (rule - NAN_LEFT) % 2 == 0 else LEAF)
    zero_is_missing, tiny_is_zero = ZERO_LEFT <= rule < EXACT_LEFT, rule < EXACT_LEFT
    for i in range(values.size):
        x, code = values[i], codes[i]
        tiny = abs(x) <= ZERO
        if np.isnan(x) or (zero_is_missing and tiny):
            bins[i] = aside
            continue
        # Both zeros are one value.
        if x == np.float32(0.0) or (tiny_is_zero and tiny):
            x, code = np.float32(0.0), np.uint32(0)
        key = code ^ (_ALL if code & SIGN else SIGN)
        c = low + np.int64(cuts.first[column, key >> KEY_SHIFT])
        while c < high and cuts.cut[c] < x:
            c += 1
        bins[i] = c - low


@machine_code
def _strike_out(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], asked: Questions, tree: int, left: NDArray[np.unsignedinteger]
) -> None:
    """Clear in ``left``, (``BLOCK_PX``,), the bits of the leaves that a tree's nodes rule out."""
    for node in range(asked.node_offset[tree], asked.node_offset[tree + 1]):
        row, threshold, kept = bins[asked.feature[node]], asked.threshold[node], asked.kept[node]
        for i in range(BLOCK_PX):
            word = left[i]
            left[i] = word if row[i] <= threshold else word & kept


@machine_code
def _enter(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], walk: Walk, tree: int, at: NDArray[np.uint16]
) -> None:
    """Fill ``at``, (``BLOCK_PX``,), with the nodes below a tree's crown at which the pixels go on."""
    one, multiplier, every, shift = np.uint32(1), np.uint32(CROWN_MULTIPLIER), np.uint32(0xFFFF), np.uint32(_CROWN_SHIFT)
    for i in range(BLOCK_PX):
        at[i] = every
    _strike_out(bins, walk.crown, tree, at)
    entry = walk.entry[tree]
    for i in range(BLOCK_PX):
        word = np.uint32(at[i])
        lowest = word & (~word + one)
        at[i] = entry[((lowest * multiplier) & every) >> shift]


@machine_code
def _walk_block(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], walk: Walk, at: NDArray[np.uint16], count: int, scores: NDArray[np.floating]
) -> None:
    for t in range(walk.entry.shape[0]):
        begin, end = walk.tree_offset[t], walk.tree_offset[t + 1]
        tree, leaf = walk.nodes[begin:end], walk.value[begin:end]
        out = scores[t % scores.shape[0]]
        _enter(bins, walk, t, at)
        for i in range(0, count, 8):
            m, n, o, p = tree[at[i]], tree[at[i + 1]], tree[at[i + 2]], tree[at[i + 3]]
            q, r, s, u = tree[at[i + 4]], tree[at[i + 5]], tree[at[i + 6]], tree[at[i + 7]]
            # All are at leaves when all thresholds have all bits set. Looking after every second step is quickest.
            while (m & n & o & p & q & r & s & u) & _LOW != _LOW:
                for _ in range(2):
                    m = tree[(m >> _CHILD) + np.uint32(bins[(m >> _FEATURE) & _LOW, i] > (m & _LOW))]
                    n = tree[(n >> _CHILD) + np.uint32(bins[(n >> _FEATURE) & _LOW, i + 1] > (n & _LOW))]
                    o = tree[(o >> _CHILD) + np.uint32(bins[(o >> _FEATURE) & _LOW, i + 2] > (o & _LOW))]
                    p = tree[(p >> _CHILD) + np.uint32(bins[(p >> _FEATURE) & _LOW, i + 3] > (p & _LOW))]
                    q = tree[(q >> _CHILD) + np.uint32(bins[(q >> _FEATURE) & _LOW, i + 4] > (q & _LOW))]
                    r = tree[(r >> _CHILD) + np.uint32(bins[(r >> _FEATURE) & _LOW, i + 5] > (r & _LOW))]
                    s = tree[(s >> _CHILD) + np.uint32(bins[(s >> _FEATURE) & _LOW, i + 6] > (s & _LOW))]
                    u = tree[(u >> _CHILD) + np.uint32(bins[(u >> _FEATURE) & _LOW, i + 7] > (u & _LOW))]
            out[i] += leaf[m >> _CHILD]
            out[i + 1] += leaf[n >> _CHILD]
            out[i + 2] += leaf[o >> _CHILD]
            out[i + 3] += leaf[p >> _CHILD]
            out[i + 4] += leaf[q >> _CHILD]
            out[i + 5] += leaf[r >> _CHILD]
            out[i + 6] += leaf[s >> _CHILD]
            out[i + 7] += leaf[u >> _CHILD]


@machine_code
def predict_by_walk(  # noqa: PLR0917 (as above)
    features: NDArray[np.float32],
    cuts: Cuts,
    walk: Walk,
    link: Link,
    scores: NDArray[np.floating],
    result: NDArray[np.float32],
) -> None:
    """Fill ``result``, (class, pixel), with the probabilities of ``features``, (feature, pixel), both float32.

    ``scores`` is scratch, (output, ``BLOCK_PX``). Scores are summed in its precision in the order of the trees: float64 as
    LightGBM does, float32 as XGBoost does (one sum in float64, rounded, is that sum in float32).
    """
    bins = np.zeros((cuts.source.size, BLOCK_PX), dtype=np.uint8)
    at = np.zeros(BLOCK_PX, dtype=np.uint16)
    for start in range(0, features.shape[1], BLOCK_PX):
        for k in range(scores.shape[0]):
            scores[k, :] = link.base[k]
        bin_block(features, cuts, start, bins)
        _walk_block(bins, walk, at, min(features.shape[1] - start, BLOCK_PX), scores)
        _to_probabilities(scores, link, start, result)


@machine_code
def _scan_block(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], scan: Scan, left: NDArray[np.unsignedinteger], scores: NDArray[np.floating]
) -> None:
    one, multiplier = np.uint64(1), np.uint64(scan.multiplier)
    every, shift = np.uint64(scan.every), np.uint64(scan.shift)
    for tree in range(scan.value.shape[0]):
        for i in range(BLOCK_PX):
            left[i] = every
        _strike_out(bins, scan.asked, tree, left)
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
    link: Link,
    scores: NDArray[np.floating],
    result: NDArray[np.float32],
) -> None:
    """Fill ``result``, (class, pixel), with the probabilities of ``features``, (feature, pixel), both float32.

    ``scores`` is scratch, (output, ``BLOCK_PX``). Scores are summed in its precision in the order of the trees: float64 as
    LightGBM does, float32 as XGBoost does (one sum in float64, rounded, is that sum in float32).
    """
    bins = np.zeros((cuts.source.size, BLOCK_PX), dtype=np.uint8)
    left = np.zeros(BLOCK_PX, dtype=scan.asked.kept.dtype)
    for start in range(0, features.shape[1], BLOCK_PX):
        for k in range(scores.shape[0]):
            scores[k, :] = link.base[k]
        bin_block(features, cuts, start, bins)
        _scan_block(bins, scan, left, scores)
        _to_probabilities(scores, link, start, result)


@machine_code
def _to_probabilities(  # noqa: PLR0917 (as above)
    scores: NDArray[np.floating], link: Link, start: int, result: NDArray[np.float32]
) -> None:
    """Probabilities of the scores, (output, ``BLOCK_PX``), into ``result``; spoils the scores."""
    if link.kind == XGBOOST:
        _as_xgboost(scores, start, result)
    elif link.kind == PLAIN:
        _as_sums(scores, start, result)
    else:
        _as_lightgbm(scores, link.sigmoid, start, result)


@machine_code
def _as_sums(scores: NDArray[np.floating], start: int, result: NDArray[np.float32]) -> None:
    for i in range(min(result.shape[1] - start, BLOCK_PX)):
        if scores.shape[0] == 1:
            result[0, start + i] = _unrounded(1.0 - scores[0, i])
            result[1, start + i] = _unrounded(scores[0, i])
            continue
        for k in range(scores.shape[0]):
            result[k, start + i] = _unrounded(scores[k, i])


@machine_code
def _unrounded(share: float) -> float:
    """A share without what its sum of float32 votes was rounded beyond 0 or 1; what lies further out is no share, and stays."""
    if -ROUNDED < share < 0.0:
        return 0.0
    return 1.0 if 1.0 < share < 1.0 + ROUNDED else share


@machine_code
def _as_xgboost(scores: NDArray[np.floating], start: int, result: NDArray[np.float32]) -> None:
    """Softmax or sigmoid in float32, in the order of XGBoost's ``common/math.h``."""
    one, outputs = np.float32(1.0), scores.shape[0]
    for i in range(min(result.shape[1] - start, BLOCK_PX)):
        if outputs == 1:
            p = one / (math.exp(min(-np.float32(scores[0, i]), np.float32(88.7))) + one)
            result[0, start + i] = one - p
            result[1, start + i] = p
            continue
        top = np.float32(scores[0, i])
        for k in range(1, outputs):
            top = max(top, np.float32(scores[k, i]))
        total = 0.0
        for k in range(outputs):
            power = math.exp(np.float32(scores[k, i]) - top)
            scores[k, i] = power
            total += power
        for k in range(outputs):
            result[k, start + i] = np.float32(scores[k, i]) / np.float32(total)


@machine_code
def _as_lightgbm(  # noqa: PLR0917 (as above)
    scores: NDArray[np.floating], sigmoid: float, start: int, result: NDArray[np.float32]
) -> None:
    """Softmax of the scores, or the sigmoid of the only one, in float64."""
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
