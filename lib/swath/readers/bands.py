"""Windowed reads of a scene's bands, each file kept open while its strips are worked on."""

import contextlib
from collections import OrderedDict
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from swath.errors import ReadError
from swath.grid import Window
from swath.pipeline import Layer
from swath.readers.deflated import DeflatedBand
from swath.readers.gdal_env import TRUSTED_DRIVERS, gdal_env, openable
from swath.scene import Asset, Scene

#: Files kept open at once: a scene has at most 15 bands.
OPEN_FILES = 32
#: Rows of blocks of each open file that stay decoded: a window with a halo meets a block row and its neighbour.
_BLOCK_ROWS = 2
#: GDAL's own share of a block in its cache, and what the cache is at least [bytes].
_BLOCK_OVERHEAD, _LEAST_CACHE = 256, 16 << 20


class BandReader:
    """Reads windows; consecutive windows of a band find its decoded blocks in GDAL's cache."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, rasterio.DatasetReader] = OrderedDict()
        self._deflated: dict[tuple[str, int], DeflatedBand | None] = {}

    def read(self, scene: Scene, band: str, window: Window) -> Layer:
        """Delivered numbers of one window of one band.

        Returns:
            Integers, (y, x), on the asset's grid; ``valid`` is False at nodata (None when the band has no nodata).

        Raises:
            ReadError: The file is missing, truncated, corrupt, or not what ingest saw.
        """
        asset = scene.assets[band]
        try:
            with gdal_env(asset.href):
                dataset = self._dataset(asset)
            values = self._past_gdal(asset, window, dataset=dataset)
            if values is None:
                with gdal_env(asset.href, cache_bytes=self._cache_bytes()):
                    part = RasterioWindow(window.col, window.row, window.width, window.height)
                    values = dataset.read(asset.band_index, window=part)
        except RasterioError as error:
            raise ReadError(
                f"band {band} ({asset.band.native_id}) cannot be read",
                expected="an intact raster",
                got=f"{asset.href}: {_cause(error)}",
                remedy="Fetch the file again, then run `swath retry`.",
                scene_id=scene.scene_id,
            ) from error
        if values.dtype != np.dtype(asset.dtype):
            raise ReadError(
                f"band {band} has another type than at ingest",
                expected=asset.dtype,
                got=str(values.dtype),
                remedy="The file changed after it was ingested; ingest the scene again.",
                scene_id=scene.scene_id,
            )
        return Layer(values=values, grid=asset.grid, window=window, valid=_valid(values, asset=asset))

    def _dataset(self, asset: Asset) -> rasterio.DatasetReader:
        dataset = self._open.get(asset.href)
        if dataset is None:
            dataset = _opened(asset.href)
            self._open[asset.href] = dataset
            while len(self._open) > OPEN_FILES:
                self._close_one(last=False)
        self._open.move_to_end(asset.href)
        if (dataset.width, dataset.height) != (asset.grid.width, asset.grid.height):
            raise ReadError(
                "a raster has another size than at ingest",
                expected=f"{asset.grid.width} x {asset.grid.height}",
                got=f"{asset.href} of {dataset.width} x {dataset.height}",
                remedy="The file changed after it was ingested; ingest the scene again.",
            )
        if asset.band_index > dataset.count:
            raise ReadError(
                "a raster has fewer bands than at ingest",
                expected=f"band {asset.band_index}",
                got=f"{asset.href} of {dataset.count}",
                remedy="The file changed after it was ingested; ingest the scene again.",
            )
        return dataset

    def _cache_bytes(self) -> int:
        """Enough that no block is decoded twice while windows go down the scene, and no more."""
        past = {href for (href, _), band in self._deflated.items() if band is not None}
        return max(sum(_BLOCK_ROWS * _block_row_bytes(d) for href, d in self._open.items() if href not in past), _LEAST_CACHE)

    def _past_gdal(self, asset: Asset, window: Window, *, dataset: rasterio.DatasetReader) -> NDArray[Any] | None:
        """Pixels of a file that can be read without GDAL."""
        if asset.href.startswith("/vsi"):
            return None
        key = (asset.href, asset.band_index)
        if key not in self._deflated:
            self._deflated[key] = DeflatedBand.of(dataset, asset.band_index)
        band = self._deflated[key]
        values = band.read(window) if band is not None else None
        if band is not None and values is None:
            # GDAL tells what is wrong with the file, if anything is.
            band.close()
            self._deflated[key] = None
        return values

    def _close_one(self, *, last: bool) -> None:
        href, dataset = self._open.popitem(last=last)
        for key in [k for k in self._deflated if k[0] == href]:
            band = self._deflated.pop(key)
            if band is not None:
                band.close()
        dataset.close()

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._close_one(last=True)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close all files."""
        self.close()


def _opened(href: str) -> rasterio.DatasetReader:
    """Open with the trusted drivers alone, the likelier one first."""
    name = openable(href)
    likely = "JP2OpenJPEG" if href.lower().endswith(".jp2") else "GTiff"
    try:
        return rasterio.open(name, driver=likely)
    except RasterioError:
        (other,) = (d for d in TRUSTED_DRIVERS if d != likely)
        with contextlib.suppress(RasterioError):
            return rasterio.open(name, driver=other)
        raise


def _block_row_bytes(dataset: rasterio.DatasetReader) -> int:
    """Decoded size of one full-width row of a file's blocks, all its bands."""
    height, width = dataset.block_shapes[0]
    across = -(-dataset.width // width)
    size = height * width * np.dtype(dataset.dtypes[0]).itemsize
    return int(dataset.count * across * (size + _BLOCK_OVERHEAD))


def _valid(values: NDArray[np.integer], *, asset: Asset) -> NDArray[np.bool_] | None:
    """Where a band has data, (y, x); None when it has no nodata. Residue becomes nodata in ``values`` itself."""
    if asset.nodata is None:
        return None
    if asset.residue is None:
        return np.asarray(values != asset.nodata)
    valid = np.asarray(values > asset.residue)
    if not valid.all():
        values[~valid] = asset.nodata
    return valid


def _cause(error: BaseException) -> str:
    """GDAL's own words, which rasterio keeps as the cause."""
    return str(error.__cause__ or error)
