"""Windows of a mask: by GDAL, and by blocks of the file that it is in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window as RasterioWindow

from swath.grid import Window
from swath.readers.pixels.kept_blocks import KeptBlocks
from swath.scene import Asset

#: Reads a window of a mask: 0 where there is no data.
ReadMask = Callable[[Window], NDArray[Any]]


def _part(window: Window) -> RasterioWindow:
    return RasterioWindow(window.col, window.row, window.width, window.height)


def band_of(dataset: rasterio.DatasetReader, index: int, window: Window) -> NDArray[Any]:
    """Pixels of a window of a band, (y, x), by GDAL."""
    pixels: NDArray[Any] = dataset.read(index, window=_part(window))
    return pixels


def mask_of(dataset: rasterio.DatasetReader, index: int, window: Window) -> NDArray[Any]:
    """The mask that GDAL knows of a band, uint8, (y, x); 0 where there is no data."""
    pixels: NDArray[Any] = dataset.read_masks(index, window=_part(window))
    return pixels


def kept_mask(on: rasterio.DatasetReader, asset: Asset, *, read: ReadMask) -> KeptBlocks:
    """The mask by blocks of the file that it is in: none is decoded twice."""
    (height, width), everything = on.block_shapes[0], Window(0, 0, on.height, on.width)
    dtype = np.dtype(on.dtypes[asset.mask.band_index - 1]) if asset.mask and asset.mask.band_index else np.dtype(np.uint8)

    def decode(row: int, columns: tuple[int, int], *, rows: int) -> NDArray[Any]:
        del rows  # a part of a block costs GDAL as much as the whole
        return read(Window(row * height, columns[0] * width, height, (columns[1] - columns[0]) * width).clip(everything))

    return KeptBlocks((on.height, on.width), (height, width), dtype=dtype, decode=decode, together=True)
