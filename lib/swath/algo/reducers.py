"""Statistics over a stack of dates, band by band: quantiles and the mean. Sources are in the order of (time, id)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

Stack = NDArray[np.float32]


def count(values: Stack) -> NDArray[np.uint16]:
    """Sources that count at a pixel, (y, x): all their bands are finite.

    Args:
        values: (source, band, y, x); NaN where a source is not to be used.
    """
    found: NDArray[np.uint16] = np.count_nonzero(np.all(np.isfinite(values), axis=1), axis=0).astype(np.uint16)
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
    _percentiles(np.ascontiguousarray(values), np.asarray(percents, dtype=np.float64) / 100.0, result)
    return result


def mean(values: Stack) -> Stack:
    """The mean of each band; arguments and result as of ``median``."""
    result = np.full(values.shape[1:], np.nan, dtype=np.float32)
    _mean(np.ascontiguousarray(values), result)
    return result


@compiled
def _percentiles(values: Stack, shares: NDArray[np.float64], result: Stack) -> None:
    sources, bands, height, width = values.shape
    row, numbers = np.empty((width, sources), dtype=np.float32), np.zeros(width, dtype=np.int64)
    for b in range(bands):
        for y in range(height):
            # A row of all sources is gathered first: the stack is read in the order in which it is stored.
            numbers[:] = 0
            for s in range(sources):
                for x in range(width):
                    value = values[s, b, y, x]
                    if np.isfinite(value):
                        row[x, numbers[x]] = value
                        numbers[x] += 1
            for x in range(width):
                n = numbers[x]
                if n == 0:
                    continue
                row[x, :n].sort()
                for q in range(shares.shape[0]):
                    place = shares[q] * (n - 1)
                    low = min(int(place), n - 1)
                    high = min(low + 1, n - 1)
                    below, above = np.float64(row[x, low]), np.float64(row[x, high])
                    result[q, b, y, x] = below + (above - below) * (place - low)


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
