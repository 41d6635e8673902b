"""The compiled walk through a forest: bins, scores, probabilities.

Pixels go in blocks that stay in the cache, through one tree after the other, eight at a time so that their
loads overlap. Every pixel is computed alone, so its answer does not depend on its neighbours or its place.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from swath.inference.forest import LEAF, Forest

_BLOCK_PX = 1024
#: Bins are looked up by the upper bits of a float32: sign, exponent and 7 bits of the mantissa.
_KEY_SHIFT = np.uint32(16)
_SIGN = np.uint32(0x80000000)
_ALL = np.uint32(0xFFFFFFFF)
_KEYS = 1 << 16


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with numba, without the GIL; keep the machine code on disk where a folder can be written."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no writable folder for the cache: compile in every process instead
        return numba.njit(nogil=True)(function)


class Packed(NamedTuple):
    """A forest as the kernel walks it.

    ``nodes`` holds ``child << 16 | feature << 8 | threshold``; ``depth`` is the number of levels below the root of
    each tree; ``first`` is the bin to start looking from, by feature and key.
    """

    nodes: NDArray[np.uint32]
    value: NDArray[np.float64]
    tree_offset: NDArray[np.int64]
    depth: NDArray[np.int64]
    cut: NDArray[np.float32]
    cut_offset: NDArray[np.int64]
    first: NDArray[np.uint8]
    outputs: int
    sigmoid: float


def pack(forest: Forest) -> Packed:
    """Prepare a forest for ``predict_forest``."""
    child, feature = forest.child.astype(np.uint32), forest.feature.astype(np.uint32)
    return Packed(
        nodes=((child << 16) | (feature << 8) | forest.threshold).astype(np.uint32),
        value=forest.value,
        tree_offset=forest.tree_offset,
        depth=_depths(forest),
        cut=forest.cut,
        cut_offset=forest.cut_offset,
        first=_first_bins(forest.cut, forest.cut_offset),
        outputs=forest.outputs,
        sigmoid=forest.sigmoid,
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


def _first_bins(cut: NDArray[np.float32], cut_offset: NDArray[np.int64]) -> NDArray[np.uint8]:
    """For each feature and key, the count of cuts below the least float32 with that key; (feature, key).

    Keys order float32 by value: positive numbers have their sign bit set, negative ones are inverted.
    """
    least = np.arange(_KEYS, dtype=np.uint32) << _KEY_SHIFT
    bits = np.where(least & _SIGN, least ^ _SIGN, ~least)
    # The least value with a key of a negative number has all lower bits set once inverted: that is ``~least``.
    values = bits.astype(np.uint32).view(np.float32)
    values = np.where(np.isnan(values), np.where(bits & _SIGN, -np.inf, np.inf), values).astype(np.float32)
    rows = [np.searchsorted(cut[cut_offset[f] : cut_offset[f + 1]], values, side="left") for f in range(cut_offset.size - 1)]
    return np.array(rows, dtype=np.uint8).reshape(cut_offset.size - 1, _KEYS)


@_compiled
def _bin_block(  # noqa: PLR0917 (compiled functions take positions)
    features: NDArray[np.float32], forest: Packed, start: int, bins: NDArray[np.uint8]
) -> None:
    codes = features.view(np.uint32)
    stop = min(features.shape[1], start + _BLOCK_PX)
    for f in range(features.shape[0]):
        low, high = forest.cut_offset[f], forest.cut_offset[f + 1]
        for i in range(start, stop):
            x, code = features[f, i], codes[f, i]
            if math.isnan(x):  # LightGBM reads it as 0 where a model has no branch for missing values
                x, code = np.float32(0.0), np.uint32(0)
            key = code ^ (_ALL if code & _SIGN else _SIGN)
            c = low + np.int64(forest.first[f, key >> _KEY_SHIFT])
            while c < high and forest.cut[c] < x:
                c += 1
            bins[f, i - start] = c - low


@_compiled
def _walk_block(  # noqa: PLR0917 (as above)
    bins: NDArray[np.uint8], forest: Packed, count: int, scores: NDArray[np.float64]
) -> None:
    for t in range(forest.depth.size):
        begin, end = forest.tree_offset[t], forest.tree_offset[t + 1]
        tree, leaf = forest.nodes[begin:end], forest.value[begin:end]
        out = scores[t % forest.outputs]
        for i in range(0, count, 8):
            a = b = c = d = e = f = g = h = np.uint32(0)
            for _ in range(forest.depth[t]):
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


@_compiled
def _to_probabilities(  # noqa: PLR0917 (as above)
    scores: NDArray[np.float64], forest: Packed, start: int, result: NDArray[np.float32]
) -> None:
    outputs = forest.outputs
    for i in range(min(result.shape[1] - start, _BLOCK_PX)):
        if outputs == 1:
            p = 1.0 / (1.0 + math.exp(-forest.sigmoid * scores[0, i]))
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


@_compiled
def predict_forest(features: NDArray[np.float32], forest: Packed, result: NDArray[np.float32]) -> None:
    """Fill ``result``, (class, pixel), with the probabilities of ``features``, (feature, pixel), both float32.

    Scores are summed in float64 in the order of the trees, as LightGBM does.
    """
    bins = np.zeros((features.shape[0], _BLOCK_PX), dtype=np.uint8)
    scores = np.zeros((forest.outputs, _BLOCK_PX), dtype=np.float64)
    for start in range(0, features.shape[1], _BLOCK_PX):
        scores[:] = 0.0
        _bin_block(features, forest, start, bins)
        _walk_block(bins, forest, min(features.shape[1] - start, _BLOCK_PX), scores)
        _to_probabilities(scores, forest, start, result)
