"""Output tiles: squares of a grid that covers the plane of a CRS, each named by its place."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import TypeVar

from swath.algo.overviews import BLOCK
from swath.errors import ConfigError
from swath.grid import EDGE_TOLERANCE_PX, Grid
from swath.stack.recipe import TILES_FILE, GridRule
from swath.stack.warping import bounds_in
from swath.tile_sets import ArdTiles, FileTiles, MgrsTiles, NamedTile, TileSet, hls_tiles

T = TypeVar("T")
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """Squares of ``side`` pixels whose corners lie at ``origin`` and whole sides from it.

    Args:
        crs: ``EPSG:<code>`` or WKT.
        resolution: Size of a pixel, CRS units.
        origin: (x, y) of a corner, CRS units.
        side: Pixels, a multiple of 512.
    """

    crs: str
    resolution: float
    origin: tuple[float, float]
    side: int

    def __post_init__(self) -> None:
        """Refuse sides that cut blocks."""
        if self.side <= 0 or self.side % BLOCK:
            msg = f"grid.tile_px {self.side}: expected a multiple of {BLOCK}, the side of a block"
            raise ConfigError(msg)

    def grid(self, column: int, row: int) -> Grid:
        """A tile; columns go east, rows go south."""
        length = self.side * self.resolution
        left, top = self.origin[0] + column * length, self.origin[1] - row * length
        size = self.side
        return Grid(crs=self.crs, left=left, top=top, dx=self.resolution, dy=self.resolution, width=size, height=size)

    def touching(self, grid: Grid) -> Iterator[NamedTile]:
        """The tiles that share a pixel with a grid, which may be in another system."""
        bounds = bounds_in(grid, self.crs)
        for column, row in self._places(bounds) if bounds is not None else ():
            yield NamedTile(name=self.name(column, row), grid=self.grid(column, row), place=(row, column))

    def _places(self, bounds: Bounds) -> Iterator[tuple[int, int]]:
        """Columns and rows of the tiles that share a pixel with (left, bottom, right, top)."""
        length, slack = self.side * self.resolution, EDGE_TOLERANCE_PX / self.side
        left, bottom, right, top = bounds
        columns = range(floor((left - self.origin[0]) / length + slack), ceil((right - self.origin[0]) / length - slack))
        rows = range(floor((self.origin[1] - top) / length + slack), ceil((self.origin[1] - bottom) / length - slack))
        yield from ((column, row) for row in rows for column in columns)

    def name(self, column: int, row: int) -> str:
        """Names a tile by CRS, resolution and place: two grids never share a name."""
        place = re.sub(r"[^A-Za-z0-9]+", "", self.crs.removeprefix("EPSG:"))[:12].lower()
        size = f"{self.resolution:g}".replace(".", "p").replace("-", "m").replace("+", "")
        at = "".join(f"{axis}{'m' if value < 0 else ''}{abs(value)}" for axis, value in (("x", column), ("y", row)))
        return f"{place}-{size}-{self.side}-{at}"


def tiling_of(rule: GridRule, grids: Iterable[Grid]) -> TileSet:
    """The tiling of a rule; what it leaves open is that of the sources, where they share it.

    Args:
        rule: Rule of the pipeline.
        grids: Grids of the sources' bands, the finest of each source.

    Raises:
        ConfigError: The rule leaves something open that the sources do not share.
    """
    if rule.tiling:
        return _named(rule)
    known = list(dict.fromkeys((g.crs, g.dx, g.dy, g.left, g.top) for g in grids))
    crs = rule.crs or _shared("crs", {k[0] for k in known})
    resolution = rule.resolution or _shared("resolution", {k[1] for k in known if k[0] == crs} or {k[1] for k in known})
    origin = rule.origin
    if origin is None and rule.crs:
        origin = (0.0, 0.0)
    if origin is None:
        origin = _shared("origin", {_phase(k[3], k[4], resolution) for k in known})
    return Tiling(crs=crs, resolution=resolution, origin=origin, side=rule.tile_px)


def _named(rule: GridRule) -> TileSet:
    """A tiling that has a name, or a file."""
    if rule.tiling == "landsat-ard":
        return ArdTiles()
    if rule.tiling == "hls":
        return hls_tiles()
    if rule.tiling == "mgrs":
        if rule.resolution is None:
            msg = "grid.tiling mgrs: expected grid.resolution, a pixel size that fills a tile, such as 10, 20 or 60; got none"
            raise ConfigError(msg)
        return MgrsTiles(resolution_m=rule.resolution)
    return FileTiles.read(rule.tiling.removeprefix(TILES_FILE), crs=rule.crs, resolution=rule.resolution)


def _phase(left: float, top: float, resolution: float) -> tuple[float, float]:
    """Where pixels begin within one pixel, up to rounding noise."""
    x, y = (round(value % resolution, 6) % resolution for value in (left, top))
    return x, y


#: How a setting of the grid is written on the command line.
_SUCH_AS = {"crs": "EPSG:32633", "resolution": "30", "origin": "[0, 0]"}


def _shared(name: str, values: set[T]) -> T:
    if len(values) == 1:
        return next(iter(values))
    told = ", ".join(sorted(str(v)[:40] for v in values)[:4])
    msg = f"the sources share no {name}: {told}; state grid.{name} in the pipeline (or --set grid.{name}={_SUCH_AS[name]})"
    raise ConfigError(msg)
