"""Overviews on the grid: the rule of GDAL's COG driver, computed for any range of rows.

Level sizes halve by floor until both sides fit one block. Pixel ``i`` of a level with ``m`` pixels shows the interval
``[i n/m, (i+1) n/m)`` of the ``n`` pixels of the level above it: area average with fractional edge weights for
continuous values, the most frequent value for classes, the centre pixel for bits.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from swath.algo.reduction import average, average_of_four, mode_of, mode_of_four
from swath.algo.taps import Taps
from swath.product import Resampling

#: Edge of a TIFF block [px].
BLOCK = 512
_EPS = 1e-9
#: Pixels reduced at once: what is made of them stays in a core's cache.
_BATCH_PX = 131_072


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


def _span(start: int, stop: int, *, source: int, target: int) -> Taps:
    """Source indices and weights of target positions ``start .. stop``."""
    edges = np.arange(start, stop + 1, dtype=np.float64) * (source / target)
    low, high = edges[:-1], edges[1:]
    first = np.floor(low + _EPS).astype(np.int64)
    last = np.maximum(np.ceil(high - _EPS).astype(np.int64), first + 1)
    index = first[None, :] + np.arange(int((last - first).max(initial=1)), dtype=np.int64)[:, None]
    weight = (index < last[None, :]).astype(np.float64)
    weight[0] -= np.maximum(low - first, 0.0)
    ends = (last - first - 1, np.arange(last.size))
    weight[ends] -= np.maximum(last - high, 0.0)
    return Taps(np.minimum(index, source - 1), weight)


def halved(pixels: NDArray[np.integer], *, rule: Resampling, nodata: int | None) -> NDArray[np.integer]:
    """A level of exactly half the size, from any window with even edges.

    Args:
        pixels: Stored values, (2 y, 2 x).
        rule: Rule that makes one pixel of four.
        nodata: Stored value that is no data; None when there is none.

    Returns:
        (y, x), the type of ``pixels``.
    """
    if rule == "nearest":
        # The centre of four is the corner that they share; GDAL's rounding makes that the first of them.
        return pixels[::2, ::2].copy()
    return mode_of_four(pixels, nodata) if rule == "mode" else average_of_four(pixels, nodata)


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
        rule: Rule that makes one pixel of several.
        nodata: Stored value that is no data; None when there is none.

    Returns:
        (stop - start, target width), the type of ``rows``.
    """
    if stop <= start:
        return np.empty((0, target[1]), dtype=rows.dtype)
    if source[0] == 2 * target[0] and source[1] == 2 * target[1]:
        return halved(rows[2 * start - first : 2 * stop - first], rule=rule, nodata=nodata)
    made = np.empty((stop - start, target[1]), dtype=rows.dtype)
    columns = _span(0, target[1], source=source[1], target=target[1])
    step = max(_BATCH_PX // (2 * source[1]), 1)
    for low in range(start, stop, step):
        high = min(low + step, stop)
        out = made[low - start : high - start]
        if rule == "nearest":
            r = _centres(low, high, source=source[0], target=target[0]) - first
            out[...] = rows[np.ix_(r, _centres(0, target[1], source=source[1], target=target[1]))]
        else:
            taps = _span(low, high, source=source[0], target=target[0])
            top, bottom = int(taps.index.min()), int(taps.index.max()) + 1
            both = (Taps(taps.index - top, taps.weight), columns)
            reduce = mode_of if rule == "mode" else average
            out[...] = reduce(rows[top - first : bottom - first], both, nodata=nodata)
    return made


def _centres(start: int, stop: int, *, source: int, target: int) -> NDArray[np.int64]:
    """The source positions that hold the centres of target positions."""
    centres: NDArray[np.int64] = np.floor(np.arange(start, stop) * (source / target) + 0.5).astype(np.int64)
    return centres
