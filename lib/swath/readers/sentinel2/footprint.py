"""Rings of longitude and latitude around a Sentinel-2 tile's data."""

from rasterio.warp import transform

from swath.grid import Grid
from swath.readers.files.gdal_env import gdal_env
from swath.readers.sentinel2.product import Footprint

WGS84 = "EPSG:4326"


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
