"""Neighbourhood filters that give each pixel the same bits however the image was cut."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Pixels worked on at once: a few arrays of them stay in a core's cache.
_BATCH_PX: Final = 32_768


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
    halo = size // 2
    height, width = values.shape[0] - 2 * halo, values.shape[1] - 2 * halo
    mean = np.empty((height, width))
    step = max(4 * size, _BATCH_PX // values.shape[1])
    for row in range(0, height, step):
        stop = min(row + step, height)
        mean[row:stop] = _mean_of_batch(values[row : stop + 2 * halo], size=size)
    return mean


def _mean_of_batch(values: NDArray[np.float64], *, size: int) -> NDArray[np.float64]:
    valid = ~np.isnan(values)
    mean: NDArray[np.float64]
    if valid.all():
        mean = _box_sum(values, size=size) / float(size * size)
        return mean
    sums = _box_sum(np.where(valid, values, 0.0), size=size)
    counts = _box_sum(valid.astype(np.uint16), size=size)
    halo = size // 2
    centre = valid[halo : halo + sums.shape[0], halo : halo + sums.shape[1]]
    mean = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=centre)
    return mean


def _box_sum(values: NDArray[Any], *, size: int) -> NDArray[Any]:
    height, width = values.shape[0] - size + 1, values.shape[1] - size + 1
    columns = values[:height] + values[1 : 1 + height]
    for shift in range(2, size):
        columns += values[shift : shift + height]
    total: NDArray[Any] = columns[:, :width] + columns[:, 1 : 1 + width]
    for shift in range(2, size):
        total += columns[:, shift : shift + width]
    return total
