"""Read back what was stored in a published file."""

from collections.abc import Iterator, Mapping

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

#: Rows of one block.
_ROWS = 512


def stored_rows(path: str, *, options: Mapping[str, str]) -> Iterator[NDArray[np.integer]]:
    """Stored values, (y, x), a row of blocks at a time.

    Args:
        path: As GDAL opens it.
        options: GDAL's, for the store that it lies in.
    """
    with rasterio.Env(**options), rasterio.open(path) as source:
        for row in range(0, source.height, _ROWS):
            rows: NDArray[np.integer] = source.read(1, window=Window(0, row, source.width, min(_ROWS, source.height - row)))
            yield rows
