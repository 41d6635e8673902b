"""Values of a raster at places between the centres of its pixels."""

import numpy as np
from numpy.typing import NDArray

from swath.simulator.noise import F64


def bilinear(values: NDArray[np.floating], columns: F64, rows: F64) -> F64:
    """Interpolate between the four centres around each place; beyond the outer centres their values go on.

    Args:
        values: The raster, (y, x).
        columns: Columns [px], any shape; the outer edge of the first pixel is 0.
        rows: Rows [px], of that shape.
    """
    height, width = values.shape
    x, y = np.clip(columns - 0.5, 0.0, width - 1.0), np.clip(rows - 0.5, 0.0, height - 1.0)
    left, top = np.minimum(x.astype(np.int64), width - 2), np.minimum(y.astype(np.int64), height - 2)
    right, below = x - left, y - top
    upper = values[top, left] * (1.0 - right) + values[top, left + 1] * right
    lower = values[top + 1, left] * (1.0 - right) + values[top + 1, left + 1] * right
    return np.asarray(upper * (1.0 - below) + lower * below, dtype=np.float64)
