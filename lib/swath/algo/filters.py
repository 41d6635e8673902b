"""Neighbourhood filters that give each pixel the same bits however the image was cut."""

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled


def mean_of_valid(values: NDArray[np.float64], *, size: int) -> NDArray[np.float64]:
    """Mean over the valid pixels of a square around each pixel.

    Sums are added in a fixed order from the pixel's own neighbours, never as running sums along the image, whose
    rounding would depend on where the image begins.

    Args:
        values: (y + size - 1, x + size - 1), NaN where invalid or beyond the grid.
        size: Pixels across the square, odd, above 1.

    Returns:
        (y, x); NaN where the pixel itself is invalid.
    """
    mean = np.empty((values.shape[0] - size + 1, values.shape[1] - size + 1))
    # A sum tells of a NaN for less than a look at each value.
    work = _mean_of_valid if np.isnan(values.sum()) else _mean_of_all
    work(np.ascontiguousarray(values), size, mean)
    return mean


@compiled
def _mean_of_all(values: NDArray[np.float64], size: int, mean: NDArray[np.float64]) -> None:
    """As below where every pixel is valid: the same sums, and the counts are known."""
    columns, totals = np.empty(values.shape[1]), np.empty(mean.shape[1])
    for y in range(mean.shape[0]):
        columns[:] = 0.0
        for shift in range(size):
            for x in range(columns.size):
                columns[x] += values[y + shift, x]
        totals[:] = 0.0
        for shift in range(size):
            for x in range(totals.size):
                totals[x] += columns[x + shift]
        for x in range(totals.size):
            mean[y, x] = totals[x] / (size * size)


@compiled
def _mean_of_valid(values: NDArray[np.float64], size: int, mean: NDArray[np.float64]) -> None:
    halo, width = size // 2, mean.shape[1]
    columns, counts = np.empty(values.shape[1]), np.empty(values.shape[1])
    totals, numbers = np.empty(width), np.empty(width)
    for y in range(mean.shape[0]):
        # Down each column, then across columns, in order.
        columns[:] = 0.0
        counts[:] = 0.0
        for shift in range(size):
            row = values[y + shift]
            for x in range(columns.size):
                valid = row[x] == row[x]  # False for NaN alone
                columns[x] += row[x] if valid else 0.0
                counts[x] += 1.0 if valid else 0.0
        totals[:] = 0.0
        numbers[:] = 0.0
        for shift in range(size):
            for x in range(width):
                totals[x] += columns[x + shift]
                numbers[x] += counts[x + shift]
        centre = values[y + halo]
        for x in range(width):
            own = centre[x + halo]
            mean[y, x] = np.nan if np.isnan(own) else totals[x] / numbers[x]
