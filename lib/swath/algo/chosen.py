"""Composites that take each pixel from one of the dates: which one.

Sources are in the order of (time, id), and the first of equals wins.
"""

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

Stack = NDArray[np.float32]
#: No source.
NONE = -1


def medoid(values: Stack) -> NDArray[np.int16]:
    """The date whose distances to all the others sum up to the least (Flood 2013, "Seasonal composite Landsat images").

    Args:
        values: (source, band, y, x); NaN where a source is not to be used. A source counts where all its bands are finite.

    Returns:
        Index of a source, (y, x); ``NONE`` where none counts.
    """
    result = np.full(values.shape[2:], NONE, dtype=np.int16)
    _medoid(np.ascontiguousarray(values), result)
    return result


def latest(values: Stack) -> NDArray[np.int16]:
    """The last date that counts; arguments and result as of ``medoid``."""
    usable: NDArray[np.bool_] = np.asarray(np.all(np.isfinite(values), axis=1))
    last = usable.shape[0] - 1 - np.argmax(usable[::-1], axis=0)
    return np.where(usable.any(axis=0), last, NONE).astype(np.int16)


def best(values: Stack, scores: Stack) -> NDArray[np.int16]:
    """The date of the highest score.

    Args:
        values: Values as in ``medoid``.
        scores: (source, y, x); the higher, the better. NaN: not known, which is worse than any.
    """
    usable = np.isfinite(values).all(axis=1)
    scored = np.where(usable, np.nan_to_num(scores, nan=-1e30), -np.inf)
    return np.where(usable.any(axis=0), np.argmax(scored, axis=0), NONE).astype(np.int16)


def nearest(values: Stack, centre: Stack) -> NDArray[np.int16]:
    """The date that is nearest to a statistic of all: what shows best where the statistic comes from.

    Args:
        values: Values as in ``medoid``.
        centre: (band, y, x).
    """
    result = np.full(values.shape[2:], NONE, dtype=np.int16)
    _nearest(np.ascontiguousarray(values), np.ascontiguousarray(centre), result)
    return result


def taken(values: Stack, source: NDArray[np.int16]) -> Stack:
    """The values of the chosen dates, (band, y, x); NaN where none was chosen."""
    index = np.maximum(source, 0)[np.newaxis, np.newaxis].astype(np.intp)
    chosen: Stack = np.take_along_axis(values, np.broadcast_to(index, (1, *values.shape[1:])), axis=0)[0]
    return np.where(source == NONE, np.float32(np.nan), chosen)


@compiled
def _medoid(values: Stack, result: NDArray[np.int16]) -> None:  # noqa: C901 (compiled functions call none of ours)
    sources, bands, height, width = values.shape
    points, names = np.empty((sources + 1, bands), dtype=np.float64), np.empty(sources + 1, dtype=np.int64)
    sums = np.empty(sources + 1, dtype=np.float64)
    for y in range(height):
        for x in range(width):
            n = 0
            for s in range(sources):
                usable = True
                for b in range(bands):
                    points[n, b] = values[s, b, y, x]
                    usable = usable and np.isfinite(points[n, b])
                names[n] = s
                n += usable
            sums[:n] = 0.0
            for s in range(n):
                for t in range(s + 1, n):
                    square = 0.0
                    for b in range(bands):
                        square += (points[s, b] - points[t, b]) ** 2
                    distance = np.sqrt(square)
                    sums[s] += distance
                    sums[t] += distance
            least = 0
            for s in range(1, n):
                if sums[s] < sums[least]:
                    least = s
            if n:
                result[y, x] = names[least]


@compiled
def _nearest(values: Stack, centre: Stack, result: NDArray[np.int16]) -> None:
    sources, bands, height, width = values.shape
    least, squares = np.empty(width, dtype=np.float64), np.empty(width, dtype=np.float64)
    for y in range(height):
        least[:] = np.inf
        out = result[y]
        for s in range(sources):
            squares[:] = 0.0
            for b in range(bands):
                line, middle = values[s, b, y], centre[b, y]
                for x in range(width):
                    squares[x] += (np.float64(line[x]) - np.float64(middle[x])) ** 2
            for x in range(width):
                nearer = squares[x] < least[x]
                least[x] = squares[x] if nearer else least[x]
                out[x] = s if nearer else out[x]
