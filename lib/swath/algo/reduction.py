"""What several pixels become as one: means and majorities of stored values, with GDAL's rounding and its care for nodata."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EPS = 1e-9


@dataclass(frozen=True, slots=True)
class Taps:
    """For each target position of one axis: source indices and weights, both (taps, n)."""

    index: NDArray[np.int64]
    weight: NDArray[np.float64]


def average_of_four(rows: NDArray[np.integer], nodata: int | None) -> NDArray[np.integer]:
    """Means over 2 x 2 pixels, half away from zero; pixels that are nodata do not count.

    Args:
        rows: Stored values, (2 y, 2 x).
        nodata: The value that is no data, or None.

    Returns:
        (y, x), the type of ``rows``; nodata where all four are.
    """
    valid = None if nodata is None else rows != nodata
    if nodata is None or valid is None or valid.all():
        mean = _quarter(_sum_of_four(rows.astype(np.int32))).astype(rows.dtype)
        return mean if nodata is None else _avoid(mean, nodata)
    total = _sum_of_four(np.where(valid, rows, 0).astype(np.int32))
    count = _sum_of_four(valid.view(np.uint8))
    # Few pixels have some neighbours without data; the others are quarters.
    partial = np.flatnonzero(count < 4)
    parts = _rounded(total.ravel()[partial], np.maximum(count.ravel()[partial], 1).astype(np.int32))
    mean = _quarter(total).astype(rows.dtype)
    mean.ravel()[partial] = parts
    mean = _avoid(mean, nodata)
    mean[count == 0] = nodata
    return mean


def _sum_of_four(values: NDArray[np.integer]) -> NDArray[np.integer]:
    pairs = values[0::2] + values[1::2]
    total: NDArray[np.integer] = pairs[:, 0::2] + pairs[:, 1::2]
    return total


def _quarter(total: NDArray[np.integer]) -> NDArray[np.integer]:
    """A quarter, half away from zero, by shifts: ``(t + 2) >> 2``, one less before the shift when negative."""
    mean: NDArray[np.integer] = total + ((total >> 31) + 2)
    mean >>= 2
    return mean


def _rounded(total: NDArray[np.integer], count: NDArray[np.int32]) -> NDArray[np.integer]:
    """Integer mean, half away from zero."""
    size = (np.abs(total) + count // 2) // count
    rounded: NDArray[np.integer] = np.where(total < 0, -size, size)
    return rounded


def _avoid(mean: NDArray[np.integer], nodata: int) -> NDArray[np.integer]:
    """A mean of valid pixels that happens to equal nodata moves one count aside, as GDAL does."""
    hit = mean == nodata
    if hit.any():
        aside = nodata + 1 if nodata < np.iinfo(mean.dtype).max else nodata - 1
        mean[hit] = aside
    return mean


def average(rows: NDArray[np.integer], taps: tuple[Taps, Taps], *, nodata: int | None) -> NDArray[np.integer]:
    """Weighted means over any taps of rows and columns, rounded half away from zero.

    Args:
        rows: Stored values, (y, x).
        taps: Of rows and of columns, within ``rows``.
        nodata: The value that is no data, or None; it does not count.

    Returns:
        (row positions, column positions), the type of ``rows``; nodata where nothing counts.
    """
    valid = None if nodata is None else rows != nodata
    if valid is None or valid.all():
        total, weight = _weighted(rows.astype(np.float64), taps), _whole(taps)
    else:
        total = _weighted(np.where(valid, rows, 0).astype(np.float64), taps)
        weight = _weighted(valid.astype(np.float64), taps)
    some = weight > _EPS
    held = np.divide(total, weight, out=np.zeros_like(total), where=some)
    # GDAL holds weighted means of signed integers as float32 before it rounds.
    if np.issubdtype(rows.dtype, np.signedinteger):
        held = held.astype(np.float32).astype(np.float64)
    held += np.copysign(0.5, held)
    stored = np.trunc(held, out=held).astype(rows.dtype)
    if nodata is None:
        return stored
    stored = _avoid(stored, nodata)
    stored[~some] = nodata
    return stored


def _whole(taps: tuple[Taps, Taps]) -> NDArray[np.float64]:
    """The sum of weights where every pixel counts, added up as ``_weighted`` does."""
    wide = np.zeros(taps[1].index.shape[1])
    for weight in taps[1].weight:
        wide += weight
    out = np.zeros((taps[0].index.shape[1], wide.size))
    for weight in taps[0].weight:
        out += wide * weight[:, None]
    return out


def _weighted(values: NDArray[np.float64], taps: tuple[Taps, Taps]) -> NDArray[np.float64]:
    # Columns first, then rows, in order: the sums then round as GDAL's do.
    rows, columns = taps
    wide = np.zeros((values.shape[0], columns.index.shape[1]))
    for index, weight in zip(columns.index, columns.weight, strict=True):
        wide += values[:, _places(index)] * weight
    out = np.zeros((rows.index.shape[1], wide.shape[1]))
    for index, weight in zip(rows.index, rows.weight, strict=True):
        out += wide[_places(index)] * weight[:, None]
    return out


def _places(index: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Every second place as a slice, which NumPy reads without gathering."""
    if index.size and np.array_equal(index, index[0] + 2 * np.arange(index.size)):
        return slice(int(index[0]), int(index[-1]) + 1, 2)
    return index


def mode_of_four(rows: NDArray[np.integer], nodata: int | None) -> NDArray[np.integer]:
    """The most frequent of 2 x 2 pixels, (2 y, 2 x) to (y, x); of equals the first to be met twice; nodata does not vote."""
    a, b, c, d = (np.ascontiguousarray(rows[i::2, j::2]) for i in (0, 1) for j in (0, 1))
    # In row order, a value that comes twice first wins: a with b or c, then b with c, then d with any.
    late = ~((a == b) | (a == c) | (b == c))
    late &= (d == b) | (d == c)
    winner = a.copy()
    np.copyto(winner, b, where=(b == c) & (a != b))
    np.copyto(winner, d, where=late)
    if nodata is None or not (rows == nodata).any():
        return winner
    holed = np.flatnonzero((a == nodata) | (b == nodata) | (c == nodata) | (d == nodata))
    samples = [s.ravel()[holed] for s in (a, b, c, d)]
    winner.ravel()[holed] = _mode(samples, [np.ones(holed.shape, dtype=np.bool_)] * 4, nodata=nodata)
    return winner


def mode_of(rows: NDArray[np.integer], taps: tuple[Taps, Taps], *, nodata: int | None) -> NDArray[np.integer]:
    """The most frequent of all pixels that the taps of rows and columns touch, each with one vote."""
    samples, touched = [], []
    for ri, rw in zip(taps[0].index, taps[0].weight, strict=True):
        for ci, cw in zip(taps[1].index, taps[1].weight, strict=True):
            samples.append(np.ascontiguousarray(rows[_places(ri)][:, _places(ci)]))
            touched.append((rw[:, None] > 0) & (cw[None, :] > 0))
    uniform = samples[0] == samples[-1]
    for sample in samples[1:-1]:
        uniform &= sample == samples[0]
    winner = samples[0].copy()
    mixed = np.flatnonzero(~uniform)
    votes = [t.ravel()[mixed] for t in touched]
    winner.ravel()[mixed] = _mode([s.ravel()[mixed] for s in samples], votes, nodata=nodata)
    return winner


def _mode(samples: list[NDArray[np.integer]], votes: list[NDArray[np.bool_]], *, nodata: int | None) -> NDArray[np.integer]:
    """Most frequent sample of each pixel; of equals, the first to reach the count in row order; nodata does not vote."""
    shape, dtype = samples[0].shape, samples[0].dtype
    if nodata is not None:
        votes = [v & (s != nodata) for v, s in zip(votes, samples, strict=True)]
    winner = samples[0].copy() if nodata is None else np.full(shape, nodata, dtype=dtype)
    best = np.zeros(shape, dtype=np.uint8)
    for k, sample in enumerate(samples):
        count = np.zeros(shape, dtype=np.uint8)
        for j in range(k + 1):
            count += ((samples[j] == sample) & votes[j]).view(np.uint8)
        better = votes[k] & (count > best)
        np.copyto(winner, sample, where=better)
        np.copyto(best, count, where=better)
    return winner
