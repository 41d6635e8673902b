"""Sources in another coordinate system than the tile's, or rotated: warped by the engine's kernels.

The lattice of places is anchored on the plane of the output's CRS, not on the tile: a place has the same bits in every tile.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.position_lattice import PositionLattice
from swath.algo.warp import MARGIN_PX, Image, pooled, sampled
from swath.grid import Grid, Window
from swath.mapping import ProjectedMapping, pixels_across, project

#: Side of the squares of the plane that the lattice's own grid is made of [px]: a multiple of every spacing of nodes.
_SQUARE_PX: Final = 512
#: Points along each side of a grid by which its bounds in another CRS are found.
_POINTS: Final = 33
#: A target pixel that is so much longer than the source's averages; projections alone stretch pixels by a few percent.
_COARSER: Final = 1.25
#: A step along a side that is so much longer than the others crosses the edge of a map.
_JUMP: Final = 20.0
Bounds = tuple[float, float, float, float]


@lru_cache(maxsize=4096)
def bounds_in(grid: Grid, crs: str) -> Bounds | None:
    """(left, bottom, right, top) of a grid in another CRS; None where that CRS cannot show it in one piece.

    Raises:
        GeometryError: A CRS is unknown.
    """
    if grid.crs == crs:
        return grid.bounds
    steps = np.linspace(0.0, 1.0, _POINTS)
    zero, one = np.zeros(_POINTS), np.ones(_POINTS)
    columns = np.concatenate([steps, one, steps, zero]) * grid.width
    rows = np.concatenate([zero, steps, one, steps]) * grid.height
    x = grid.left + columns * grid.dx + rows * grid.rx
    y = grid.top + columns * grid.ry - rows * grid.dy
    u, v = project(x, y, source=grid.crs, target=crs)
    if not (np.isfinite(u).all() and np.isfinite(v).all()) or _torn(u, v):
        return None
    # Straight edges are curves there: a little more is never wrong.
    slack_x, slack_y = (u.max() - u.min()) / _POINTS**2, (v.max() - v.min()) / _POINTS**2
    return (float(u.min() - slack_x), float(v.min() - slack_y), float(u.max() + slack_x), float(v.max() + slack_y))


def _torn(u: NDArray[np.float64], v: NDArray[np.float64]) -> bool:
    """Whether the outline of a grid, side by side, leaves a map at one edge and comes back at another: it has no bounds there."""
    sides = np.hypot(np.diff(u.reshape(4, -1)), np.diff(v.reshape(4, -1)))
    return bool((sides.max(axis=1) > _JUMP * np.median(sides, axis=1) + 1e-12).any())


@dataclass(frozen=True, slots=True, kw_only=True)
class Warp:
    """From a source's grid to the pixels of a tile.

    Args:
        lattice: Places of pixels of the plane in the source.
        row: Row of the tile's first pixel on the lattice's grid.
        col: Column.
        coarser: Whether a pixel of the tile is longer than one of the source.
    """

    lattice: PositionLattice
    row: int
    col: int
    coarser: bool

    @classmethod
    def of(cls, source: Grid, tile: Grid) -> "Warp | None":
        """The warp; None where the tile's CRS cannot show the source."""
        x, y = _pixel(tile.left, tile.dx), _pixel(-tile.top, tile.dy)
        found = _lattice(source, tile.crs, pixel=(tile.dx, tile.dy), phase=(x[1], y[1]))
        if found is None:
            return None
        lattice, first_row, first_col = found
        coarser = max(pixels_across(lattice.grid, source)) > _COARSER
        return cls(lattice=lattice, row=y[0] - first_row, col=x[0] - first_col, coarser=coarser)

    def _on_lattice(self, window: Window) -> Window:
        return Window(window.row + self.row, window.col + self.col, window.height, window.width)

    def needs(self, window: Window) -> Window:
        """The part of the source that a window of the tile reads."""
        return self.lattice.source_window(self._on_lattice(window), margin_px=max(MARGIN_PX.values()))

    def values(self, values: NDArray[np.float64], have: Window, *, window: Window) -> NDArray[np.float64]:
        """Physical values on a window of the tile, (y, x), NaN where there are none: bilinear, or averages where it is coarser.

        Args:
            values: Values of the source, (y, x), NaN where invalid.
            have: Window that the values cover, ``needs`` at least.
            window: Window of the tile.
        """
        valid = np.isfinite(values)
        image = Image(values=np.where(valid, values, 0.0), window=have, size=self.lattice.mapping.size, valid=valid)
        here = self._on_lattice(window)
        if self.coarser:
            columns, rows = self.lattice.corners(here)
            made = pooled(image, columns=columns, rows=rows, kernel="average")
        else:
            columns, rows = self.lattice.centres(here)
            made = sampled(image, columns=columns, rows=rows, kernel="bilinear")
        return np.where(made.valid, made.values, np.nan)

    def codes(self, values: NDArray[np.integer], have: Window, *, window: Window, fill: int) -> NDArray[np.integer]:
        """Numbers of a mask on a window of the tile, (y, x): the nearest, ``fill`` outside the source."""
        columns, rows = self.lattice.centres(self._on_lattice(window), exact_at_edges=True)
        image = Image(values=values, window=have, size=self.lattice.mapping.size)
        made = sampled(image, columns=columns, rows=rows, kernel="nearest")
        found: NDArray[np.integer] = np.where(made.valid, made.values, np.array(fill, dtype=values.dtype))
        return found


@lru_cache(maxsize=256)
def _lattice(
    source: Grid, crs: str, *, pixel: tuple[float, float], phase: tuple[float, float]
) -> tuple[PositionLattice, int, int] | None:
    """The lattice over the squares of the plane that a source touches, and the row and column of its first pixel."""
    bounds = bounds_in(source, crs)
    if bounds is None:
        return None
    left, bottom, right, top = bounds
    side = _SQUARE_PX * pixel[0], _SQUARE_PX * pixel[1]
    first_col, last_col = floor((left - phase[0]) / side[0]), ceil((right - phase[0]) / side[0])
    first_row, last_row = floor((-top - phase[1]) / side[1]), ceil((-bottom - phase[1]) / side[1])
    plane = Grid(
        crs=crs,
        left=phase[0] + first_col * side[0],
        top=-(phase[1] + first_row * side[1]),
        dx=pixel[0],
        dy=pixel[1],
        width=(last_col - first_col) * _SQUARE_PX,
        height=(last_row - first_row) * _SQUARE_PX,
    )
    lattice = PositionLattice.of(ProjectedMapping(crs=crs, source=source), grid=plane)
    return lattice, first_row * _SQUARE_PX, first_col * _SQUARE_PX


def _pixel(edge: float, size: float) -> tuple[int, float]:
    """Which pixel of the plane begins at an edge, and where pixels begin within one, up to rounding noise."""
    phase = round(edge % size, 6) % size
    return round((edge - phase) / size), phase
