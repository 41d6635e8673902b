"""Statistics over a stack of dates, band by band: quantiles and the mean. Sources are in the order of (time, id)."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

Stack = NDArray[np.float32]
#: Pixels that are sorted at once.
_SIDE = 512


def count(values: Stack) -> NDArray[np.uint16]:
    """Sources that count at a pixel, (y, x): all their bands are finite.

    Args:
        values: (source, band, y, x); NaN where a source is not to be used.
    """
    found = np.zeros(values.shape[2:], dtype=np.uint16)
    _count(np.ascontiguousarray(values), found)
    return found


def median(values: Stack) -> Stack:
    """The median of each band, as ``numpy.nanmedian`` has it.

    Args:
        values: (source, band, y, x); NaN where a source is not to be used.

    Returns:
        (band, y, x); NaN where a band has no source.
    """
    found: Stack = percentiles(values, (50.0,))[0]
    return found


def percentiles(values: Stack, percents: Sequence[float]) -> Stack:
    """Percentiles of each band, between two values by their distance, as ``numpy.nanpercentile`` has them.

    Args:
        values: Values as in ``median``.
        percents: Which, 0 .. 100.

    Returns:
        (percentile, band, y, x); NaN where a band has no source.
    """
    result = np.full((len(percents), *values.shape[1:]), np.nan, dtype=np.float32)
    shares = np.asarray(percents, dtype=np.float64) / 100.0
    _percentiles(np.ascontiguousarray(values), shares, _network(len(values)), result)
    return result


@lru_cache(maxsize=8)
def _network(size: int) -> NDArray[np.int64]:
    """Pairs of places that sort ``size`` values when each is put in order, one after the other, (pair, 2).

    Batcher's merge exchange (Knuth, "The Art of Computer Programming", volume 3, algorithm 5.2.2M).
    """
    pairs: list[NDArray[np.int64]] = [np.empty((0, 2), dtype=np.int64)]
    top = 1 << max((size - 1).bit_length() - 1, 0)
    step = top
    while step:
        reach, wanted, apart = top, 0, step
        while True:
            first = np.arange(max(size - apart, 0))
            first = first[first & step == wanted]
            pairs.append(np.stack([first, first + apart], axis=1))
            if reach == step:
                break
            apart, reach, wanted = reach - step, reach // 2, step
        step //= 2
    return np.concatenate(pairs)


def mean(values: Stack) -> Stack:
    """The mean of each band; arguments and result as of ``median``."""
    result = np.full(values.shape[1:], np.nan, dtype=np.float32)
    _mean(np.ascontiguousarray(values), result)
    return result


@compiled
def _percentiles(  # noqa: PLR0917 (compiled functions take positions)
    values: Stack, shares: NDArray[np.float64], pairs: NDArray[np.int64], result: Stack
) -> None:
    sources, bands, height, width = values.shape
    rows, numbers = np.empty((sources, _SIDE), dtype=np.float32), np.zeros(_SIDE, dtype=np.int64)
    for place in range(bands * height):
        b, y = place // height, place % height
        for left in range(0, width, _SIDE):
            right = min(left + _SIDE, width)
            numbers[:] = 0
            for s in range(sources):
                line, row = values[s, b, y, left:right], rows[s]
                for x in range(line.size):
                    there = np.isfinite(line[x])
                    row[x] = line[x] if there else np.float32(np.inf)
                    numbers[x] += there
            # Many pixels are sorted at once: the same pairs of sources are put in order whatever their values.
            for k in range(pairs.shape[0]):
                first, second = rows[pairs[k, 0]], rows[pairs[k, 1]]
                for x in range(_SIDE):
                    one, other = first[x], second[x]
                    first[x] = min(one, other)
                    second[x] = max(one, other)
            for x in range(right - left):
                n = numbers[x]
                if n == 0:
                    continue
                for q in range(shares.shape[0]):
                    at = shares[q] * (n - 1)
                    low = min(int(at), n - 1)
                    high = min(low + 1, n - 1)
                    below, above = np.float64(rows[low, x]), np.float64(rows[high, x])
                    result[q, b, y, left + x] = below + (above - below) * (at - low)


@compiled
def _count(values: Stack, found: NDArray[np.uint16]) -> None:
    sources, bands, height, width = values.shape
    usable = np.empty(width, dtype=np.bool_)
    for s in range(sources):
        for y in range(height):
            usable[:] = True
            for b in range(bands):
                line = values[s, b, y]
                for x in range(width):
                    usable[x] &= np.isfinite(line[x])
            for x in range(width):
                found[y, x] += usable[x]


@compiled
def _mean(values: Stack, result: Stack) -> None:
    sources, bands, height, width = values.shape
    sums, numbers = np.empty(width, dtype=np.float64), np.empty(width, dtype=np.int64)
    for b in range(bands):
        for y in range(height):
            sums[:], numbers[:] = 0.0, 0
            for s in range(sources):
                for x in range(width):
                    value = values[s, b, y, x]
                    if np.isfinite(value):
                        sums[x] += value
                        numbers[x] += 1
            for x in range(width):
                if numbers[x]:
                    result[b, y, x] = sums[x] / numbers[x]
