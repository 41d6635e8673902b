"""Mappings: where in an image the places of a map are. The seam between two grids, and between a grid and a raw image."""

import os
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from swath.errors import GeometryError
from swath.grid import RAW, Grid

#: Metres of a degree along the equator.
METRES_A_DEGREE = 111_319.49
Places = tuple[NDArray[np.float64], NDArray[np.float64]]


@runtime_checkable
class Mapping(Protocol):
    """From places on a map to places in an image: a frozen value that crosses processes, the same answer for each point alone.

    Columns and rows are counted in pixels of the whole image from its first edge: the centre of the first pixel is 0.5.
    """

    @property
    def crs(self) -> str:
        """The coordinate system of ``x`` and ``y``: ``EPSG:<code>`` or WKT."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image [px]."""
        ...

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Places:
        """Columns and rows of places on the map, of any one shape; NaN where the image has no such place."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedMapping:
    """An image on a map grid, north-up or not: projection by PROJ, then the inverse of the grid's transform.

    Args:
        crs: CRS of the places that are asked for.
        source: The image's grid.
    """

    crs: str
    source: Grid

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image [px]."""
        return (self.source.height, self.source.width)

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Places:
        """Columns and rows of places on the map; NaN where the image's projection is not defined."""
        u, v = project(x, y, source=self.crs, target=self.source.crs)
        if is_geographic(self.source.crs):
            # A place is looked for on the side of the antimeridian where the image is.
            left, _, right, _ = self.source.bounds
            centre = (left + right) / 2.0
            u = centre + (u - centre + 180.0) % 360.0 - 180.0
        columns, rows = self.source.pixels_of(u, v)
        return np.asarray(columns), np.asarray(rows)


def project(x: NDArray[np.float64], y: NDArray[np.float64], *, source: str, target: str) -> Places:
    """Places of one coordinate system in another, east before north; NaN where the projection is not defined.

    Args:
        x: Eastings or longitudes [map units or deg], any shape.
        y: Northings or latitudes, of that shape.
        source: Coordinate system of the places.
        target: Coordinate system of the answer.

    Raises:
        GeometryError: A coordinate system is unknown.
    """
    if source == target:
        return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    u, v = transformer(source, target).transform(x, y)
    u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
    lost = ~(np.isfinite(u) & np.isfinite(v))
    return np.where(lost, np.nan, u), np.where(lost, np.nan, v)


@lru_cache(maxsize=32)
def transformer(source: str, target: str) -> Any:
    """PROJ's transformation between two coordinate systems, east before north.

    Raises:
        GeometryError: A coordinate system is unknown.
    """
    # Imported here: a process that warps nothing need not load PROJ's tables.
    from pyproj import Transformer  # noqa: PLC0415

    return Transformer.from_crs(crs_of(source), crs_of(target), always_xy=True)


@lru_cache(maxsize=32)
def inexact(source: str, target: str) -> tuple[float, str] | None:
    """Accuracy [m] of the transformation that PROJ has, and what it lacks for a better one; None where it has the best.

    The accuracy is negative where it is not stated.
    """
    from pyproj.transformer import TransformerGroup  # noqa: PLC0415  as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there is a better one: that is what is asked
        group = TransformerGroup(crs_of(source), crs_of(target), always_xy=True)
    if group.best_available or not group.unavailable_operations:
        return None
    lacking = sorted({g.short_name for op in group.unavailable_operations[:1] for g in op.grids if not g.available})
    accuracy = group.transformers[0].accuracy if group.transformers else -1.0
    return float(accuracy), ", ".join(lacking) or group.unavailable_operations[0].name


@lru_cache(maxsize=32)
def crs_of(text: str) -> Any:
    """A coordinate system as PROJ knows it.

    Raises:
        GeometryError: PROJ does not know it.
    """
    from pyproj import CRS  # noqa: PLC0415  as above
    from pyproj.exceptions import CRSError  # noqa: PLC0415

    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise GeometryError(
            "a coordinate system is unknown",
            expected="EPSG:<code> or WKT that PROJ knows",
            got=f"{text[:60]!r}",
            remedy="Check its spelling.",
        ) from error


def data_folders() -> tuple[str, ...]:
    """Folders in which PROJ has its grids."""
    from pyproj.datadir import get_data_dir  # noqa: PLC0415  as above

    return tuple(get_data_dir().split(os.pathsep))


def is_geographic(text: str) -> bool:
    """Whether the coordinate system is in degrees of longitude and latitude.

    Raises:
        GeometryError: PROJ does not know it.
    """
    return not text.startswith(RAW) and bool(crs_of(text).is_geographic)


def pixels_across(grid: Grid, other: Grid) -> tuple[float, float]:
    """How many pixels of another grid a pixel of this one is high and wide, at this one's centre; NaN where nothing is.

    Args:
        grid: Upright.
        other: Grid in any coordinate system, upright or not.
    """
    if other.raw:
        # Raw images tell their nominal ground sampling.
        metres = METRES_A_DEGREE if is_geographic(grid.crs) else 1.0
        return grid.dy * metres / other.dy, grid.dx * metres / other.dx
    if grid.crs == other.crs and other.upright:
        return grid.dy / other.dy, grid.dx / other.dx
    x, y = grid.left + grid.width / 2.0 * grid.dx, grid.top - grid.height / 2.0 * grid.dy
    corners = np.array([[x, y], [x + grid.dx, y], [x, y - grid.dy]])
    columns, rows = ProjectedMapping(crs=grid.crs, source=other).locate(corners[:, 0], corners[:, 1])
    sides = np.abs(np.diff(rows[[1, 0, 2]])), np.abs(np.diff(columns[[1, 0, 2]]))
    return float(sides[0].sum()), float(sides[1].sum())


def utm_zone(longitude_deg: float, latitude_deg: float) -> str:
    """``EPSG:<code>`` of the UTM zone (WGS 84) of a place; the regular zones, without the exceptions of Norway and Svalbard."""
    zone = int((longitude_deg + 180.0) % 360.0 // 6.0) + 1
    return f"EPSG:{(32600 if latitude_deg >= 0.0 else 32700) + zone}"


def stretch(x: NDArray[np.float64], y: NDArray[np.float64], *, crs: str, step: float) -> list[float]:
    """Length on the map for one on the ground, to the east and to the south of places.

    Args:
        x: Eastings [map units], (n,).
        y: Northings [map units], (n,).
        crs: Coordinate system, in metres.
        step: Length on the map that is measured.
    """
    geod = crs_of(crs).get_geod()
    lon, lat = project(x, y, source=crs, target="EPSG:4326")
    found: list[float] = []
    for dx, dy in ((step, 0.0), (0.0, -step)):
        end_lon, end_lat = project(x + dx, y + dy, source=crs, target="EPSG:4326")
        found += (step / geod.inv(lon, lat, end_lon, end_lat)[2]).tolist()
    return found
