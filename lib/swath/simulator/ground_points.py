"""Marks on the simulated ground whose places are known, and where an image on a map shows them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid
from swath.simulator.bilinear import bilinear
from swath.simulator.noise import F64

#: Points along each side of the image.
POINTS_A_SIDE: Final = 4
#: A mark is bright within a dark disc [m]: its middle is found to a small part of a pixel.
MARK_M, DISC_M = 5.0, 18.0
BRIGHT, DARK = 0.7, 0.04
#: A mark is looked for this far from its place [m].
SEARCH_M: Final = 30.0
#: Steps to the middle of a mark, each of half of what is left.
_STEPS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPoint:
    """A mark on the ground.

    Args:
        x_m: Easting on the map [m].
        y_m: Northing on the map [m].
        height_m: Height above the ellipsoid [m].
    """

    x_m: float
    y_m: float
    height_m: float


def spread_points(centre_m: tuple[float, float], *, side_m: float, heights: F64, grid: Grid) -> tuple[GroundPoint, ...]:
    """Points evenly over a square around ``centre_m``; ``heights`` [m], (y, x), are those of ``grid``."""
    steps = np.linspace(-0.5, 0.5, POINTS_A_SIDE) * side_m
    x, y = (v.ravel() for v in np.meshgrid(centre_m[0] + steps, centre_m[1] - steps))
    found = bilinear(heights, *grid.pixels_of(x, y))
    return tuple(GroundPoint(x_m=float(a), y_m=float(b), height_m=float(h)) for a, b, h in zip(x, y, found, strict=True))


def marked(reflectance: F64, *, points: tuple[GroundPoint, ...], grid: Grid) -> F64:
    """The ground with the marks on it: reflectance [1], (y, x), of ``grid``; marks are as bright on every slope."""
    ground = reflectance.copy()
    x = grid.left + (np.arange(grid.width) + 0.5) * grid.dx
    y = grid.top - (np.arange(grid.height) + 0.5) * grid.dy
    for point in points:
        away = np.hypot(x[None, :] - point.x_m, y[:, None] - point.y_m)
        disc = away < DISC_M
        ground[disc] = DARK + (BRIGHT - DARK) * np.exp(-0.5 * (away[disc] / MARK_M) ** 2)
    return ground


def off_m(values: NDArray[np.floating], *, point: GroundPoint, grid: Grid) -> float | None:
    """How far from its place an image on a map shows a mark [m]; None where it is not in the image.

    Args:
        values: Reflectance or counts, (y, x); NaN where there is none.
        point: The mark.
        grid: Grid of the image, in the map of the point.
    """
    column, row = (float(v) for v in grid.pixels_of(np.float64(point.x_m), np.float64(point.y_m)))
    reach = round(SEARCH_M / grid.dx)
    top, left = int(row) - reach, int(column) - reach
    if top < 0 or left < 0 or top + 2 * reach >= values.shape[0] or left + 2 * reach >= values.shape[1]:
        return None
    around = np.asarray(values[top : top + 2 * reach + 1, left : left + 2 * reach + 1], dtype=np.float64)
    if np.isnan(around).any():
        return None
    down, right = (float(n) for n in np.unravel_index(int(around.argmax()), around.shape))
    rows, columns = np.mgrid[0 : around.shape[0], 0 : around.shape[1]].astype(np.float64)
    for _ in range(_STEPS):
        # Weights that move with the middle: a window of whole pixels would pull it towards their middle.
        light = around * np.exp(-0.5 * ((rows - down) ** 2 + (columns - right) ** 2) * (grid.dx / MARK_M) ** 2)
        down, right = (float((light * places).sum() / light.sum()) for places in (rows, columns))
    return float(np.hypot(left + right + 0.5 - column, top + down + 0.5 - row) * grid.dx)
