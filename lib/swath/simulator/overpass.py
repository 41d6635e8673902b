"""One overpass: when, from where, through which air and below which clouds the sensor looked."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere
from swath.grid import Grid
from swath.simulator.clouds import Sky, make_sky
from swath.simulator.landscape import Landscape
from swath.simulator.noise import F64
from swath.simulator.request import Air, SceneRequest
from swath.simulator.six_s import check_air
from swath.simulator.sun import sun_position

#: Latitude and longitude near the world's origin [deg].
PLACE_DEG = (54.03, 13.6)

AngleArrays = tuple[F64, F64, F64, F64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """A quantity that changes evenly over the map: ``centre + east (x - x0) + north (y - y0)`` [deg, m]."""

    centre: float
    east: float = 0.0
    north: float = 0.0

    def at(self, dx_m: F64, dy_m: F64) -> F64:
        """Values at distances from the point where it is ``centre``; shapes broadcast."""
        return self.centre + self.east * dx_m + self.north * dy_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The positions of sun and sensor, over the map.

    Args:
        origin_m: The point where the slopes have their centre value [map coordinates, m].
        sun_zenith, sun_azimuth, view_zenith, view_azimuth: [deg].
    """

    origin_m: tuple[float, float]
    sun_zenith: Slope
    sun_azimuth: Slope
    view_zenith: Slope = field(default_factory=lambda: Slope(centre=0.0))
    view_azimuth: Slope = field(default_factory=lambda: Slope(centre=0.0))

    @property
    def centre(self) -> tuple[float, float, float]:
        """Sun zenith, view zenith, and azimuth of the sun minus azimuth of the view [deg] at the origin."""
        return self.sun_zenith.centre, self.view_zenith.centre, self.sun_azimuth.centre - self.view_azimuth.centre

    @property
    def even(self) -> bool:
        """Whether the angles are the same everywhere."""
        slopes = (self.sun_zenith, self.sun_azimuth, self.view_zenith, self.view_azimuth)
        return all(s.east == 0.0 and s.north == 0.0 for s in slopes)

    def at(self, x_m: F64, y_m: F64) -> AngleArrays:
        """Sun zenith, sun azimuth, view zenith, view azimuth [deg]; shapes broadcast."""
        dx, dy = x_m - self.origin_m[0], y_m - self.origin_m[1]
        return (
            self.sun_zenith.at(dx, dy),
            self.sun_azimuth.at(dx, dy),
            self.view_zenith.at(dx, dy),
            self.view_azimuth.at(dx, dy),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A side of the imaged swath: points with ``east x + north y + offset >= 0`` were seen."""

    east: float
    north: float
    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overpass:
    """Everything about one acquisition but the sensor's numbers.

    Args:
        acquired: Scene centre, UTC.
        geometry: Angles.
        atmosphere: The air, even over the scene.
        landscape: Landscape below the satellite.
        sky: The clouds between.
        edges: Sides of the swath within the grid.
        air: Radiative transfer from the ground to the sensor.
    """

    acquired: datetime
    geometry: Geometry
    atmosphere: Atmosphere
    landscape: Landscape
    sky: Sky
    edges: tuple[Edge, ...]
    air: Air = "smac"

    def seen(self, x_m: F64, y_m: F64) -> NDArray[np.bool_]:
        """True where the sensor took data; columns ``x_m`` and rows ``y_m`` [map coordinates, m], (y, x)."""
        inside = np.ones((y_m.size, x_m.size), np.bool_)
        for edge in self.edges:
            inside &= edge.east * x_m[None, :] + edge.north * y_m[:, None] + edge.offset >= 0.0
        return inside


def sun_over(acquired: datetime) -> tuple[float, float]:
    """Sun zenith and azimuth [deg] over the simulated place."""
    elevation, azimuth = sun_position(acquired, latitude_deg=PLACE_DEG[0], longitude_deg=PLACE_DEG[1])
    return 90.0 - elevation, azimuth


def make_overpass(request: SceneRequest, *, platform: str, grid: Grid, geometry: Geometry, edges: tuple[Edge, ...]) -> Overpass:
    """An overpass above the grid's extent; clouds differ from day to day, the place does not.

    Raises:
        ConfigError: 6S is asked for, and has no numbers for this geometry.
    """
    if request.air == "6s":
        check_air(platform=platform, angles=geometry.centre, atmosphere=request.atmosphere)
    sun_zenith, sun_azimuth = geometry.sun_zenith.centre, geometry.sun_azimuth.centre
    sky = make_sky(
        seed=request.seed * 1009 + request.acquired.toordinal(),
        cover=request.clouds,
        extent_m=grid.bounds,
        sun_zenith_deg=sun_zenith,
        sun_azimuth_deg=sun_azimuth,
    )
    return Overpass(
        acquired=request.acquired,
        geometry=geometry,
        atmosphere=request.atmosphere,
        landscape=Landscape(seed=request.seed, sun_azimuth_deg=sun_azimuth),
        sky=sky,
        edges=edges,
        air=request.air,
    )


def edges_of(grid: Grid, *, corners: tuple[tuple[float, float], ...]) -> tuple[Edge, ...]:
    """Sides of the swath through ``corners``, in fractions of the grid's width and height from the top left.

    Corners run clockwise as seen on the map; the last side joins the last corner to the first.
    """
    left, bottom, right, top = grid.bounds
    points = [(left + u * (right - left), top - v * (top - bottom)) for u, v in corners]
    edges = []
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        east, north = y1 - y0, -(x1 - x0)
        edges.append(Edge(east=east, north=north, offset=-(east * x0 + north * y0)))
    return tuple(edges)
