"""An elevation model: one raster or a folder of tiles, and heights above the ellipsoid at places.

Heights between the centres of pixels are bilinear, as GDAL's RPC transformer has them; a void among the four pixels is left out
of the mean, and where all four are void there is no height.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import Final, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from swath.errors import ConfigError, GeometryError, ReadError
from swath.grid import Grid
from swath.mapping import project
from swath.readers.files.digest import combined_digest, file_digest
from swath.readers.files.gdal_env import gdal_env, openable
from swath.readers.files.href import gdal_href
from swath.readers.files.listing import is_folder
from swath.readers.pixels.header import crs_name
from swath.stores.registry import bucket_of, open_store

Datum = Literal["ellipsoid", "egm96", "egm2008"]
Floats = NDArray[np.float64]
_WGS84: Final = "EPSG:4326"
_SUFFIXES: Final = (".tif", ".tiff", ".hgt")
_DRIVERS: Final = {"hgt": "SRTMHGT", "gtx": "GTX"}
#: Files of geoids that PROJ and GDAL know, by datum.
GEOIDS: Final = {"egm96": "us_nga_egm96_15.tif (or egm96_15.gtx)", "egm2008": "us_nga_egm08_25.tif"}
#: Heights that no ground has [m]: voids that the file does not declare.
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One raster of heights.

    Args:
        href: As GDAL opens it.
        grid: Its grid.
        nodata: Nodata value of its voids; None if it has none.
    """

    href: str
    grid: Grid
    nodata: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """Heights of the ground above the WGS 84 ellipsoid.

    Args:
        tiles: Rasters; where several cover a place, the first one in order counts.
        datum: What their heights are above.
        geoid: Raster of the geoid above the ellipsoid; needed unless ``datum`` is the ellipsoid.
        sea_level: Whether a place that no tile covers is at height 0 above ``datum``, because the user says so.
    """

    tiles: tuple[Tile, ...]
    datum: Datum
    geoid: Tile | None = None
    sea_level: bool = False

    def __post_init__(self) -> None:
        """Refuse heights above a geoid that is not at hand."""
        if self.datum != "ellipsoid" and self.geoid is None:
            msg = (
                f"the elevation's heights are above {self.datum}, and no geoid is named: give dem.geoid the file"
                f" {GEOIDS[self.datum]}, or dem.datum: ellipsoid where the heights are above the ellipsoid already"
            )
            raise ConfigError(msg)

    def touching(self, lon: Floats, lat: Floats) -> tuple[Tile, ...]:
        """Tiles that cover one of the places: what their heights depend on."""
        return tuple(t for t in self.tiles if _inside(t.grid, *_in_crs(t, lon, lat)).any())

    def digest(self, lon: Floats, lat: Floats) -> str:
        """Digest of the tiles that are read for some places, and of the geoid: part of the key of what is made with them."""
        used = [*self.touching(lon, lat), *([self.geoid] if self.geoid is not None else [])]
        return combined_digest([(t.href.rpartition("/")[2], _digest(t.href)) for t in used])

    def heights_m(self, lon: Floats, lat: Floats) -> Floats:
        """Heights above the ellipsoid [m] at places, of their shape; NaN in voids.

        Args:
            lon: Longitudes [deg].
            lat: Latitudes [deg], of that shape.

        Raises:
            GeometryError: No tile covers a place; names it.
            ReadError: A tile cannot be read.
        """
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        known = np.isfinite(lon) & np.isfinite(lat)
        heights, open_ones = np.full(lon.shape, np.nan), known.copy()
        for tile in self.tiles:
            if not open_ones.any():
                break
            x, y = _in_crs(tile, lon, lat)
            here = open_ones & _inside(tile.grid, x, y)
            if here.any():
                heights[here] = _sampled(tile, x[here], y[here])
                open_ones &= ~here
        if open_ones.any():
            self._check_missing(lon[open_ones], lat[open_ones])
            heights[open_ones] = 0.0
        if self.geoid is not None and known.any():
            heights[known] += _sampled(self.geoid, *(v[known] for v in _in_crs(self.geoid, lon, lat)))
        return heights

    def _check_missing(self, lon: Floats, lat: Floats) -> None:
        if self.sea_level:
            return
        south, west = floor(float(lat[0])), floor(float(lon[0]))
        cell = f"{'N' if south >= 0 else 'S'}{abs(south):02d}{'E' if west >= 0 else 'W'}{abs(west):03d}"
        names = ", ".join(t.href.rpartition("/")[2] for t in self.tiles[:3]) or "none"
        raise GeometryError(
            f"the elevation lacks the tile {cell}",
            expected=f"heights at longitude {float(lon[0]):.4f}, latitude {float(lat[0]):.4f}",
            got=f"{len(self.tiles)} tiles that do not cover it ({names})",
            remedy="Add the tile to the dem; or say dem.sea_level: true where it is all sea.",
        )


def open_elevation(where: str, *, datum: Datum, geoid: str | None = None, sea_level: bool = False) -> Elevation:
    """An elevation model by its place: a raster, or a folder or prefix of tiles.

    Args:
        where: GeoTIFF or SRTM's ``.hgt``; a folder; an ``s3://`` prefix.
        datum: What the heights are above.
        geoid: Raster of the geoid.
        sea_level: Whether places without a tile are sea.

    Raises:
        ConfigError: There is no raster, or the geoid is missing.
        ReadError: A raster cannot be read.
    """
    hrefs = _rasters(where)
    if not hrefs:
        msg = f"dem {where}: expected a GeoTIFF or .hgt, or a folder of these; found none"
        raise ConfigError(msg)
    tiles = tuple(_tile(href) for href in hrefs)
    return Elevation(tiles=tiles, datum=datum, geoid=_tile(gdal_href(geoid)) if geoid else None, sea_level=sea_level)


def _rasters(where: str) -> list[str]:
    if where.lower().endswith(_SUFFIXES):
        return [gdal_href(where)]
    if bucket_of(where) or is_folder(where):
        store = open_store(where, create=False)
        return [store.gdal_path(path) for path in store.list("") if path.lower().endswith(_SUFFIXES)]
    return []


def _tile(href: str) -> Tile:
    try:
        with gdal_env(href), rasterio.open(openable(href), driver=_driver(href)) as source:
            transform = tuple(source.transform)[:6]
            # Files of geoids tell no CRS: they are in degrees.
            crs = crs_name(source.crs) or _WGS84
            grid = Grid.from_transform(transform, crs=crs, width=source.width, height=source.height)
            return Tile(href=href, grid=grid, nodata=source.nodata)
    except RasterioError as error:
        raise ReadError(
            "a raster of the elevation cannot be opened",
            expected="a GeoTIFF, .hgt or .gtx",
            got=f"{href}: {error}",
            remedy="Fetch the tile again.",
        ) from error


def _driver(href: str) -> str:
    """The one driver that may open a raster, by its suffix."""
    return _DRIVERS.get(href.rpartition(".")[2].lower(), "GTiff")


def _in_crs(tile: Tile, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = project(lon, lat, source=_WGS84, target=tile.grid.crs)
    if tile.grid.crs == _WGS84:
        left, _, right, _ = tile.grid.bounds
        x = (left + right) / 2.0 + (x - (left + right) / 2.0 + 180.0) % 360.0 - 180.0
    return x, y


def _inside(grid: Grid, x: Floats, y: Floats) -> NDArray[np.bool_]:
    columns, rows = grid.pixels_of(x, y)
    return np.asarray((columns >= 0) & (columns <= grid.width) & (rows >= 0) & (rows <= grid.height))


def _sampled(tile: Tile, x: Floats, y: Floats) -> Floats:
    """Bilinear heights at places inside a tile, (n,)."""
    columns, rows = (np.asarray(v, dtype=np.float64) - 0.5 for v in tile.grid.pixels_of(x, y))
    height, width = tile.grid.height, tile.grid.width
    columns, rows = np.clip(columns, 0.0, width - 1.0), np.clip(rows, 0.0, height - 1.0)
    left, top = floor(columns.min()), floor(rows.min())
    part = _read(tile, left=left, top=top, right=ceil(columns.max()), bottom=ceil(rows.max()))
    col, row = np.floor(columns).astype(np.int64), np.floor(rows).astype(np.int64)
    right, down = columns - col, rows - row
    total, weights = np.zeros(columns.shape), np.zeros(columns.shape)
    for r, c, share in (
        (0, 0, (1 - down) * (1 - right)),
        (0, 1, (1 - down) * right),
        (1, 0, down * (1 - right)),
        (1, 1, down * right),
    ):
        values = part[np.minimum(row + r, height - 1) - top, np.minimum(col + c, width - 1) - left]
        usable = np.isfinite(values)
        total += np.where(usable, values, 0.0) * share
        weights += usable * share
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weights > 0.0, total / weights, np.nan)


def _read(tile: Tile, *, left: int, top: int, right: int, bottom: int) -> Floats:
    """Heights of a part of a tile, (y, x), one pixel more to the right and below as far as it goes; NaN in voids."""
    width = min(right + 2, tile.grid.width) - left
    height = min(bottom + 2, tile.grid.height) - top
    return _window(tile, (left, top, width, height))


@lru_cache(maxsize=16)
def _window(tile: Tile, place: tuple[int, int, int, int]) -> Floats:
    try:
        with gdal_env(tile.href), rasterio.open(openable(tile.href), driver=_driver(tile.href)) as source:
            values: Floats = source.read(1, window=RasterioWindow(*place)).astype(np.float64)
    except RasterioError as error:
        raise ReadError(
            "a tile of the elevation cannot be read",
            expected="an intact raster",
            got=f"{tile.href}: {error.__cause__ or error}",
            remedy="Fetch the tile again, then run `swath retry`.",
        ) from error
    void = ~np.isfinite(values) | (values < _LOWEST_M) | (values > _HIGHEST_M)
    if tile.nodata is not None:
        void |= values == tile.nodata
    values[void] = np.nan
    return values


_digest = lru_cache(maxsize=4096)(file_digest)
