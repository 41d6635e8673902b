"""Rasters in degrees that are sampled at places: one file, or many tiles, of which only those that are needed are opened.

Values between the centres of pixels are bilinear, as GDAL's RPC transformer has them; a void among the four pixels is left out
of the mean, and where all four are void there is no value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from math import ceil, floor
from typing import Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from swath.errors import ReadError
from swath.grid import Grid
from swath.inputs import RasterKernel
from swath.mapping import project
from swath.readers.elevation.bilinear import bilinear_at
from swath.readers.files.digest import combined_digest, file_digest
from swath.readers.files.gdal_env import gdal_env, openable
from swath.readers.pixels.header import crs_name

Floats = NDArray[np.float64]
#: West, south, east, north [deg].
Box = tuple[float, float, float, float]
_WGS84: Final = "EPSG:4326"
_DRIVERS: Final = {"hgt": "SRTMHGT", "gtx": "GTX", "vrt": "VRT"}
#: Degree cells in names of tiles: ``N44E005.hgt``, ``Copernicus_DSM_COG_10_N44_00_E005_00_DEM.tif``.
_CELL: Final = re.compile(r"([NS])(\d{2})(?:_00)?_?([EW])(\d{3})(?:_00)?(?!\d)")
#: Tiles reach up to a pixel beyond their cell [deg].
_MARGIN_DEG: Final = 0.01


@dataclass(frozen=True, slots=True)
class TileHeader:
    """What a tile says of itself: its grid, and the number of its voids (None if it has none)."""

    grid: Grid
    nodata: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One raster.

    Args:
        href: Address in GDAL's notation.
        box: Extent, where that is known without opening it.
        digest: Hex sha256 of its bytes, where a list of tiles states it; empty otherwise.
    """

    href: str
    box: Box | None = None
    digest: str = ""

    @property
    def name(self) -> str:
        """Name of its file."""
        return self.href.rpartition("/")[2]

    @property
    def header(self) -> TileHeader:
        """What it says of itself; read once a process.

        Raises:
            ReadError: The tile cannot be opened.
        """
        return _header(self.href)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tiles:
    """Tiles, of which the first that covers a place counts.

    Args:
        rasters: Tiles whose extent is read from their headers.
        cells: Tiles by the south-west corner of the degree cell that their names tell.
    """

    rasters: tuple[Tile, ...] = ()
    cells: Mapping[tuple[int, int], Tile] = field(default_factory=dict)

    @classmethod
    def of(cls, tiles: Iterable[Tile]) -> "Tiles":
        """Sort tiles by what their names tell."""
        found = list(tiles)
        cells = {cell: t for t in found if t.box is None and (cell := cell_of(t.name)) is not None} if len(found) > 1 else {}
        named = {id(t) for t in cells.values()}
        return cls(rasters=tuple(t for t in found if id(t) not in named), cells=cells)

    def __len__(self) -> int:
        return len(self.rasters) + len(self.cells)

    @property
    def names(self) -> str:
        """The first names, for messages."""
        named = (cell_name(lon + 0.5, lat + 0.5) for lat, lon in self.cells)
        first = list(islice(chain((t.name for t in self.rasters), named), 4))
        return ", ".join(first[:3]) + (" ..." if len(first) > 3 else "") or "none"

    def touching(self, lon: Floats, lat: Floats) -> tuple[Tile, ...]:
        """Tiles that meet the box around places: what the values there depend on.

        Args:
            lon: Longitudes [deg], any shape.
            lat: Latitudes [deg], of that shape.
        """
        box = _box_around(lon, lat)
        if box is None:
            return ()
        return (*(t for t in self.rasters if _meets(t, box)), *self._in_cells(box))

    def digest(self, lon: Floats, lat: Floats, *others: Tile) -> str:
        """Digest of the tiles that are read for some places, and of others."""
        return combined_digest([(t.name, t.digest or _digest(t.href)) for t in (*self.touching(lon, lat), *others)])

    def sample(self, lon: Floats, lat: Floats, *, kernel: RasterKernel = "bilinear") -> tuple[Floats, NDArray[np.bool_]]:
        """Values at places, NaN in voids, and True where a tile covers the place.

        Raises:
            ReadError: A tile cannot be read.
        """
        values, covered = np.full(lon.shape, np.nan), np.zeros(lon.shape, dtype=np.bool_)
        known = np.isfinite(lon) & np.isfinite(lat)
        for tile in self.touching(lon[known], lat[known]):
            x, y = in_crs(tile.header.grid, lon, lat)
            here = known & ~covered & inside(tile.header.grid, x, y)
            if here.any():
                values[here] = sampled(tile, x[here], y[here], kernel=kernel)
                covered |= here
        return values, covered

    def _in_cells(self, box: Box) -> Iterator[Tile]:
        west, south, east, north = box
        for row in range(floor(south - _MARGIN_DEG), floor(north + _MARGIN_DEG) + 1):
            for col in range(floor(west - _MARGIN_DEG), floor(east + _MARGIN_DEG) + 1):
                tile = self.cells.get((row, (col + 180) % 360 - 180))
                if tile is not None:
                    yield tile


def cell_of(name: str) -> tuple[int, int] | None:
    """Latitude and longitude of the south-west corner that a tile's name tells [deg]; None when it tells none."""
    found = _CELL.search(name)
    if found is None:
        return None
    lat, lon = int(found[2]), int(found[4])
    return (lat if found[1] == "N" else -lat), (lon if found[3] == "E" else -lon)


def cell_name(lon: float, lat: float) -> str:
    """Name of the degree cell that a place is in, as tiles are named: ``N44E005``."""
    south, west = floor(lat), floor((lon + 180.0) % 360.0 - 180.0)
    return f"{'N' if south >= 0 else 'S'}{abs(south):02d}{'E' if west >= 0 else 'W'}{abs(west):03d}"


def in_crs(grid: Grid, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Places in the coordinate system of a tile; degrees on the tile's side of the antimeridian."""
    x, y = project(lon, lat, source=_WGS84, target=grid.crs)
    if grid.crs == _WGS84:
        left, _, right, _ = grid.bounds
        x = (left + right) / 2.0 + (x - (left + right) / 2.0 + 180.0) % 360.0 - 180.0
    return x, y


def inside(grid: Grid, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """True where a place is on a grid or at its edge."""
    columns, rows = grid.pixels_of(x, y)
    return np.asarray((columns >= 0) & (columns <= grid.width) & (rows >= 0) & (rows <= grid.height))


def sampled(tile: Tile, x: Floats, y: Floats, *, kernel: RasterKernel = "bilinear") -> Floats:
    """Values at places inside a tile, (n,).

    Args:
        tile: The tile.
        x: Places in its coordinate system, (n,).
        y: Northings of that shape.
        kernel: ``nearest`` takes the pixel that holds the place.
    """
    grid = tile.header.grid
    columns, rows = (np.asarray(v, dtype=np.float64) for v in grid.pixels_of(x, y))
    if kernel == "nearest":
        columns, rows = np.floor(columns) + 0.5, np.floor(rows) + 0.5
    columns, rows = np.clip(columns - 0.5, 0.0, grid.width - 1.0), np.clip(rows - 0.5, 0.0, grid.height - 1.0)
    part, top, left = part_around(tile, columns, rows)
    out = np.empty(columns.shape)
    bilinear_at(part, columns - left, rows - top, out)
    return out


def part_around(tile: Tile, columns: Floats, rows: Floats) -> tuple[Floats, int, int]:
    """The part of a tile around places, (y, x), NaN in voids; and its first row and column.

    Args:
        tile: The tile.
        columns: Columns counted from the centre of the first pixel, any shape; at least one is on the tile.
        rows: Rows, of that shape.

    Raises:
        ReadError: It cannot be read.
    """
    grid = tile.header.grid
    low, high = (np.clip(f(columns), 0.0, grid.width - 1.0) for f in (np.nanmin, np.nanmax))
    first, last = (np.clip(f(rows), 0.0, grid.height - 1.0) for f in (np.nanmin, np.nanmax))
    top, left = floor(first), floor(low)
    return _read(tile, left=left, top=top, right=ceil(high), bottom=ceil(last)), top, left


def _box_around(lon: Floats, lat: Floats) -> Box | None:
    """The box around places, east of its west also across the antimeridian; None without a place."""
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return None
    east = lon[known]
    east = east[0] + (east - east[0] + 180.0) % 360.0 - 180.0
    return float(east.min()), float(lat[known].min()), float(east.max()), float(lat[known].max())


def _meets(tile: Tile, box: Box) -> bool:
    west, south, east, north = box
    if tile.box is not None:
        left, bottom, right, top = tile.box
        turn = 360.0 * round(((left + right) - (west + east)) / 720.0)
        return west + turn <= right and east + turn >= left and south <= top and north >= bottom
    steps = np.linspace(0.0, 1.0, 17)
    lon, lat = (v.ravel() for v in np.meshgrid(west + steps * (east - west), south + steps * (north - south)))
    grid_crs = tile.header.grid.crs
    left, bottom, right, top = tile.header.grid.bounds
    x, y = project(lon, lat, source=_WGS84, target=grid_crs)
    if grid_crs == _WGS84:
        x = x + 360.0 * np.round(((left + right) / 2.0 - float(x.mean())) / 360.0)
    if not np.isfinite(x).any():
        return False
    return bool(np.nanmax(x) >= left and np.nanmin(x) <= right and np.nanmax(y) >= bottom and np.nanmin(y) <= top)


def driver_of(href: str) -> str:
    """The one driver that may open a raster, by its suffix."""
    return _DRIVERS.get(href.rpartition(".")[2].lower(), "GTiff")


@lru_cache(maxsize=4096)
def _header(href: str) -> TileHeader:
    try:
        with gdal_env(href), rasterio.open(openable(href), driver=driver_of(href)) as source:
            transform = tuple(source.transform)[:6]
            # Files of geoids tell no CRS: they are in degrees.
            crs = crs_name(source.crs) or _WGS84
            grid = Grid.from_transform(transform, crs=crs, width=source.width, height=source.height)
            return TileHeader(grid, source.nodata)
    except RasterioError as error:
        raise ReadError(
            "a raster of the site cannot be opened",
            expected="a GeoTIFF, .hgt, .gtx or .vrt",
            got=f"{href}: {error}",
            remedy="Fetch it again.",
        ) from error


def _read(tile: Tile, *, left: int, top: int, right: int, bottom: int) -> Floats:
    """A part of a tile, (y, x), one pixel more to the right and below as far as it goes; NaN in voids."""
    grid = tile.header.grid
    width, height = min(right + 2, grid.width) - left, min(bottom + 2, grid.height) - top
    return _window(tile, (left, top, width, height))


@lru_cache(maxsize=16)
def _window(tile: Tile, place: tuple[int, int, int, int]) -> Floats:
    try:
        with gdal_env(tile.href), rasterio.open(openable(tile.href), driver=driver_of(tile.href)) as source:
            values: Floats = source.read(1, window=RasterioWindow(*place)).astype(np.float64)
    except RasterioError as error:
        raise ReadError(
            "a raster of the site cannot be read",
            expected="an intact raster",
            got=f"{tile.href}: {error.__cause__ or error}",
            remedy="Fetch the file again, then run `swath retry`.",
        ) from error
    void = ~np.isfinite(values)
    if tile.header.nodata is not None:
        void |= values == tile.header.nodata
    values[void] = np.nan
    return values


_digest = lru_cache(maxsize=4096)(file_digest)
