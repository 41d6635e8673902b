"""Read back what was stored in a published file."""

from collections.abc import Iterator, Mapping
from pathlib import Path

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
        yield from _rows(source)


def stored_levels(one: Path, other: Path) -> Iterator[Iterator[tuple[NDArray[np.integer], NDArray[np.integer]]]]:
    """Two files of one shape side by side: for each level, full resolution first, their rows of blocks, (y, x)."""
    with rasterio.open(one) as source:
        levels = len(source.overviews(1))
    for level in range(levels + 1):
        wanted = {"overview_level": level - 1} if level else {}
        with rasterio.open(one, **wanted) as source, rasterio.open(other, **wanted) as beside:
            yield zip(_rows(source), _rows(beside), strict=True)


def _rows(source: rasterio.DatasetReader) -> Iterator[NDArray[np.integer]]:
    for row in range(0, source.height, _ROWS):
        rows: NDArray[np.integer] = source.read(1, window=Window(0, row, source.width, min(_ROWS, source.height - row)))
        yield rows
