"""Windows of COGs for the screen: web-map tiles, small overviews and single pixels, read by rio-tiler.

rio-tiler takes a second to load, so it is loaded by the first reader (the server does so while the browser loads its page).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.compiled import absent

#: Side of a tile [px].
TILE_PX = 256
Stored = NDArray[Any]
_LOADING = Lock()


@lru_cache(maxsize=1)
def _load() -> None:
    with absent("boto3"):
        import rio_tiler.io  # noqa: PLC0415, F401  see above


def load() -> None:
    """Load what reads, without boto3 unless that is there: only outputs on S3 pay for it.

    One thread at a time: rio-tiler's modules import each other in a circle, which two threads would find half done.
    """
    with _LOADING:
        _load()


def read_tile(name: str, *, z: int, x: int, y: int, smooth: bool) -> tuple[Stored, NDArray[np.bool_]] | None:
    """A web-map tile of a raster.

    Args:
        name: The file, as GDAL opens it.
        z: Zoom level.
        x: Column of the tile.
        y: Row of the tile.
        smooth: Interpolate between pixels and average overviews; otherwise the nearest pixel, as classes and bits need it.

    Returns:
        Stored values and where they are valid, each (y, x); None where the raster has nothing of the tile.
    """
    load()
    from rio_tiler.errors import TileOutsideBounds  # noqa: PLC0415

    method = "bilinear" if smooth else "nearest"
    with _reader(name) as reader:
        try:
            image = reader.tile(x, y, z, tilesize=TILE_PX, indexes=1, resampling_method=method, reproject_method=method)
        except TileOutsideBounds:
            return None
    return image.array.data[0], ~np.ma.getmaskarray(image.array)[0]


def read_picture_tile(
    pixels: NDArray[np.uint8], *, z: int, x: int, y: int, transform: Sequence[float], crs: str
) -> NDArray[np.uint8] | None:
    """A web-map tile of a picture.

    Args:
        pixels: The picture, (y, x, band).
        z: Zoom level.
        x: Column of the tile.
        y: Row of the tile.
        transform: Six numbers from pixel to place, as STAC writes them.
        crs: Reference system of the transform.

    Returns:
        The tile, (band, y, x); None where the picture has nothing of it.
    """
    load()
    from rasterio.io import MemoryFile  # noqa: PLC0415  GDAL
    from rasterio.transform import Affine  # noqa: PLC0415
    from rio_tiler.errors import TileOutsideBounds  # noqa: PLC0415
    from rio_tiler.io import Reader  # noqa: PLC0415

    height, width, bands = pixels.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": bands, "dtype": "uint8", "crs": crs}
    with MemoryFile() as memory:
        with memory.open(**profile, transform=Affine(*transform)) as written:
            written.write(np.moveaxis(pixels, -1, 0))
        with memory.open() as opened, Reader(None, dataset=opened) as reader:
            try:
                image = reader.tile(x, y, z, tilesize=TILE_PX, indexes=tuple(range(1, bands + 1)), reproject_method="bilinear")
            except TileOutsideBounds:
                return None
    tile: NDArray[np.uint8] = image.array.data
    return tile


def read_small(name: str, *, side: int) -> tuple[Stored, NDArray[np.bool_]]:
    """A raster shrunk to ``side`` pixels: stored values and where they are valid, each (y, x)."""
    with _reader(name) as reader:
        image = reader.preview(max_size=side, indexes=1)
    return image.array.data[0], ~np.ma.getmaskarray(image.array)[0]


def read_pixel(name: str, *, lon_deg: float, lat_deg: float) -> tuple[float, bool] | None:
    """The stored value of the pixel at a place and whether it is valid; None outside of the raster."""
    load()
    from rio_tiler.errors import PointOutsideBounds  # noqa: PLC0415

    with _reader(name) as reader:
        try:
            point = reader.point(lon_deg, lat_deg, indexes=1)
        except PointOutsideBounds:
            return None
    return point.array.data[0].item(), not bool(np.ma.getmaskarray(point.array)[0])


@contextmanager
def _reader(name: str) -> Iterator[Any]:
    load()
    import rasterio  # noqa: PLC0415
    from rio_tiler.io import Reader  # noqa: PLC0415

    from swath.readers.files.gdal_env import gdal_env, openable  # noqa: PLC0415

    # A list of other files that calls itself a TIFF is not opened, whatever the catalogue's origin.
    with (
        gdal_env(name),
        rasterio.open(openable(name), driver="GTiff") as opened,
        Reader(None, dataset=opened) as reader,
    ):
        yield reader
