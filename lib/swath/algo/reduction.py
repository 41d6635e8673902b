"""What several pixels become as one: means and majorities of stored values, with GDAL's rounding and its care for nodata."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.taps import Taps
from swath.compiled import compiled

#: Represents nodata where there is none: no 16-bit number equals it.
_NOTHING: Final = 1 << 20


def average_of_four(rows: NDArray[np.integer], nodata: int | None) -> NDArray[np.integer]:
    """Means over 2 x 2 pixels, half away from zero; pixels that are nodata do not count.

    Args:
        rows: Stored values of 8 or 16 bits, (2 y, 2 x).
        nodata: The value that is no data, or None.

    Returns:
        (y, x), the type of ``rows``; nodata where all four are.
    """
    mean = np.empty((rows.shape[0] // 2, rows.shape[1] // 2), dtype=rows.dtype)
    _average_of_four(np.ascontiguousarray(rows), _NOTHING if nodata is None else nodata, _aside(nodata, rows.dtype), mean)
    return mean


@compiled
def _average_of_four(  # noqa: PLR0917 (compiled functions take positions)
    rows: NDArray[np.integer], nodata: int, aside: int, mean: NDArray[np.integer]
) -> None:
    for i in range(mean.shape[0]):
        top, bottom, out = rows[2 * i], rows[2 * i + 1], mean[i]
        holes = False
        # As if all were valid, without a branch; rows with holes are done again.
        for j in range(out.size):
            a, b, c, d = np.int32(top[2 * j]), np.int32(top[2 * j + 1]), np.int32(bottom[2 * j]), np.int32(bottom[2 * j + 1])
            holes |= (a == nodata) | (b == nodata) | (c == nodata) | (d == nodata)
            total = np.int32(a + b + c + d)
            # A quarter, half away from zero: one less before the shift when negative.
            quarter = np.int32(total + (total >> np.int32(31)) + np.int32(2)) >> np.int32(2)
            out[j] = aside if quarter == nodata else quarter
        if not holes:
            continue
        for j in range(out.size):
            total, count = np.int32(0), np.int32(0)
            for k in range(4):
                value = np.int32(top[2 * j + k]) if k < 2 else np.int32(bottom[2 * j + k - 2])
                if value != nodata:
                    total += value
                    count += 1
            if count == 0:
                out[j] = nodata
                continue
            size = (abs(total) + count // 2) // count
            rounded = -size if total < 0 else size
            out[j] = aside if rounded == nodata else rounded


def _aside(nodata: int | None, dtype: np.dtype[np.integer]) -> int:
    """Where a mean of valid pixels goes that happens to equal nodata: one count aside, as GDAL does."""
    if nodata is None:
        return _NOTHING
    return nodata + 1 if nodata < np.iinfo(dtype).max else nodata - 1


def average(rows: NDArray[np.integer], taps: tuple[Taps, Taps], *, nodata: int | None) -> NDArray[np.integer]:
    """Weighted means over any taps of rows and columns, rounded half away from zero.

    Args:
        rows: Stored values of 8 or 16 bits, (y, x).
        taps: Taps for rows and for columns, within ``rows``.
        nodata: The value that is no data, or None; it does not count.

    Returns:
        (row positions, column positions), the type of ``rows``; nodata where nothing counts.
    """
    down, across = taps
    mean = np.empty((down.index.shape[1], across.index.shape[1]), dtype=rows.dtype)
    _average(
        np.ascontiguousarray(rows), _NOTHING if nodata is None else nodata, _aside(nodata, rows.dtype),
        down.index, down.weight, across.index, across.weight, np.issubdtype(rows.dtype, np.signedinteger), mean,
    )  # fmt: skip
    return mean


@compiled
def _average(  # noqa: PLR0913, PLR0917 (as above)
    rows: NDArray[np.integer],
    nodata: int,
    aside: int,
    down: NDArray[np.int64],
    down_weight: NDArray[np.float64],
    across: NDArray[np.int64],
    across_weight: NDArray[np.float64],
    narrow: bool,  # noqa: FBT001
    mean: NDArray[np.integer],
) -> None:
    # Columns first, then rows, in order: the sums then round as GDAL's do.
    wide, counted = np.zeros((rows.shape[0], mean.shape[1])), np.zeros((rows.shape[0], mean.shape[1]))
    for y in range(rows.shape[0]):
        row = rows[y]
        for u in range(across.shape[0]):
            for j in range(mean.shape[1]):
                value, share = np.int32(row[across[u, j]]), across_weight[u, j]
                counts = value != nodata
                wide[y, j] += value * share if counts else 0.0
                counted[y, j] += share if counts else 0.0
    totals, weights = np.empty(mean.shape[1]), np.empty(mean.shape[1])
    for i in range(mean.shape[0]):
        totals[:] = 0.0
        weights[:] = 0.0
        for t in range(down.shape[0]):
            y, share = down[t, i], down_weight[t, i]
            for j in range(mean.shape[1]):
                totals[j] += wide[y, j] * share
                weights[j] += counted[y, j] * share
        for j in range(mean.shape[1]):
            if weights[j] <= 1e-9:
                mean[i, j] = 0 if nodata == _NOTHING else nodata
                continue
            held = totals[j] / weights[j]
            if narrow:
                # GDAL holds weighted means of signed integers as float32 before it rounds.
                held = np.float64(np.float32(held))
            rounded = np.int32(held + (0.5 if held >= 0.0 else -0.5))
            mean[i, j] = aside if rounded == nodata else rounded


def mode_of_four(rows: NDArray[np.integer], nodata: int | None) -> NDArray[np.integer]:
    """The most frequent of 2 x 2 pixels, (2 y, 2 x) to (y, x); of equals the first to be met twice; nodata does not vote."""
    most = np.empty((rows.shape[0] // 2, rows.shape[1] // 2), dtype=rows.dtype)
    _mode_of_four(np.ascontiguousarray(rows), _NOTHING if nodata is None else nodata, most)
    return most


@compiled
def _mode_of_four(rows: NDArray[np.integer], nodata: int, most: NDArray[np.integer]) -> None:
    for i in range(most.shape[0]):
        top, bottom = rows[2 * i], rows[2 * i + 1]
        for j in range(most.shape[1]):
            a, b, c, d = top[2 * j], top[2 * j + 1], bottom[2 * j], bottom[2 * j + 1]
            if a == b and c == d and a == c:
                most[i, j] = a
                continue
            if a != nodata and ((a == b) | (a == c)):
                winner = a
            elif b != nodata and b == c:
                winner = b
            elif d != nodata and ((d == a) | (d == b) | (d == c)):
                winner = d
            elif a != nodata:
                winner = a
            elif b != nodata:
                winner = b
            elif c != nodata:
                winner = c
            else:
                winner = d
            most[i, j] = winner


def mode_of(rows: NDArray[np.integer], taps: tuple[Taps, Taps], *, nodata: int | None) -> NDArray[np.integer]:
    """The most frequent of all pixels that the taps of rows and columns touch, each with one vote.

    Args:
        rows: Stored values of 8 or 16 bits, (y, x).
        taps: Taps for rows and for columns, within ``rows``.
        nodata: The value that is no data, or None; it does not vote.

    Returns:
        (row positions, column positions), the type of ``rows``; nodata where no pixel votes.
    """
    down, across = taps
    most = np.empty((down.index.shape[1], across.index.shape[1]), dtype=rows.dtype)
    _mode_of(
        np.ascontiguousarray(rows), _NOTHING if nodata is None else nodata,
        down.index, down.weight, across.index, across.weight, most,
    )  # fmt: skip
    return most


@compiled
def _mode_of(  # noqa: C901, PLR0917 (as above)
    rows: NDArray[np.integer],
    nodata: int,
    down: NDArray[np.int64],
    down_weight: NDArray[np.float64],
    across: NDArray[np.int64],
    across_weight: NDArray[np.float64],
    most: NDArray[np.integer],
) -> None:
    """The first to reach the highest count in row order; where no pixel votes, nodata or the first pixel."""
    votes = np.empty(down.shape[0] * across.shape[0], dtype=rows.dtype)
    for i in range(most.shape[0]):
        for j in range(most.shape[1]):
            first = rows[down[0, i], across[0, j]]
            same = True
            for t in range(down.shape[0]):
                for u in range(across.shape[0]):
                    same &= rows[down[t, i], across[u, j]] == first
            most[i, j] = first if same or nodata == _NOTHING else nodata
            if same:
                continue
            best, cast = 0, 0
            for t in range(down.shape[0]):
                for u in range(across.shape[0]):
                    value = rows[down[t, i], across[u, j]]
                    if down_weight[t, i] <= 0.0 or across_weight[u, j] <= 0.0 or value == nodata:
                        continue
                    votes[cast] = value
                    cast += 1
                    count = 0
                    for k in range(cast):
                        count += votes[k] == value
                    if count > best:
                        most[i, j], best = value, count
