"""Raster files written strip by strip, in the layouts of real deliveries."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.env import Env
from rasterio.io import DatasetWriter
from rasterio.shutil import copy as copy_raster
from rasterio.transform import Affine
from rasterio.windows import Window as RasterWindow

from swath.grid import Grid

#: GDAL keeps at most this much of unwritten blocks [MB]; strips are whole rows of blocks, so more would not help.
CACHE_MB: Final = 64
#: The layout of Landsat Collection 2 files.
LANDSAT_LAYOUT: Final[Mapping[str, Any]] = {
    "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "DEFLATE", "predictor": 2, "zlevel": 6,
}  # fmt: skip
#: Fast and common: what the benchmark reads.
PLAIN_LAYOUT: Final[Mapping[str, Any]] = {
    "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "DEFLATE", "predictor": 2, "zlevel": 1,
}  # fmt: skip
#: A way station to JPEG 2000, which GDAL can only copy from a finished file.
STATION_LAYOUT: Final[Mapping[str, Any]] = {"tiled": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterSpec:
    """A raster to be written: one band, north-up."""

    path: Path
    grid: Grid
    dtype: str
    nodata: int | None = None
    layout: Mapping[str, Any] = field(default_factory=lambda: PLAIN_LAYOUT)


class RasterSet:
    """Rasters that are open for writing together; a context manager."""

    def __init__(self, specs: Mapping[str, RasterSpec]) -> None:
        self._specs = specs
        self._open: dict[str, DatasetWriter] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Create the files."""
        self._stack.enter_context(gdal_limits())
        for name, spec in self._specs.items():
            spec.path.parent.mkdir(parents=True, exist_ok=True)
            self._open[name] = self._stack.enter_context(_create(spec))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Finish the files."""
        self._stack.close()

    @property
    def names(self) -> tuple[str, ...]:
        """What the set holds."""
        return tuple(self._specs)

    def write(self, name: str, values: NDArray[np.generic], *, row: int) -> None:
        """Write full-width rows, (y, x), from ``row`` on."""
        height, width = values.shape
        self._open[name].write(values, 1, window=RasterWindow(0, row, width, height))


def gdal_limits() -> Env:
    """One thread, little cache, and no side files."""
    return Env(GDAL_CACHEMAX=CACHE_MB, GDAL_NUM_THREADS="1", OPJ_NUM_THREADS="1", GDAL_PAM_ENABLED="NO")


def _create(spec: RasterSpec) -> DatasetWriter:
    layout = dict(spec.layout)
    if layout.get("tiled") and min(spec.grid.width, spec.grid.height) < layout["blockxsize"]:
        # Real small rasters have one block; GDAL wants multiples of 16.
        side = max(16, min(layout["blockxsize"], -(-max(spec.grid.width, spec.grid.height) // 16) * 16))
        layout["blockxsize"] = layout["blockysize"] = side
    return rasterio.open(
        spec.path,
        "w",
        driver="GTiff",
        width=spec.grid.width,
        height=spec.grid.height,
        count=1,
        dtype=spec.dtype,
        crs=spec.grid.crs,
        transform=Affine(*spec.grid.transform),
        nodata=spec.nodata,
        **layout,
    )


def to_jpeg2000(station: Path, target: Path, *, tile: int) -> None:
    """Turn a finished raster into lossless JPEG 2000 with codestream tiles of ``tile`` pixels, and remove it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with gdal_limits():
        copy_raster(
            station,
            target,
            driver="JP2OpenJPEG",
            QUALITY="100",
            REVERSIBLE="YES",
            YCBCR420="NO",
            BLOCKXSIZE=str(tile),
            BLOCKYSIZE=str(tile),
        )
    station.unlink()


def cuts(length: int, step: int) -> Iterator[tuple[int, int]]:
    """Starts and stops that cut ``length`` into pieces of ``step``, the last one shorter."""
    for start in range(0, length, step):
        yield start, min(start + step, length)
