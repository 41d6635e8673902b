"""Directions to the sun and to the satellite on Sentinel-2's 5 km grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from swath.errors import MetadataError
from swath.grid import Grid
from swath.readers.sentinel2_bands import native_of_index
from swath.readers.sentinel2_fields import Fields

#: Delivered grids have 23 x 23 nodes; anything far larger is not one.
MAX_NODES_A_SIDE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """A direction seen from the ground [deg]: zenith angle, and azimuth clockwise from north."""

    zenith_deg: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionGrid:
    """Directions at the nodes: two arrays (row, column) [deg], row 0 in the north, without gaps."""

    zenith_deg: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AngleGrids:
    """All directions of a granule, on one grid of nodes.

    Args:
        crs: Of the coordinates.
        left: x of the first column of nodes, map units: the tile's left edge.
        top: y of the first row of nodes: the tile's top edge.
        dx: Between columns.
        dy: Between rows, going south.
        sun: Directions to the sun.
        views: Directions to the satellite by native band id, detectors merged.
    """

    crs: str
    left: float
    top: float
    dx: float
    dy: float
    sun: DirectionGrid
    views: Mapping[str, DirectionGrid]


def mean_directions(fields: Fields) -> dict[str, Direction]:
    """Mean directions to the satellite by native band id; bands without a finite one are left out."""
    means: dict[str, Direction] = {}
    for element in fields.every("Mean_Viewing_Incidence_Angle"):
        native, inside = native_of_index(element.get("bandId", "")), Fields(element, fields.source)
        if native is not None and "nan" not in (inside.text("ZENITH_ANGLE") + inside.text("AZIMUTH_ANGLE")).lower():
            means[native] = Direction(zenith_deg=inside.number("ZENITH_ANGLE"), azimuth_deg=inside.number("AZIMUTH_ANGLE"))
    return means


def mean_azimuth(azimuths_deg: Sequence[float]) -> float:
    """Arithmetic mean of azimuths [deg], taken around the first one, so that 359 and 1 give 0; in [0, 360)."""
    first = azimuths_deg[0]
    turns = [(azimuth - first + 180.0) % 360.0 - 180.0 for azimuth in azimuths_deg]
    mean = (first + sum(turns) / len(turns)) % 360.0
    return mean if mean < 360.0 else 0.0


def azimuth_of(east: NDArray[np.float64], north: NDArray[np.float64]) -> NDArray[np.float64]:
    """Azimuths [deg] in [0, 360) of vectors by their east and north parts, of any equal shape."""
    azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    # The remainder of a tiny negative number rounds up to 360.
    return np.where(azimuth < 360.0, azimuth, 0.0)


def angle_grids(fields: Fields, *, origin: Grid, views: Mapping[str, Direction]) -> AngleGrids | None:
    """The granule's angle grids: detectors merged, gaps filled from the nearest node.

    Nodes that two detectors see get the mean of both directions. A band without a grid gets its mean direction
    everywhere.

    Args:
        fields: The granule's metadata.
        origin: Any of the granule's grids: where the first node lies.
        views: Mean directions by native band id.

    Returns:
        The grids; None when the granule has none.

    Raises:
        MetadataError: A grid is not one (ragged, another shape than the sun's, no finite value at all).
    """
    element = fields.first("Sun_Angles_Grid")
    if element is None:
        return None
    dx, dy = _steps(element, source=fields.source)
    sun = _merged([element], source=fields.source)
    by_band: dict[str, list[Element]] = {}
    for grid in fields.every("Viewing_Incidence_Angles_Grids"):
        native = native_of_index(grid.get("bandId", ""))
        if native is not None:
            by_band.setdefault(native, []).append(grid)
    shape = sun.zenith_deg.shape
    constant = {
        native: DirectionGrid(zenith_deg=np.full(shape, d.zenith_deg), azimuth_deg=np.full(shape, d.azimuth_deg))
        for native, d in views.items()
    }
    merged = {native: _merged(grids, source=fields.source, shape=shape) for native, grids in by_band.items()}
    return AngleGrids(crs=origin.crs, left=origin.left, top=origin.top, dx=dx, dy=dy, sun=sun, views={**constant, **merged})


def _steps(element: Element, *, source: str) -> tuple[float, float]:
    fields = Fields(element, source)
    dx, dy = fields.number("COL_STEP"), fields.number("ROW_STEP")
    if dx <= 0 or dy <= 0:
        raise MetadataError("the steps of an angle grid are not positive", got=f"{dx}, {dy} in {source}")
    return dx, dy


def _merged(grids: list[Element], *, source: str, shape: tuple[int, ...] | None = None) -> DirectionGrid:
    zeniths = np.stack([_values(grid, name="Zenith", source=source, shape=shape) for grid in grids])
    azimuths = np.stack([_values(grid, name="Azimuth", source=source, shape=zeniths.shape[1:]) for grid in grids])
    seen = np.isfinite(zeniths) & np.isfinite(azimuths)
    number = seen.sum(axis=0)
    if not number.any():
        raise MetadataError(
            "an angle grid has no finite value",
            expected="degrees",
            got=f"only NaN in {source}",
            remedy="Fetch the delivery again.",
        )
    zenith = np.where(seen, zeniths, 0.0).sum(axis=0) / np.maximum(number, 1)
    radians = np.radians(np.where(seen, azimuths, 0.0))
    east, north = (np.where(seen, part, 0.0).sum(axis=0) for part in (np.sin(radians), np.cos(radians)))
    # A node that one detector sees keeps the very number delivered.
    alone = np.take_along_axis(azimuths, seen.argmax(axis=0)[None], axis=0)[0]
    azimuth = np.where(number == 1, alone, azimuth_of(east, north))
    nearest = _nearest(number > 0)
    return DirectionGrid(zenith_deg=zenith.ravel()[nearest], azimuth_deg=azimuth.ravel()[nearest])


def _nearest(seen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Flat index of the nearest seen node for every node, (row, column); of equally near ones the first in row order."""
    rows, cols = np.indices(seen.shape)
    known = np.flatnonzero(seen)
    far = (rows.ravel()[:, None] - rows.ravel()[known]) ** 2 + (cols.ravel()[:, None] - cols.ravel()[known]) ** 2
    return np.asarray(known[far.argmin(axis=1)].reshape(seen.shape), dtype=np.intp)


def _values(grid: Element, *, name: str, source: str, shape: tuple[int, ...] | None) -> NDArray[np.float64]:
    element = Fields(grid, source).first(name)
    rows = [] if element is None else [(v.text or "").split() for v in Fields(element, source).every("VALUES")]
    widths = {len(row) for row in rows}
    try:
        values = np.array(rows, dtype=np.float64) if len(widths) == 1 else np.empty((0, 0))
    except ValueError:
        values = np.empty((0, 0))
    fits = values.ndim == 2 and values.size and max(values.shape) <= MAX_NODES_A_SIDE
    if not fits or (shape is not None and values.shape != shape):
        raise MetadataError(
            "an angle grid is broken",
            expected=f"{shape or 'equal'} rows and columns of numbers",
            got=f"{name}: {len(rows)} rows of {sorted(widths)} in {source}",
            remedy="Fetch the delivery again.",
        )
    return values
