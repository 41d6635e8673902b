"""Mean and dilation over a disk, as s2cloudless makes a mask of probabilities (Zupanc 2017; OpenCV's disk and border rules)."""

import numpy as np
from numpy.typing import NDArray


def disk(radius: int) -> NDArray[np.bool_]:
    """The pixels of a filled circle by the midpoint algorithm that OpenCV draws with, (2 radius + 1, 2 radius + 1)."""
    made = np.zeros((2 * radius + 1, 2 * radius + 1), dtype=np.bool_)
    error, across, down, plus, minus = 0, radius, 0, 1, 2 * radius - 1
    while across >= down:
        for half, rows in ((across, down), (down, across)):
            for row in (radius - rows, radius + rows):
                made[row, radius - half : radius + half + 1] = True
        down, error, plus = down + 1, error + plus, plus + 2
        if error > 0:
            across, error, minus = across - 1, error - minus, minus - 2
    return made


def mean_over_disk(values: NDArray[np.float32], *, radius: int) -> NDArray[np.float32]:
    """Mean of each pixel's disk, in float32 and a fixed order; (y, x) of an array with ``radius`` pixels more on each side."""
    shape = disk(radius)
    weight = np.float32(1.0 / np.count_nonzero(shape))
    height, width = values.shape[0] - 2 * radius, values.shape[1] - 2 * radius
    mean = np.zeros((height, width), dtype=np.float32)
    for row, col in zip(*np.nonzero(shape), strict=True):
        mean += values[row : row + height, col : col + width] * weight
    return mean


def grown_by_disk(marked: NDArray[np.bool_], *, radius: int) -> NDArray[np.bool_]:
    """Pixels with a marked one in their disk; (y, x) of an array with ``radius`` pixels more on each side."""
    height, width = marked.shape[0] - 2 * radius, marked.shape[1] - 2 * radius
    found = np.zeros((height, width), dtype=np.bool_)
    for row, col in zip(*np.nonzero(disk(radius)), strict=True):
        found |= marked[row : row + height, col : col + width]
    return found
