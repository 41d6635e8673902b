"""Directions to the sun and to the satellite on Sentinel-2's 5 km grid."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid
from swath.readers.sentinel2.bands import NAME_BY_NATIVE, NATIVE_IDS, native_of_index
from swath.readers.sentinel2.fields import Fields

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
        crs: CRS of the coordinates.
        left: x of the first column of nodes, map units: the tile's left edge.
        top: y of the first row of nodes: the tile's top edge.
        dx: Between columns.
        dy: Between rows, going south.
        sun: Directions to the sun.
        views: Directions to the satellite by native band id, detectors merged.
        gaps: Why a band has one direction everywhere instead of a grid of its own, in words, by native band id.
        unusable: Those of them whose grid was delivered without a usable value.
    """

    crs: str
    left: float
    top: float
    dx: float
    dy: float
    sun: DirectionGrid
    views: Mapping[str, DirectionGrid]
    gaps: Mapping[str, str] = field(default_factory=dict)
    unusable: frozenset[str] = frozenset()


def mean_directions(fields: Fields) -> dict[str, Direction]:
    """Mean directions to the satellite by native band id; bands without a usable one are left out."""
    means: dict[str, Direction] = {}
    for element in fields.every("Mean_Viewing_Incidence_Angle"):
        native, inside = native_of_index(element.get("bandId", "")), Fields(element, fields.source)
        zenith, azimuth = (_number(inside.optional(name)) for name in ("ZENITH_ANGLE", "AZIMUTH_ANGLE"))
        if native is not None and 0.0 <= zenith < 90.0 and isfinite(azimuth):
            means[native] = Direction(zenith_deg=zenith, azimuth_deg=azimuth)
    return means


def mean_direction(directions: Iterable[Direction]) -> Direction | None:
    """Mean of directions; None when there are none."""
    known = tuple(directions)
    if not known:
        return None
    zenith_deg = sum(d.zenith_deg for d in known) / len(known)
    return Direction(zenith_deg=zenith_deg, azimuth_deg=mean_azimuth([d.azimuth_deg for d in known]))


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

    Nodes that two detectors see get the mean of both directions. A band without a usable grid gets its mean direction
    everywhere, without that the mean over the bands that have one.

    Args:
        fields: The granule's metadata.
        origin: Any of the granule's grids: where the first node is.
        views: Mean directions by native band id.

    Returns:
        The grids; None when the granule has none of the sun, or says nothing of any view.
    """
    element = fields.first("Sun_Angles_Grid")
    steps = _steps(element, source=fields.source) if element is not None else None
    sun = _merged([element]) if element is not None else None
    if steps is None or sun is None:
        return None
    by_band: dict[str, list[Element]] = {}
    for grid in fields.every("Viewing_Incidence_Angles_Grids"):
        native = native_of_index(grid.get("bandId", ""))
        if native is not None:
            by_band.setdefault(native, []).append(grid)
    shape = sun.zenith_deg.shape
    merged = {n: m for n, grids in by_band.items() if (m := _merged(grids, shape=shape)) is not None}
    means = {**{n: mean_of(grid) for n, grid in merged.items()}, **views}
    common = mean_direction(means.values())
    if common is None:
        return None
    gaps = {n: _gap(n, delivered=n in by_band, mean=n in views) for n in NATIVE_IDS if n not in merged}
    constant = {n: _everywhere(views.get(n, common), shape=shape) for n in gaps}
    dx, dy = steps
    return AngleGrids(
        crs=origin.crs, left=origin.left, top=origin.top, dx=dx, dy=dy, sun=sun, views={**constant, **merged}, gaps=gaps,
        unusable=frozenset(gaps).intersection(by_band),
    )  # fmt: skip


def angle_notes(grids: AngleGrids | None, *, bands: Collection[str]) -> dict[str, str]:
    """What an item says of angles that are not per pixel, by name.

    Args:
        grids: Grids of the granule.
        bands: Native ids of the bands of the delivery.
    """
    if grids is None:
        return {"angles": "the granule has no angle grids; mean angles are used everywhere"}
    told = {n: why for n, why in grids.gaps.items() if n in bands or n in grids.unusable}
    return {f"angles_{NAME_BY_NATIVE[native]}": why for native, why in told.items()}


def _gap(native: str, *, delivered: bool, mean: bool) -> str:
    lack = f"the grid of view angles of {native} has no usable value" if delivered else f"{native} has no grid of view angles"
    whose = "its mean direction" if mean else "the mean direction of the other bands"
    return f"{lack}; {whose} is used everywhere"


def _everywhere(direction: Direction, *, shape: tuple[int, ...]) -> DirectionGrid:
    return DirectionGrid(zenith_deg=np.full(shape, direction.zenith_deg), azimuth_deg=np.full(shape, direction.azimuth_deg))


def mean_of(grid: DirectionGrid) -> Direction:
    """Mean direction over the nodes."""
    zenith, azimuth = float(grid.zenith_deg.mean()), mean_azimuth(grid.azimuth_deg.ravel().tolist())
    return Direction(zenith_deg=zenith, azimuth_deg=azimuth)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _steps(element: Element, *, source: str) -> tuple[float, float] | None:
    """Spacing of the columns and of the rows; None when it is none."""
    fields = Fields(element, source)
    dx, dy = (_number(fields.optional(name)) for name in ("COL_STEP", "ROW_STEP"))
    return (dx, dy) if 0.0 < dx < inf and 0.0 < dy < inf else None


def _merged(grids: list[Element], *, shape: tuple[int, ...] | None = None) -> DirectionGrid | None:
    """The detectors' grids as one; None when no node of them is usable. Grids of another shape are passed over."""
    pairs = [(_values(grid, name="Zenith"), _values(grid, name="Azimuth")) for grid in grids]
    shape = shape or next((z.shape for z, a in pairs if z is not None and a is not None), None)
    usable = [(z, a) for z, a in pairs if z is not None and a is not None and z.shape == a.shape == shape]
    if not usable:
        return None
    zeniths, azimuths = np.stack([z for z, _ in usable]), np.stack([a for _, a in usable])
    with np.errstate(invalid="ignore"):
        seen = (zeniths >= 0.0) & (zeniths < 90.0) & np.isfinite(azimuths)
    number = seen.sum(axis=0)
    if not number.any():
        return None
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


def _values(grid: Element, *, name: str) -> NDArray[np.float64] | None:
    """A grid of numbers, (row, column); None when it is none."""
    element = Fields(grid, "").first(name)
    rows = [] if element is None else [(v.text or "").split() for v in Fields(element, "").every("VALUES")]
    if len({len(row) for row in rows}) != 1:
        return None
    try:
        values = np.array(rows, dtype=np.float64)
    except ValueError:
        return None
    return values if values.size and max(values.shape) <= MAX_NODES_A_SIDE else None
