"""Bilinear values of a raster with voids, as machine code."""

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def bilinear_at(  # noqa: PLR0917 (compiled functions take positions)
    part: Floats, columns: Floats, rows: Floats, out: Floats
) -> None:
    """Bilinear values at places counted from the centre of the first pixel, (n,), of the valid among their four pixels.

    Args:
        part: Pixels, (y, x); NaN in voids.
        columns: Columns [px], (n,).
        rows: Rows [px], (n,).
        out: Filled; NaN where all four are void.
    """
    height, width = part.shape
    for i in range(columns.size):
        col, row = int(columns[i]), int(rows[i])
        right, down = columns[i] - col, rows[i] - row
        total, weights = 0.0, 0.0
        for r in range(2):
            for c in range(2):
                share = (down if r else 1.0 - down) * (right if c else 1.0 - right)
                value = part[min(row + r, height - 1), min(col + c, width - 1)]
                if not np.isnan(value):
                    total += value * share
                    weights += share
        out[i] = total / weights if weights > 0.0 else np.nan
