"""Rasters of the site on the grid of a step: their pixels, and the digest of what of them is read."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.position_lattice import PositionLattice
from swath.errors import ConfigError, MetadataError
from swath.grid import Grid, Window
from swath.inputs import Raster, RasterInput, RasterSource
from swath.mapping import ProjectedMapping
from swath.readers.elevation.model import elevation_of, open_tiles

Floats = NDArray[np.float64]
#: Places at which a grid is looked at to find the tiles that meet it, a side.
_PLACES: Final = 65
#: The globe in pixels of about 30 m: places between nodes are interpolated in them.
GLOBE: Final = Grid(crs="EPSG:4326", left=-180.0, top=90.0, dx=1 / 3600, dy=1 / 3600, width=1_296_000, height=648_000)


def raster_layer(asked: RasterInput, source: RasterSource, *, grid: Grid, window: Window) -> Raster:
    """A raster of the site on a window of a grid, its margin included.

    Raises:
        SceneError: A tile is missing or cannot be read.
    """
    around = window.pad(asked.halo_px).clip(grid.window)
    lon, lat = places_of(grid, around)
    if source.datum == "none":
        values, _ = open_tiles(source.path).sample(lon, lat, kernel=asked.kernel)
    else:
        values = elevation_of(source).heights_m(lon, lat)
    return Raster(values, around)


@lru_cache(maxsize=64)
def raster_digest(source: RasterSource, grid: Grid) -> str:
    """Digest of the tiles of a raster that meet a grid: part of the key of what is made with them.

    Raises:
        SceneError: A tile cannot be read, or the site's raster is not there.
    """
    steps = np.linspace(0.0, 1.0, _PLACES)
    columns, rows = np.meshgrid(steps * grid.width, steps * grid.height)
    lon, lat = degrees(*ProjectedMapping(crs=grid.crs, source=GLOBE).locate(
        grid.left + columns * grid.dx + rows * grid.rx, grid.top + columns * grid.ry - rows * grid.dy
    ))  # fmt: skip
    try:
        model = open_tiles(source.path) if source.datum == "none" else elevation_of(source)
    except ConfigError as error:
        raise MetadataError(
            f"a raster of the site cannot be used: {error}", remedy="Correct the site's file or `--dem`."
        ) from error
    return model.digest(lon, lat)


def places_of(grid: Grid, window: Window) -> tuple[Floats, Floats]:
    """Longitudes and latitudes [deg] of the centres of a window's pixels, (y, x); the same for any cut of the grid."""
    return degrees(*_lattice(grid).centres(window))


@lru_cache(maxsize=16)
def _lattice(grid: Grid) -> PositionLattice:
    return PositionLattice.of(ProjectedMapping(crs=grid.crs, source=GLOBE), grid=grid)


def degrees(columns: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Longitudes and latitudes [deg] of places on ``GLOBE``, of any one shape."""
    return GLOBE.left + columns * GLOBE.dx, GLOBE.top - rows * GLOBE.dy
