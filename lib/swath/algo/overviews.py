"""Overviews on the grid: the rule of GDAL's COG driver, computed for any range of rows.

Level sizes halve by floor until both sides fit one block. Pixel ``i`` of a level with ``m`` pixels shows the interval
``[i n/m, (i+1) n/m)`` of the ``n`` pixels of the level above it: area average with fractional edge weights for
continuous values, the most frequent value for classes, the centre pixel for bits.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from swath.product import Resampling

#: Edge of a TIFF block [px].
BLOCK = 512
_EPS = 1e-9


def level_sizes(height: int, width: int) -> tuple[tuple[int, int], ...]:
    """(height, width) of each overview level, finest first; empty when the image fits one block."""
    sizes = []
    while max(height, width) > BLOCK:
        height, width = max(height // 2, 1), max(width // 2, 1)
        sizes.append((height, width))
    return tuple(sizes)


def first_row_from(row: int, *, source: int, target: int) -> int:
    """First overview row whose interval starts at or below source row ``row`` (it then needs nothing above ``row``)."""
    return min(ceil(row * target / source - _EPS), target)


def rows_needed(row_stop: int, *, source: int, target: int) -> int:
    """Source rows that overview rows before ``row_stop`` need: all rows before the returned one."""
    return min(ceil(row_stop * source / target - _EPS), source)


def _span(start: int, stop: int, *, source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Source indices and weights, both (taps, stop - start), of target positions ``start .. stop``."""
    edges = np.arange(start, stop + 1, dtype=np.float64) * (source / target)
    low, high = edges[:-1], edges[1:]
    first = np.floor(low + _EPS).astype(np.int64)
    last = np.maximum(np.ceil(high - _EPS).astype(np.int64), first + 1)
    index = first[None, :] + np.arange(int((last - first).max(initial=1)), dtype=np.int64)[:, None]
    weight = (index < last[None, :]).astype(np.float64)
    weight[0] -= np.maximum(low - first, 0.0)
    ends = (last - first - 1, np.arange(last.size))
    weight[ends] -= np.maximum(last - high, 0.0)
    return np.minimum(index, source - 1), weight


def reduce_rows(
    rows: NDArray[np.integer],
    *,
    first: int,
    start: int,
    stop: int,
    source: tuple[int, int],
    target: tuple[int, int],
    rule: Resampling,
    nodata: int | None,
) -> NDArray[np.integer]:
    """Overview rows ``start .. stop`` from full-width rows of the level above.

    Args:
        rows: Stored values, (y, x), full width; row 0 is row ``first`` of the level above.
        first: See ``rows``.
        start: First overview row wanted.
        stop: First overview row not wanted.
        source: (height, width) of the level above.
        target: (height, width) of this level.
        rule: How pixels become one.
        nodata: Stored value that is no data; None when there is none.

    Returns:
        (stop - start, target width), the type of ``rows``.
    """
    if stop <= start:
        return np.empty((0, target[1]), dtype=rows.dtype)
    if rule == "nearest":
        r = np.floor(np.arange(start, stop) * (source[0] / target[0]) + 0.5).astype(np.int64) - first
        c = np.floor(np.arange(target[1]) * (source[1] / target[1]) + 0.5).astype(np.int64)
        return rows[np.ix_(r, c)]
    if source[0] == 2 * target[0] and source[1] == 2 * target[1]:
        part = rows[2 * start - first : 2 * stop - first]
        quads = (part[0::2, 0::2], part[0::2, 1::2], part[1::2, 0::2], part[1::2, 1::2])
        return _mode(np.stack(quads), nodata) if rule == "mode" else _average_of_four(quads, nodata)
    row_index, row_weight = _span(start, stop, source=source[0], target=target[0])
    col_index, col_weight = _span(0, target[1], source=source[1], target=target[1])
    if rule == "mode":
        picks = [
            (rows[np.ix_(ri - first, ci)], (rw[:, None] > 0) & (cw[None, :] > 0))
            for ri, rw in zip(row_index, row_weight, strict=True)
            for ci, cw in zip(col_index, col_weight, strict=True)
        ]
        return _mode(np.stack([p for p, _ in picks]), nodata, touched=np.stack([t for _, t in picks]))
    return _average(rows, nodata, rows_at=(row_index - first, row_weight), cols_at=(col_index, col_weight))


def _average_of_four(quads: tuple[NDArray[np.integer], ...], nodata: int | None) -> NDArray[np.integer]:
    dtype = quads[0].dtype
    total = np.zeros(quads[0].shape, dtype=np.int32)
    if nodata is None:
        for quad in quads:
            total += quad
        return _rounded(total, np.int32(4), dtype)
    count = np.zeros(quads[0].shape, dtype=np.int32)
    for quad in quads:
        valid = quad != nodata
        total += np.where(valid, quad, 0)
        count += valid
    if (count == 4).all():
        return _avoid(_rounded(total, np.int32(4), dtype), nodata)
    mean = _avoid(_rounded(total, np.maximum(count, 1), dtype), nodata)
    return np.where(count > 0, mean, np.array(nodata, dtype=dtype))


def _rounded(total: NDArray[np.int32], count: NDArray[np.int32] | np.int32, dtype: np.dtype[np.integer]) -> NDArray[np.integer]:
    """Integer mean, half away from zero."""
    if np.issubdtype(dtype, np.unsignedinteger):
        return ((total + count // 2) // count).astype(dtype)
    size = (np.abs(total) + count // 2) // count
    return np.where(total < 0, -size, size).astype(dtype)


def _avoid(mean: NDArray[np.integer], nodata: int) -> NDArray[np.integer]:
    """A mean of valid pixels that happens to equal nodata moves one count aside, as GDAL does."""
    hit = mean == nodata
    if hit.any():
        aside = nodata + 1 if nodata < np.iinfo(mean.dtype).max else nodata - 1
        mean[hit] = aside
    return mean


def _average(
    rows: NDArray[np.integer],
    nodata: int | None,
    *,
    rows_at: tuple[NDArray[np.int64], NDArray[np.float64]],
    cols_at: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> NDArray[np.integer]:
    valid = None if nodata is None else rows != nodata
    values = rows.astype(np.float64) if valid is None else np.where(valid, rows, 0).astype(np.float64)
    total = _weighted(values, rows_at, cols_at)
    whole = rows_at[1].sum(axis=0)[:, None] * cols_at[1].sum(axis=0)[None, :]
    weight = whole if valid is None else _weighted(valid.astype(np.float64), rows_at, cols_at)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / weight
    # GDAL holds weighted means of signed integers as float32 before it rounds.
    held = np.where(weight > _EPS, mean, 0.0)
    if np.issubdtype(rows.dtype, np.signedinteger):
        held = held.astype(np.float32).astype(np.float64)
    stored = np.where(held < 0, np.ceil(held - 0.5), np.floor(held + 0.5)).astype(rows.dtype)
    if nodata is None:
        return stored
    return np.where(weight > _EPS, _avoid(stored, nodata), np.array(nodata, dtype=rows.dtype))


def _weighted(
    values: NDArray[np.float64],
    rows_at: tuple[NDArray[np.int64], NDArray[np.float64]],
    cols_at: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    # Columns first, then rows, in order: the sums then round as GDAL's do.
    wide = np.zeros((values.shape[0], cols_at[0].shape[1]))
    for index, weight in zip(*cols_at, strict=True):
        wide += values[:, index] * weight
    out = np.zeros((rows_at[0].shape[1], wide.shape[1]))
    for index, weight in zip(*rows_at, strict=True):
        out += wide[np.clip(index, 0, values.shape[0] - 1)] * weight[:, None]
    return out


def _mode(samples: NDArray[np.integer], nodata: int | None, *, touched: NDArray[np.bool_] | None = None) -> NDArray[np.integer]:
    """Most frequent of (sample, y, x); of equals, the first to reach the count in row order; nodata does not vote."""
    votes = np.ones(samples.shape, dtype=np.bool_) if touched is None else touched
    if nodata is not None:
        votes = votes & (samples != nodata)
    winner = samples[0].copy() if nodata is None else np.full(samples.shape[1:], nodata, dtype=samples.dtype)
    best = np.zeros(samples.shape[1:], dtype=np.uint8)
    for k in range(samples.shape[0]):
        count = np.zeros(best.shape, dtype=np.uint8)
        for j in range(k + 1):
            count += (samples[j] == samples[k]) & votes[j]
        better = votes[k] & (count > best)
        winner = np.where(better, samples[k], winner)
        best = np.where(better, count, best)
    return winner
