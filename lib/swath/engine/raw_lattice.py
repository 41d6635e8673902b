"""Places in a raw image for every pixel of a grid, over terrain that nodes cannot follow: its height is looked up at each pixel.

What is smooth is interpolated between the nodes of a lattice that is anchored on the grid: longitudes, latitudes, the datum of
the heights, and the image's model, which is a quadratic in height at each node. The spacing is the widest whose places, measured
over the grid and all heights of the model, are off by less than ``_FINE_PX``, or else ``TOLERANCE_PX``; a model that is too
crooked for that is evaluated at every pixel. So are pixels without a sound node beside them, and those that no tile covers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from swath.algo.position_lattice import EXACT, SPACINGS, TOLERANCE_PX, PositionLattice, located, spread_cells
from swath.algo.terrain_places import HeightRaster, ImagePlaces, extent, place_on_terrain, quadratics
from swath.engine.ancillary import GLOBE, degrees
from swath.grid import Grid, Window
from swath.mapping import Places, ProjectedMapping, project
from swath.readers.elevation.tiles import Tile, in_crs, part_around
from swath.readers.rpc.mapping import RpcMapping

Floats = NDArray[np.float64]
#: Raised when places change by more than rounding.
RAW_VERSION: Final = 2
#: What is aimed at [px].
_FINE_PX: Final = 1e-3
#: Where between the lowest and the highest height the model is compared with its quadratics.
_HEIGHTS: Final = (-0.9, -0.5, 0.0, 0.5, 0.9)
#: Cells a side that are looked at to measure the error.
_CELLS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLattice:
    """Places of the pixels of a grid in a raw image; the same interface as ``PositionLattice``.

    Args:
        mapping: Mapping from longitude and latitude to the image.
        globe: Places of the grid's pixels on the globe.
        spacing: Pixels between nodes; ``EXACT`` evaluates the model at every pixel.
    """

    mapping: RpcMapping
    globe: PositionLattice
    spacing: int

    @classmethod
    def of(cls, mapping: RpcMapping, *, grid: Grid, over: Window) -> Self:
        """The lattice for a grid.

        Args:
            mapping: From longitude and latitude to the image.
            grid: The output grid.
            over: The part of the grid where the image is.
        """
        globe = PositionLattice.of(ProjectedMapping(crs=grid.crs, source=GLOBE), grid=grid, over=over)
        tried = [s for s in SPACINGS if s <= globe.spacing]
        errors = {s: _error_px(mapping, grid=grid, spacing=s, over=over) for s in tried}
        fine = [s for limit in (_FINE_PX, TOLERANCE_PX) for s in tried if errors[s] <= limit]
        return cls(mapping=mapping, globe=globe, spacing=fine[0] if fine else EXACT)

    def centres(self, window: Window, *, exact_at_edges: bool = False) -> Places:
        """Columns and rows of the centres of a window's pixels, (y, x)."""
        del exact_at_edges  # terrain is not known to a thousandth of a pixel
        return _centres(self, window)

    def corners(self, window: Window) -> Places:
        """Columns and rows of the corners of a window's pixels, (y + 1, x + 1)."""
        return self.places(window, count=(window.height + 1, window.width + 1), shift=0.0)

    def source_window(self, window: Window, *, margin_px: int) -> Window:
        """The part of the image that a window of the grid needs; where they do not meet, one pixel at the image's edge."""
        spans = []
        for found, size in zip(self.centres(window)[::-1], self.mapping.size, strict=True):
            low, high, step = extent(found)
            if np.isnan(low):
                return Window(0, 0, 1, 1)
            # Corners are less than a pixel of the grid from centres: pooling reaches as far.
            reach = margin_px + 2 + ceil(step)
            start = int(min(max(np.floor(low) - reach, 0), size - 1))
            spans.append((start, int(max(min(np.ceil(high) + reach, size), start + 1))))
        (row, row_stop), (col, col_stop) = spans
        return Window(row, col, row_stop - row, col_stop - col)

    def places(self, window: Window, *, count: tuple[int, int], shift: float) -> Places:
        """Columns and rows of places ``shift`` pixels from the first edges of a window's pixels, of the shape ``count``."""
        columns, rows, done = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, dtype=np.bool_)
        if self.spacing != EXACT:
            self._interpolate(window, shift=shift, places=ImagePlaces(columns=columns, rows=rows, done=done))
        if not done.all():
            down, right = (index.astype(np.float64) for index in np.nonzero(~done))
            x, y = self._on_map(right + (window.col + shift), down + (window.row + shift))
            columns[~done], rows[~done] = self.mapping.locate(x, y)
        return columns, rows

    def _on_map(self, columns: Floats, rows: Floats) -> Places:
        grid = self.globe.grid
        return grid.left + columns * grid.dx + rows * grid.rx, grid.top + columns * grid.ry - rows * grid.dy

    def _interpolate(self, window: Window, *, shift: float, places: ImagePlaces) -> None:
        first_row, first_col = window.row // self.spacing, window.col // self.spacing
        # One node more than the last corner needs: the interpolation asks for the next one even with no share of it.
        down = np.arange(first_row, window.row_stop // self.spacing + 2, dtype=np.float64) * self.spacing
        right = np.arange(first_col, window.col_stop // self.spacing + 2, dtype=np.float64) * self.spacing
        along = (np.arange(window.row, window.row + places.done.shape[0]) + shift) / self.spacing - first_row
        across = (np.arange(window.col, window.col + places.done.shape[1]) + shift) / self.spacing - first_col
        lon, lat = project(*self._on_map(*np.meshgrid(right, down)), source=self.globe.grid.crs, target="EPSG:4326")
        model = _model_at(self.mapping, lon, lat)
        middle, reach = _span_m(self.mapping)
        for tile, on_tile in self._tiles(lon, lat):
            heights, top, left = part_around(tile, on_tile[0] - 0.5, on_tile[1] - 0.5)
            part = top, left, tile.header.grid.height, tile.header.grid.width
            nodes = np.concatenate([model, np.stack([*on_tile, self.mapping.elevation.datum_m(lon, lat)])])
            ground = HeightRaster(heights=heights, part=part, middle=middle, reach=reach)
            place_on_terrain(nodes, along, across, ground, places)

    def _tiles(self, lon: Floats, lat: Floats) -> Iterator[tuple[Tile, Places]]:
        """Tiles that meet places, and where the places are on them [px]."""
        for tile in self.mapping.elevation.touching(lon, lat):
            grid = tile.header.grid
            columns, rows = (np.asarray(v) for v in grid.pixels_of(*in_crs(grid, lon, lat)))
            if np.isfinite(columns).any():
                yield tile, (columns, rows)


def _span_m(mapping: RpcMapping) -> tuple[float, float]:
    low, high = mapping.rpc.heights_m
    return (low + high) / 2.0, (high - low) / 2.0


def _model_at(mapping: RpcMapping, lon: Floats, lat: Floats) -> Floats:
    """Quadratics in height of columns and of rows, (6, ...), of the shape of ``lon``; NaN where the model may not be asked."""
    middle, reach = _span_m(mapping)
    low, mean, high = (mapping.image_of(lon, lat, np.full(lon.shape, middle + z * reach)) for z in (-1.0, 0.0, 1.0))
    found = np.concatenate([quadratics(*three) for three in zip(low, mean, high, strict=True)])
    found[:, ~mapping.near(lon, lat)] = np.nan
    return found


def _error_px(mapping: RpcMapping, *, grid: Grid, spacing: int, over: Window) -> float:
    """The most that places are off [px] halfway between nodes, over cells spread over a window and all heights of the model."""
    down = spread_cells(over.row, over.row_stop, spacing=spacing, cells=_CELLS)
    right = spread_cells(over.col, over.col_stop, spacing=spacing, cells=_CELLS)
    steps = np.array([0.0, 0.5, 1.0])
    rows, columns = ((first[:, None] + steps).ravel() * spacing for first in (down, right))
    globe = located(ProjectedMapping(crs=grid.crs, source=GLOBE), grid, columns=columns[None, :], rows=rows[:, None])
    lon, lat = degrees(*globe)
    fields = np.concatenate([_model_at(mapping, lon, lat), mapping.elevation.datum_m(lon, lat)[None]])
    cells = fields.reshape(7, len(down), 3, len(right), 3)
    between = cells.copy()
    between[:, :, 1] = (cells[:, :, 0] + cells[:, :, 2]) / 2.0
    between[..., 1] = (between[..., 0] + between[..., 2]) / 2.0
    off = between.reshape(fields.shape)
    middle, reach = _span_m(mapping)
    worst = 0.0
    for z in _HEIGHTS:
        true = mapping.image_of(lon, lat, np.full(lon.shape, middle + z * reach))
        shown = z + (off[6] - fields[6]) / reach
        for k, places in enumerate(true):
            found = off[3 * k] + shown * (off[3 * k + 1] + shown * off[3 * k + 2])
            worst = max(worst, float(np.nanmax(np.abs(found - places), initial=0.0)))
    return worst


@lru_cache(maxsize=2)
def _centres(lattice: RawLattice, window: Window) -> Places:
    """Kept: the part of the image that is read is found from them, and then they are used."""
    return lattice.places(window, count=window.shape, shift=0.5)
