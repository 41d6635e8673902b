"""Rings of longitude and latitude around a Sentinel-2 tile's data."""

from math import isclose

from rasterio.warp import transform

from swath.errors import MetadataError
from swath.grid import Grid
from swath.readers.gdal_env import gdal_env
from swath.readers.sentinel2_product import Footprint

WGS84 = "EPSG:4326"
_HALF_TURN_DEG = 180.0
_TURN_DEG = 360.0


def footprint_of_ring(ring: list[tuple[float, float]], *, crs: str) -> Footprint:
    """Corners of a ring in map units as (longitude, latitude) [deg]."""
    with gdal_env():
        lons, lats = transform(crs, WGS84, [x for x, _ in ring], [y for _, y in ring])[:2]
    return tuple(zip(lons, lats, strict=True))


def footprint_of_grid(grid: Grid) -> Footprint:
    """Corners of a grid as a closed ring of (longitude, latitude) [deg]."""
    left, bottom, right, top = grid.bounds
    ring = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return footprint_of_ring(ring, crs=grid.crs)


def bbox_of(footprint: Footprint) -> tuple[float, float, float, float]:
    """(west, south, east, north) [deg]; west is greater than east across the antimeridian (RFC 7946, section 5.2).

    Raises:
        MetadataError: There is no ring.
    """
    if not footprint:
        raise MetadataError("there is no footprint", expected="a ring of longitudes and latitudes")
    lons, lats = _unrolled(footprint), [lat for _, lat in footprint]
    return (_rolled(min(lons)), min(lats), _rolled(max(lons)), max(lats))


def centroid_of(footprint: Footprint) -> tuple[float, float]:
    """(longitude, latitude) [deg] of the centroid of the ring's area, in degrees as if they were a plane.

    The formula is the shoelace sum (Bourke 1988, "Calculating the area and centroid of a polygon"); the mean of the
    corners where the ring has no area.
    """
    lons, lats = _unrolled(footprint), [lat for _, lat in footprint]
    lon0, lat0 = lons[0], lats[0]
    x, y = [lon - lon0 for lon in lons], [lat - lat0 for lat in lats]
    cross = [x[i] * y[i + 1] - x[i + 1] * y[i] for i in range(len(x) - 1)]
    area = sum(cross) / 2.0
    if isclose(area, 0.0, abs_tol=1e-12):
        return _rolled(lon0 + sum(x) / len(x)), lat0 + sum(y) / len(y)
    east = sum((x[i] + x[i + 1]) * c for i, c in enumerate(cross)) / (6.0 * area)
    north = sum((y[i] + y[i + 1]) * c for i, c in enumerate(cross)) / (6.0 * area)
    return _rolled(lon0 + east), lat0 + north


def _unrolled(footprint: Footprint) -> list[float]:
    """Longitudes without the jump at the antimeridian: within half a turn of the first."""
    first = footprint[0][0]
    return [first + (lon - first + _HALF_TURN_DEG) % _TURN_DEG - _HALF_TURN_DEG for lon, _ in footprint]


def _rolled(lon: float) -> float:
    if -_HALF_TURN_DEG <= lon <= _HALF_TURN_DEG:
        return lon
    return (lon + _HALF_TURN_DEG) % _TURN_DEG - _HALF_TURN_DEG
