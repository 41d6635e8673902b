"""Places in a raw image for the pixels of a grid, with the height of the ground under each, as machine code.

Between the nodes of a lattice everything but the ground is smooth: where a pixel is on a raster of heights, how far that raster's
datum is from the ellipsoid, and where the image shows it at any one height. At the nodes the latter is a quadratic in height.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled, using

Floats = NDArray[np.float64]
#: Fields at a node: three coefficients of columns, three of rows, column and row on the raster of heights, datum's height [m].
FIELDS: Final = 9


class HeightRaster(NamedTuple):
    """A raster of heights.

    Args:
        heights: Its pixels in memory, (y, x) [m]; NaN in voids.
        part: First row and column in memory, height and width of the whole raster [px].
        middle: Middle of the heights for which the image's model holds [m].
        reach: Half the range of these heights [m].
    """

    heights: Floats
    part: tuple[int, int, int, int]
    middle: float
    reach: float


class ImagePlaces(NamedTuple):
    """Places of pixels in the image, (y, x), or of one row of them, (x,).

    Args:
        columns: Columns in the image [px].
        rows: Rows in the image [px].
        done: True where a place is known.
    """

    columns: Floats
    rows: Floats
    done: NDArray[np.bool_]


def quadratics(low: Floats, middle: Floats, high: Floats) -> Floats:
    """Coefficients (3, ...) of the quadratics through values at -1, 0 and 1."""
    return np.stack([middle, (high - low) / 2.0, (high + low) / 2.0 - middle])


def _between(ground: Floats, corners: tuple[int, int, int, int], shares: tuple[float, float]) -> float:
    """Height between four pixels, bilinear [m]: without the voids among them, NaN if all are voids.

    Args:
        ground: Heights, (y, x) [m]; NaN in voids.
        corners: Row and column of the first pixel, and of the last.
        shares: Shares of the way to the last one, along the columns and along the rows, 0 to 1.
    """
    m, n, m1, n1 = corners
    right, below = shares
    here = (ground[m, n] * (1.0 - right) + ground[m, n1] * right) * (1.0 - below)
    here += (ground[m1, n] * (1.0 - right) + ground[m1, n1] * right) * below
    if not np.isnan(here):
        return float(here)
    total, weights = 0.0, 0.0
    for k in range(4):
        share = (below if k // 2 else 1.0 - below) * (right if k % 2 else 1.0 - right)
        value = ground[m1 if k // 2 else m, n1 if k % 2 else n]
        if not np.isnan(value):
            total += value * share
            weights += share
    return total / weights if weights > 0.0 else np.nan


def _line(nodes: Floats, at: float, line: Floats) -> None:
    """Fill a row of nodes, (``FIELDS``, column node), between two rows of them.

    Args:
        nodes: Fields at nodes, (``FIELDS``, row node, column node).
        at: Row, counted in nodes.
        line: Fields of the row; filled.
    """
    i = int(at)
    down = at - i
    for f in range(line.shape[0]):
        for k in range(line.shape[1]):
            line[f, k] = nodes[f, i, k] + (nodes[f, i + 1, k] - nodes[f, i, k]) * down


def _stretch(  # noqa: PLR0917 (compiled functions take positions)
    line: Floats, across: Floats, stretch: tuple[int, int, int], ground: HeightRaster, places: ImagePlaces
) -> None:
    """Fill the places of the pixels of a row between two nodes of ``line``, (``FIELDS``, column node).

    ``stretch`` is the node on the left, the first pixel, and the pixel after the last; the rest as for ``place_on_terrain``.
    """
    j, start, stop = stretch
    top, left, height, width = ground.part
    heights, middle, reach = ground.heights, ground.middle, ground.reach
    columns, rows, done = places
    a0, a1, a2 = line[0, j], line[1, j], line[2, j]
    b0, b1, b2 = line[3, j], line[4, j], line[5, j]
    c, r, g = line[6, j] - 0.5, line[7, j] - 0.5, line[8, j] - middle
    da0, da1, da2 = line[0, j + 1] - a0, line[1, j + 1] - a1, line[2, j + 1] - a2
    db0, db1, db2 = line[3, j + 1] - b0, line[4, j + 1] - b1, line[5, j + 1] - b2
    dc, dr, dg = line[6, j + 1] - line[6, j], line[7, j + 1] - line[7, j], line[8, j + 1] - line[8, j]
    for x in range(start, stop):
        t = across[x] - j
        column, row = c + dc * t, r + dr * t
        if done[x] or not (-0.5 <= column <= width - 0.5 and -0.5 <= row <= height - 0.5):
            continue
        column, row = min(max(column, 0.0), width - 1.0), min(max(row, 0.0), height - 1.0)
        n, m = int(column), int(row)
        right, below = column - n, row - m
        n1, m1 = min(n + 1, width - 1) - left, min(m + 1, height - 1) - top
        n, m = n - left, m - top
        if n < 0 or m < 0 or n1 >= heights.shape[1] or m1 >= heights.shape[0]:
            continue
        z = (_between(heights, (m, n, m1, n1), (right, below)) + (g + dg * t)) / reach
        if abs(z) > 1.0:
            continue
        columns[x] = (a0 + da0 * t) + z * ((a1 + da1 * t) + z * (a2 + da2 * t))
        rows[x] = (b0 + db0 * t) + z * ((b1 + db1 * t) + z * (b2 + db2 * t))
        done[x] = True


@using(_between, _line, _stretch)
def place_on_terrain(  # noqa: PLR0917 (as above)
    nodes: Floats, along: Floats, across: Floats, ground: HeightRaster, places: ImagePlaces
) -> None:
    """Fill the places of pixels that a raster of heights covers; NaN in its voids.

    A pixel beyond the raster, beyond the model's heights or without a sound node beside it is left as it is.

    Args:
        nodes: Fields at nodes, (``FIELDS``, row node, column node).
        along: Rows of the pixels, counted in nodes, (y,).
        across: Their columns, counted in nodes, ascending, (x,).
        ground: The raster of heights.
        places: Places of the pixels, (y, x); filled where they are not done.
    """
    columns, rows, done = places
    line = np.empty((nodes.shape[0], nodes.shape[2]))
    for y in range(columns.shape[0]):
        _line(nodes, along[y], line)
        row, stop = ImagePlaces(columns[y], rows[y], done[y]), 0
        while stop < columns.shape[1]:
            start, j = stop, int(across[stop])
            while stop < columns.shape[1] and across[stop] < j + 1:
                stop += 1
            # Neighbours on two sides of the antimeridian are not beside each other on the raster.
            if not abs(line[6, j + 1] - line[6, j]) < 0.5 * ground.part[3] + 1.0 or np.isnan(line[:, j : j + 2]).any():
                continue
            _stretch(line, across, (j, start, stop), ground, row)


@compiled
def extent(places: Floats) -> tuple[float, float, float]:
    """Lowest and highest of places, (y, x), and the most that neighbours differ; NaN without a place."""
    low, high, step = np.inf, -np.inf, 0.0
    for y in range(places.shape[0]):
        for x in range(places.shape[1]):
            here = places[y, x]
            low, high = min(low, here) if here < low else low, max(high, here) if here > high else high
            if x and abs(here - places[y, x - 1]) > step:
                step = abs(here - places[y, x - 1])
            if y and abs(here - places[y - 1, x]) > step:
                step = abs(here - places[y - 1, x])
    return (low, high, step) if low <= high else (np.nan, np.nan, 0.0)
