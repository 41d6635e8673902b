"""Windowed reads of a scene's bands, each file kept open while its strips are worked on."""

import contextlib
import warnings
from collections import OrderedDict
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window as RasterioWindow

from swath.errors import ReadError
from swath.grid import Window
from swath.pipeline import Layer
from swath.readers.files.gdal_env import TRUSTED_DRIVERS, gdal_env, openable
from swath.readers.files.patient import patiently
from swath.readers.files.remote import recall
from swath.readers.pixels.deflated import LARGEST_BLOCK, DeflatedBand
from swath.readers.pixels.delivered import delivered
from swath.readers.pixels.kept_blocks import Decode, KeptBlocks
from swath.readers.pixels.mask_blocks import ReadMask, band_of, kept_mask, mask_of
from swath.readers.pixels.parts import of_parts
from swath.scene import Asset, Delivered

#: Files kept open at once: a scene has at most 15 bands.
OPEN_FILES = 32
#: GDAL's own share of a block in its cache, and what the cache is at least and at most [bytes].
_BLOCK_OVERHEAD, _LEAST_CACHE, _MOST_CACHE = 256, 16 << 20, 256 << 20
#: Blocks with a shorter side [px] are left to GDAL: those of files in strips.
_SMALLEST_SIDE = 64


class BandReader:
    """Reads windows; those that go across the scene, then down, find blocks that they share decoded already."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, rasterio.DatasetReader] = OrderedDict()
        self._blocks: dict[tuple[str, int], KeptBlocks | None] = {}
        self._deflated: dict[tuple[str, int], DeflatedBand] = {}
        self._cached: dict[str, int] = {}
        self._masks: dict[tuple[str, int], KeptBlocks | None] = {}
        self._sidecars: dict[str, rasterio.DatasetReader] = {}

    def read(self, scene: Delivered, band: str, window: Window) -> Layer:
        """Delivered numbers of one window of one band.

        Returns:
            Integers, (y, x), on the asset's grid; ``valid`` is False at nodata and where the file's mask says so (None when
            the band has neither).

        Raises:
            ReadError: The file is missing, truncated, corrupt, not what ingest saw, or of numbers that are no DN.
        """
        asset = scene.assets[band]
        if asset.parts:
            return of_parts(asset, window, read=lambda own, part: self._read(scene, own, part))
        return self._read(scene, asset, window)

    def _read(self, scene: Delivered, asset: Asset, window: Window) -> Layer:
        """Delivered numbers of one window of one file."""
        band = asset.band.name
        recall(scene, asset.href)
        try:
            values, mask = patiently(lambda: self._once(asset, window), href=asset.href, forget=lambda: self._close(asset.href))
        except RasterioError as error:
            raise ReadError(
                f"band {band} ({asset.band.native_id}) cannot be read",
                expected="an intact raster",
                got=f"{asset.href}: {_cause(error)}",
                remedy="Fetch the file again, then run `swath retry`.",
                scene_id=scene.scene_id,
            ) from error
        expected = asset.stored.dtype if asset.stored is not None else asset.dtype
        if values.dtype != np.dtype(expected):
            raise ReadError(
                f"band {band} has another type than at ingest",
                expected=expected,
                got=str(values.dtype),
                remedy="The file changed after it was ingested; ingest the scene again.",
                scene_id=scene.scene_id,
            )
        try:
            values, valid = delivered(values, asset=asset, mask=mask)
        except ReadError as error:
            raise error.of(scene.scene_id) from None
        return Layer(values=values, grid=asset.grid, window=window, valid=valid)

    def _once(self, asset: Asset, window: Window) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        values = self._past_gdal(asset, window)
        if values is not None:
            return values, None
        with gdal_env(asset.href):
            dataset = self._dataset(asset)
        with gdal_env(asset.href, cache_bytes=self._cache_bytes(asset, window)):
            return self._values(asset, window, dataset=dataset), self._mask(asset, window, dataset=dataset)

    def _past_gdal(self, asset: Asset, window: Window) -> NDArray[Any] | None:
        """Pixels of an open band whose blocks are decoded here: GDAL's options, which take longer to set, are not needed."""
        key = (asset.href, asset.band_index)
        kept = self._blocks.get(key) if asset.mask is None and key in self._deflated else None
        if kept is None:
            return None
        self._open.move_to_end(asset.href)
        return kept.read(window)

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

    def _cache_bytes(self, asset: Asset, window: Window) -> int:
        """What GDAL has to keep so that it decodes no block twice while windows go across the scene, then down."""
        # A mask beside the bands has at most as many bytes.
        self._cached[asset.href] = _bytes_to_keep(self._open[asset.href], window) * (1 if asset.mask is None else 2)
        return min(max(sum(self._cached.values()), _LEAST_CACHE), _MOST_CACHE)

    def _values(self, asset: Asset, window: Window, *, dataset: rasterio.DatasetReader) -> NDArray[Any]:
        """Pixels of a window: by blocks that we keep where the file is tiled, with GDAL's cache otherwise."""
        key = (asset.href, asset.band_index)
        if key not in self._blocks:
            self._blocks[key] = self._kept_blocks(dataset, asset)
        kept = self._blocks[key]
        values = kept.read(window) if kept is not None else None
        if values is not None:
            return values
        if key in self._deflated:
            if self._deflated[key].damage:
                raise RasterioError(self._deflated[key].damage)
            self._deflated.pop(key).close()
            self._blocks[key] = _by_gdal(dataset, asset.band_index)
        return band_of(dataset, asset.band_index, window)

    def _mask(self, asset: Asset, window: Window, *, dataset: rasterio.DatasetReader) -> NDArray[np.bool_] | None:
        """Where the file's mask says data, (y, x); None, at no cost, where ingest found none."""
        if asset.mask is None:
            return None
        key = (asset.href, asset.band_index)
        read = self._mask_source(asset, dataset=dataset)
        if key not in self._masks:
            on = self._sidecars.get(asset.href, dataset)
            self._masks[key] = kept_mask(on, asset, read=read) if _tiled(on) else None
        kept = self._masks[key]
        values = kept.read(window) if kept is not None else None
        return np.not_equal(read(window) if values is None else values, 0)

    def _mask_source(self, asset: Asset, *, dataset: rasterio.DatasetReader) -> ReadMask:
        """What reads the mask: GDAL's own of the band, the alpha band, or the file beside it."""
        mask = asset.mask
        if mask is not None and mask.kind == "sidecar":
            if asset.href not in self._sidecars:
                self._sidecars[asset.href] = _beside(mask.href, dataset)
            dataset = self._sidecars[asset.href]
            return partial(band_of, dataset, min(asset.band_index, dataset.count))
        if mask is not None and mask.kind == "alpha":
            return partial(band_of, dataset, mask.band_index)
        return partial(mask_of, dataset, asset.band_index)

    def _kept_blocks(self, dataset: rasterio.DatasetReader, asset: Asset) -> KeptBlocks | None:
        if not _tiled(dataset):
            return None
        deflated = None if asset.href.startswith("/vsi") else DeflatedBand.of(dataset, asset.band_index)
        if deflated is None:
            return _by_gdal(dataset, asset.band_index)
        self._deflated[asset.href, asset.band_index] = deflated
        return _kept(dataset, asset.band_index, decode=deflated.decode, together=False)

    def _close_one(self, *, last: bool) -> None:
        self._close(next(reversed(self._open) if last else iter(self._open)))

    def _close(self, href: str) -> None:
        """Close a file, if it is open, and forget what was decoded of it."""
        dataset = self._open.pop(href, None)
        if dataset is None:
            return
        self._cached.pop(href, None)
        for key in [k for k in self._blocks if k[0] == href]:
            del self._blocks[key]
            self._masks.pop(key, None)
            if key in self._deflated:
                self._deflated.pop(key).close()
        if href in self._sidecars:
            self._sidecars.pop(href).close()
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
    likely = {".jp2": "JP2OpenJPEG", ".ntf": "NITF", "nitf": "NITF"}.get(href.lower()[-4:], "GTiff")
    try:
        return rasterio.open(name, driver=likely)
    except RasterioError:
        for other in (d for d in TRUSTED_DRIVERS if d != likely):
            with contextlib.suppress(RasterioError):
                return rasterio.open(name, driver=other)
        raise


def _beside(href: str, dataset: rasterio.DatasetReader) -> rasterio.DatasetReader:
    """The mask of ``dataset`` in a file of its own.

    Raises:
        ReadError: The mask has another size.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # it has the raster's own grid
        beside = _opened(href)
    if (beside.width, beside.height) != (dataset.width, dataset.height):
        raise ReadError(
            "a mask does not match the raster beside it",
            expected=f"{dataset.width} x {dataset.height}",
            got=f"{href} of {beside.width} x {beside.height}",
            remedy="Remove the mask, or make it again.",
        )
    return beside


def _tiled(dataset: rasterio.DatasetReader) -> bool:
    """Whether blocks are large enough to be worth a look at each, and not too large to keep."""
    height, width = dataset.block_shapes[0]
    size = height * width * np.dtype(dataset.dtypes[0]).itemsize
    return bool(min(height, width) >= _SMALLEST_SIDE and size <= LARGEST_BLOCK)


def _by_gdal(dataset: rasterio.DatasetReader, index: int) -> KeptBlocks:
    """Blocks as GDAL decodes them."""
    height, width = dataset.block_shapes[index - 1]

    def decode(row: int, columns: tuple[int, int], *, rows: int) -> NDArray[Any]:
        del rows  # a part of a block costs GDAL as much as the whole
        top, left = row * height, columns[0] * width
        part = RasterioWindow(left, top, min(columns[1] * width, dataset.width) - left, min(top + height, dataset.height) - top)
        decoded: NDArray[Any] = dataset.read(index, window=part)
        return decoded

    return _kept(dataset, index, decode=decode, together=True)


def _kept(dataset: rasterio.DatasetReader, index: int, *, decode: Decode, together: bool) -> KeptBlocks:
    size, dtype = (dataset.height, dataset.width), np.dtype(dataset.dtypes[index - 1])
    return KeptBlocks(size, dataset.block_shapes[index - 1], dtype=dtype, decode=decode, together=together)


def _bytes_to_keep(dataset: rasterio.DatasetReader, window: Window) -> int:
    """Decoded size of what GDAL meets in one row of windows; of tiled files in one window, for other bands."""
    height, width = dataset.block_shapes[0]
    down = -(-window.row_stop // height) - window.row // height
    across = -(-dataset.width // width)
    if _tiled(dataset):
        if dataset.count == 1:
            return 0
        across = -(-window.col_stop // width) - window.col // width
    size = height * width * np.dtype(dataset.dtypes[0]).itemsize
    return int(dataset.count * down * across * (size + _BLOCK_OVERHEAD))


def _cause(error: BaseException) -> str:
    """GDAL's own words, which rasterio keeps as the cause."""
    return str(error.__cause__ or error)
