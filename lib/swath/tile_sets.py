"""Named tilings: which tiles of Sentinel-2's and HLS's grid, of USGS's, or of a user's file a place touches."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any, Final, Never, Protocol

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError, GeometryError
from swath.grid import EDGE_TOLERANCE_PX, Grid
from swath.mapping import project
from swath.tilings import mgrs_tile

_WGS84: Final = "EPSG:4326"
#: Pixels of HLS and of USGS's Analysis Ready Data [m].
_PIXEL_M: Final = 30.0
_SQUARE_M: Final = 100_000
#: Bands of latitude, and letters of squares: see ``swath.tilings``.
_BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS: Final = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS: Final = "ABCDEFGHJKLMNPQRSTUV"
#: Latitudes of the tiling [deg]: beyond are polar systems.
_SOUTH, _NORTH = -80.0, 84.0
#: USGS, "Landsat Analysis Ready Data" (LSDS-1873): the conterminous United States in 33 x 22 tiles of 5000 x 5000 pixels.
_ARD_CRS: Final = (
    'PROJCS["Albers_WGS84",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]],PROJECTION["Albers_Conic_Equal_Area"],PARAMETER["latitude_of_center",23],'
    'PARAMETER["longitude_of_center",-96],PARAMETER["standard_parallel_1",29.5],PARAMETER["standard_parallel_2",45.5],'
    'PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]'
)
_ARD_LEFT, _ARD_TOP, _ARD_PX, _ARD_COLUMNS, _ARD_ROWS = -2_565_585.0, 3_314_805.0, 5000, 33, 22
_ARD_NAME: Final = re.compile(r"ard-h(\d{2})v(\d{2})")
_POINTS: Final = 33


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTile:
    """One tile of a tiling.

    Args:
        name: Name of it, as ids have it.
        grid: Grid of it.
        place: Row and column, where tiles are in such an order.
    """

    name: str
    grid: Grid
    place: tuple[int, ...] = ()


class TileSet(Protocol):
    """A tiling."""

    def touching(self, grid: Grid) -> Iterator[NamedTile]:
        """Tiles that share ground with a grid, whatever its system."""
        ...


class NamedTileSet(TileSet, Protocol):
    """A tiling whose tiles can be had by name."""

    def named(self, name: str) -> NamedTile:
        """The tile of a name.

        Raises:
            ConfigError: There is none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MgrsTiles:
    """Sentinel-2's tiles: squares of 100 km of the military grid and 9.8 km more, each in its zone.

    A square that an edge of zones cuts is a tile in both, as far as it has ground in the zone; its latitude band is that of its
    centre.

    Args:
        resolution_m: Pixel size, which must fill a tile.
        prefix: Prefix of the names.
    """

    resolution_m: float
    prefix: str = ""

    def touching(self, grid: Grid) -> Iterator[NamedTile]:
        """Tiles that share ground with a grid, by zone and place."""
        longitudes, latitudes = outline(grid, crs=_WGS84)
        if not np.isfinite(longitudes).all():
            return
        # A scene across the antimeridian has both sides of it.
        around = np.rad2deg(np.unwrap(np.deg2rad(longitudes)))
        first, last = floor((around.min() + 180.0) / 6.0), floor((around.max() + 180.0) / 6.0)
        for zone in sorted({n % 60 + 1 for n in range(first - 1, last + 2)}):
            for south in (True, False) if latitudes.min() < 0.0 <= latitudes.max() else (latitudes.max() < 0.0,):
                yield from self._in_zone(grid, zone, south=south)

    def named(self, name: str) -> NamedTile:
        """The tile of a name, such as ``33UUP-10``.

        Raises:
            ConfigError: There is none.
        """
        square = name.removeprefix(self.prefix).split("-")[0]
        tile = NamedTile(name=self._name(square), grid=mgrs_tile(square, resolution_m=self.resolution_m))
        return tile if tile.name == name else _no_tile(name)

    def _name(self, square: str) -> str:
        return f"{self.prefix}{square}-{self.resolution_m:g}".replace(".", "p")

    def _in_zone(self, grid: Grid, zone: int, *, south: bool) -> Iterator[NamedTile]:
        crs = f"EPSG:{(32700 if south else 32600) + zone}"
        x, y = outline(grid, crs=crs)
        if not np.isfinite(x).all():
            return
        more = _SQUARE_M // 10  # tiles go on for 9.8 km to the east and to the south
        columns = range(max(1, floor((x.min() - more) / _SQUARE_M)), min(8, floor(x.max() / _SQUARE_M)) + 1)
        rows = range(max(0, floor(y.min() / _SQUARE_M)), min(99, floor((y.max() + more) / _SQUARE_M)) + 1)
        for row in rows:
            for column in columns:
                name = _square(zone, column, row, south=south, crs=crs)
                if not name:
                    continue
                tile = mgrs_tile(name, resolution_m=self.resolution_m)
                if tile.crs == crs and _meets((x, y), tile):
                    yield NamedTile(name=self._name(name), grid=tile)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArdTiles:
    """USGS's tiles of the conterminous United States: ``h05v12`` is the sixth from the west, the thirteenth from the north."""

    def touching(self, grid: Grid) -> Iterator[NamedTile]:
        """Tiles that share ground with a grid, from north to south."""
        x, y = outline(grid, crs=_ARD_CRS)
        if not np.isfinite(x).all():
            return
        side = _ARD_PX * _PIXEL_M
        columns, rows = _steps(x - _ARD_LEFT, side), _steps(_ARD_TOP - y, side)
        for row in range(max(rows[0], 0), min(rows[1], _ARD_ROWS)):
            for column in range(max(columns[0], 0), min(columns[1], _ARD_COLUMNS)):
                tile = _ard_tile(column, row)
                if _meets((x, y), tile.grid):
                    yield tile

    def named(self, name: str) -> NamedTile:
        """The tile of a name, such as ``ard-h05v12``.

        Raises:
            ConfigError: There is none.
        """
        match = _ARD_NAME.fullmatch(name)
        if match is None or int(match[1]) >= _ARD_COLUMNS or int(match[2]) >= _ARD_ROWS:
            return _no_tile(name)
        return _ard_tile(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTiles:
    """Tiles of a GeoJSON file: rectangles around its features, on whole pixels.

    Args:
        tiles: Tiles in the order of the file.
    """

    tiles: tuple[NamedTile, ...]

    @classmethod
    def read(cls, path: str, *, crs: str, resolution: float | None) -> "FileTiles":
        """Read a file; a feature is named by ``name`` or ``id``, and may state its own ``crs`` and ``resolution``.

        Args:
            path: The file, polygons in longitude and latitude.
            crs: Coordinate system of features that state none.
            resolution: Pixel size of those.

        Raises:
            ConfigError: The file is of another kind, or a tile is named twice or has no coordinate system.
        """
        try:
            features = json.loads(Path(path).read_text(encoding="utf-8"))["features"]
            tiles = tuple(_of_feature(f, crs=crs, resolution=resolution) for f in features)
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, GeometryError) as error:
            msg = f"grid.tiling: {path}: expected GeoJSON features of polygons, each with a name; got {error!r}"
            raise ConfigError(msg) from error
        names = [t.name for t in tiles]
        if len(set(names)) < len(names):
            msg = f"grid.tiling: {path}: a tile is named twice: {next(n for n in names if names.count(n) > 1)}"
            raise ConfigError(msg)
        return cls(tiles=tiles)

    def touching(self, grid: Grid) -> Iterator[NamedTile]:
        """Tiles that share ground with a grid, in the order of the file."""
        for tile in self.tiles:
            x, y = outline(grid, crs=tile.grid.crs)
            if np.isfinite(x).all() and _meets((x, y), tile.grid):
                yield tile

    def named(self, name: str) -> NamedTile:
        """The tile of a name of the file.

        Raises:
            ConfigError: There is none.
        """
        return next((t for t in self.tiles if t.name == name), None) or _no_tile(name)


def hls_tiles() -> MgrsTiles:
    """The tiles of NASA's Harmonized Landsat and Sentinel-2: Sentinel-2's at 30 m."""
    return MgrsTiles(resolution_m=_PIXEL_M, prefix="hls-")


def _ard_tile(column: int, row: int) -> NamedTile:
    side = _ARD_PX * _PIXEL_M
    left, top = _ARD_LEFT + column * side, _ARD_TOP - row * side
    grid = Grid(crs=_ARD_CRS, left=left, top=top, dx=_PIXEL_M, dy=_PIXEL_M, width=_ARD_PX, height=_ARD_PX)
    return NamedTile(name=f"ard-h{column:02d}v{row:02d}", grid=grid)


def _no_tile(name: str) -> Never:
    msg = f"the tiling has no tile {name!r}"
    raise ConfigError(msg)


def outline(grid: Grid, *, crs: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points along a grid's edges in another system; NaN where it has none."""
    steps = np.linspace(0.0, 1.0, _POINTS)
    zero, one = np.zeros(_POINTS), np.ones(_POINTS)
    columns = np.concatenate([steps, one, one - steps, zero]) * grid.width
    rows = np.concatenate([zero, steps, one, one - steps]) * grid.height
    x = grid.left + columns * grid.dx + rows * grid.rx
    y = grid.top + columns * grid.ry - rows * grid.dy
    return project(x, y, source=grid.crs, target=crs)


def _meets(points: tuple[NDArray[np.float64], NDArray[np.float64]], tile: Grid) -> bool:
    """Whether the rectangle around points shares more than an edge with a tile."""
    (x, y), (left, bottom, right, top), slack = points, tile.bounds, tile.dx * EDGE_TOLERANCE_PX
    return bool(x.min() < right - slack and x.max() > left + slack and y.min() < top - slack and y.max() > bottom + slack)


def _steps(distance: NDArray[np.float64], side: float) -> tuple[int, int]:
    return floor(float(distance.min()) / side), ceil(float(distance.max()) / side)


def _square(zone: int, column: int, row: int, *, south: bool, crs: str) -> str:
    """The name of a square, by its first column and row of 100 km; empty where it has no ground in the zone."""
    corners = np.array([(0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5)], dtype=np.float64) * _SQUARE_M
    x, y = column * _SQUARE_M + corners[:, 0], row * _SQUARE_M + corners[:, 1]
    longitudes, latitudes = project(x, y, source=crs, target=_WGS84)
    middle = zone * 6.0 - 183.0
    off = (longitudes - middle + 180.0) % 360.0 - 180.0
    here = (latitudes[-1] < 0.0) == south
    if not here or off.min() >= 3.0 or off.max() <= -3.0 or not _SOUTH <= latitudes[-1] < _NORTH:
        return ""
    band = _BANDS[min(int((latitudes[-1] - _SOUTH) // 8.0), len(_BANDS) - 1)]
    letter = _ROWS[(row + (5 if zone % 2 == 0 else 0)) % len(_ROWS)]
    return f"{zone:02d}{band}{_COLUMNS[zone % 3][column - 1]}{letter}"


def _of_feature(feature: Any, *, crs: str, resolution: float | None) -> NamedTile:
    said = feature.get("properties") or {}
    name, system = str(said.get("name") or said.get("id") or feature.get("id") or ""), str(said.get("crs") or crs)
    pixel = float(said.get("resolution") or resolution or 0.0)
    if not name.replace("-", "").replace("_", "").isalnum() or not system or pixel <= 0.0:
        msg = f"feature {name!r} needs a name of letters and digits, and a crs and a resolution: its own, or those of grid"
        raise ValueError(msg)
    geometry = feature["geometry"]
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    ring = np.concatenate([_dense(part[0]) for part in parts])
    x, y = project(ring[:, 0], ring[:, 1], source=_WGS84, target=system)
    if not np.isfinite(x).all():
        msg = f"{system} cannot show the tile {name}"
        raise ValueError(msg)
    west, south = floor(x.min() / pixel + EDGE_TOLERANCE_PX), floor(y.min() / pixel + EDGE_TOLERANCE_PX)
    east, north = ceil(x.max() / pixel - EDGE_TOLERANCE_PX), ceil(y.max() / pixel - EDGE_TOLERANCE_PX)
    size = {"width": east - west, "height": north - south}
    grid = Grid(crs=system, left=west * pixel, top=north * pixel, dx=pixel, dy=pixel, **size)
    return NamedTile(name=f"{name}-{pixel:g}".replace(".", "p"), grid=grid)


def _dense(ring: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Points along a ring: its straight edges are curves in another system."""
    points = np.asarray([p[:2] for p in ring], dtype=np.float64)
    steps = np.linspace(0.0, 1.0, _POINTS)[:, None]
    return np.concatenate([a + (b - a) * steps for a, b in pairwise(points)])
