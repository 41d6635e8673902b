"""Where on the globe a raster is, as a box of longitude and latitude: to compare with what a delivery says of its place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Final

import numpy as np
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.warp import transform

from swath.algo.raw_image import model_of
from swath.grid import Grid
from swath.readers.files.gdal_env import gdal_env

WGS84: Final = "EPSG:4326"
#: Places a side at which a grid's longitude and latitude are taken.
_PLACES: Final = 5
#: Boxes that are kept.
_MOST_BOXES: Final = 256
_HALF_TURN: Final = 180.0
_TURN: Final = 360.0
_POLE: Final = 90.0
#: A ring as wide as this is around the whole globe; one that crosses the antimeridian is narrower by a metre at least.
_ALL_AROUND: Final = 359.99999
#: Statements that are this far off are of another place [deg of latitude]: 11 km, more than any rounding of a box.
SLACK_DEG: Final = 0.1


@dataclass(frozen=True, slots=True)
class GlobeBox:
    """A box of degrees; across the antimeridian ``east`` is beyond 180.

    Args:
        west: Longitude of its western side [deg].
        south: Latitude of its southern side [deg].
        east: Longitude of its eastern side [deg], at least ``west``.
        north: Latitude of its northern side [deg].
    """

    west: float
    south: float
    east: float
    north: float

    def __str__(self) -> str:
        """West, south, east and north, to a thousandth of a degree."""
        return f"{self.west:.3f}, {self.south:.3f}, {self.east:.3f}, {self.north:.3f}"

    def within(self, other: "GlobeBox", *, slack_deg: float) -> bool:
        """Whether the box is inside another one, but for a slack."""
        north = self.south >= other.south - slack_deg and self.north <= other.north + slack_deg
        return north and any(
            self.west + turn >= other.west - slack_deg and self.east + turn <= other.east + slack_deg
            for turn in (-_TURN, 0.0, _TURN)
        )

    def gap_deg(self, other: "GlobeBox") -> float:
        """How far apart two boxes are [deg of latitude]; 0 where they meet."""
        north = max(self.south - other.north, other.south - self.north, 0.0)
        east = min(max(self.west - other.east - turn, other.west + turn - self.east, 0.0) for turn in (-_TURN, 0.0, _TURN))
        nearest = min(_POLE, max(abs(lat) for lat in (self.south, self.north, other.south, other.north)))
        return float(max(north, east * np.cos(np.radians(nearest))))


@lru_cache(maxsize=_MOST_BOXES)
def box_of(grid: Grid) -> GlobeBox | None:
    """Where a raster is; None where its coordinates have no longitude and latitude. Kept, because scenes of a place share it.

    Args:
        grid: Grid of the raster; of a raw image where its model holds.
    """
    if grid.raw:
        rpc = model_of(grid.crs).rpc
        return GlobeBox(
            rpc.long_off - rpc.long_scale, rpc.lat_off - rpc.lat_scale, rpc.long_off + rpc.long_scale, rpc.lat_off + rpc.lat_scale
        )
    left, bottom, right, top = grid.bounds
    x, y = np.meshgrid(np.linspace(left, right, _PLACES), np.linspace(bottom, top, _PLACES))
    try:
        with gdal_env():
            lons, lats = transform(grid.crs, WGS84, x.ravel(), y.ravel())[:2]
    except (RasterioError, CPLE_BaseError):  # a plan of a building, another planet
        return None
    return around(zip(lons, lats, strict=True))


def around(places: Iterable[Sequence[float]]) -> GlobeBox | None:
    """The box around places of (longitude, latitude) [deg]; None where none of them is on the globe."""
    found = np.array([place[:2] for place in places if _on_globe(place)], float)
    if not len(found):
        return None
    lons, lats = found.T
    west, east = float(lons.min()), float(lons.max())
    if _HALF_TURN < east - west < _ALL_AROUND:
        # Either side of the antimeridian, or all around a pole.
        lons = np.where(lons < 0.0, lons + _TURN, lons)
        west, east = float(lons.min()), float(lons.max())
    if east - west > _HALF_TURN:
        west, east = -_HALF_TURN, _HALF_TURN
    return GlobeBox(west, float(lats.min()), east, float(lats.max()))


def _on_globe(place: Sequence[float]) -> bool:
    lon, lat = place[0], place[1]
    return isfinite(lon) and isfinite(lat) and abs(lon) <= _TURN and abs(lat) <= _POLE
