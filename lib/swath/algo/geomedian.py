"""The geometric median of a stack of dates, and three distances of the dates from it.

The point whose distances to all dates sum up to the least (Roberts, Mueller and McIntyre 2017, "High-dimensional pixel
composites from Earth observation time series"), by Weiszfeld's iteration with the step of Vardi and Zhang (2000) at a date. The
distances are the median absolute deviations of Roberts, Dunn and Mueller (2018): Euclidean, cosine and Bray-Curtis.

The iteration begins at reflectance 0, as that of geomad 1.0.0 does (but for the first column of its array, where it begins at
the mean): where the dates form two groups it creeps towards the median, and both stop on the same side of it. It goes on to a
step of 3e-8, a third of the step at which the reference stops: then the median itself, the reference from 0 and the reference
from the mean are all within 2e-5 of it.

Pixels with few dates: none is NaN throughout; one is that date, at distance 0; of two, every point between them has the same sum,
and the one in the middle is taken. From three dates on the median is unique, but where all lie on one line.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

#: The iteration ends when a step is shorter than this [units of the values], or after so many steps.
STEP, STEPS = 3e-8, 10_000
#: Dates that are nearer than this to the point count as the point [units of the values].
_AT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """Medians over the dates of their distance from the geometric median, each (y, x) float32, NaN without a date.

    Args:
        euclidean: Distance [units of the values].
        cosine: One minus the cosine of the angle between the spectra [1].
        bray_curtis: Sum of the differences' sizes over the sum of the sums' sizes [1].
    """

    euclidean: NDArray[np.float32]
    cosine: NDArray[np.float32]
    bray_curtis: NDArray[np.float32]


def geomedian(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The geometric median over the sources.

    Args:
        values: (source, band, y, x); NaN where a source is not to be used. A source counts where all its bands are finite.

    Returns:
        (band, y, x); NaN where no source counts.
    """
    result = np.full(values.shape[1:], np.nan, dtype=np.float32)
    _geomedian(np.ascontiguousarray(values), result, STEP, STEPS, _AT)
    return result


def deviations(values: NDArray[np.float32], centre: NDArray[np.float32]) -> Deviations:
    """How far the sources are from their geometric median.

    Args:
        values: Values as in ``geomedian``.
        centre: (band, y, x), what ``geomedian`` gave of them.
    """
    found = np.full((3, *values.shape[2:]), np.nan, dtype=np.float32)
    _deviations(np.ascontiguousarray(values), np.ascontiguousarray(centre), found)
    return Deviations(euclidean=found[0], cosine=found[1], bray_curtis=found[2])


@compiled
def _geomedian(  # noqa: C901, PLR0912, PLR0917 (compiled functions take positions and call none of ours)
    values: NDArray[np.float32], result: NDArray[np.float32], step: float, steps: int, at: float
) -> None:
    sources, bands, height, width = values.shape
    points, here, move = np.empty((sources + 1, bands)), np.empty(bands), np.empty(bands)
    for y in range(height):
        for x in range(width):
            n, here[:] = 0, 0.0
            for s in range(sources):
                usable = True
                for b in range(bands):
                    points[n, b] = values[s, b, y, x]
                    usable = usable and np.isfinite(points[n, b])
                if usable:
                    here += points[n]
                    n += 1
            for b in range(bands):
                # Of one or two the mean is it.
                here[b] = 0.0 if n > 2 else here[b] / n if n else np.nan
            for _ in range(steps if n > 2 else 0):
                weight, equal, pull = 0.0, 0, 0.0
                move[:] = 0.0
                for s in range(n):
                    square = 0.0
                    for b in range(bands):
                        square += (points[s, b] - here[b]) ** 2
                    distance = np.sqrt(square)
                    if distance <= at:
                        equal += 1
                    else:
                        weight += 1.0 / distance
                        for b in range(bands):
                            move[b] += points[s, b] / distance
                for b in range(bands):
                    move[b] = move[b] / weight - here[b] if weight > 0.0 else 0.0
                    pull += move[b] ** 2
                pull = np.sqrt(pull)
                # At a date the others pull with this force; it stays when that is not more than the dates there hold.
                held = max(0.0, 1.0 - equal / (pull * weight)) if equal and pull > 0.0 else 1.0
                for b in range(bands):
                    here[b] += held * move[b]
                if held * pull < step:
                    break
            result[:, y, x] = here


@compiled
def _deviations(values: NDArray[np.float32], centre: NDArray[np.float32], found: NDArray[np.float32]) -> None:
    sources, bands, height, width = values.shape
    far = np.empty((3, sources), dtype=np.float64)
    for y in range(height):
        for x in range(width):
            n = 0
            for s in range(sources):
                square, dot, own, other, apart, both = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
                for b in range(bands):
                    v, c = np.float64(values[s, b, y, x]), np.float64(centre[b, y, x])
                    square += (v - c) ** 2
                    dot += v * c
                    own += v * v
                    other += c * c
                    apart += abs(v - c)
                    both += abs(v + c)
                if not np.isfinite(square):
                    continue
                far[0, n] = np.sqrt(square)
                far[1, n] = 1.0 - dot / np.sqrt(own * other) if own > 0.0 and other > 0.0 else 0.0
                far[2, n] = apart / both if both > 0.0 else 0.0
                n += 1
            if n == 0:
                continue
            for kind in range(3):
                ordered = np.sort(far[kind, :n])
                found[kind, y, x] = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2.0
