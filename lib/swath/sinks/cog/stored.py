"""Read back what was stored in a published file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from swath.stores.base import Store

#: Rows of one block.
_ROWS = 512


@contextmanager
def stored_raster(path: str, *, store: Store) -> Iterator[rasterio.DatasetReader]:
    """A published raster, open; its bytes come by way of the store, which knows who we are and whom we trust."""
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        store.open(path) as file,
        rasterio.open(file, driver="GTiff") as source,
    ):
        yield source


def stored_rows(path: str, *, store: Store) -> Iterator[NDArray[np.integer]]:
    """Stored values, (y, x), a row of blocks at a time."""
    with stored_raster(path, store=store) as source:
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
