"""Where a raster has data: a few of its places, to compare with the outline that a delivery states."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import transform

from swath.readers.files.gdal_env import gdal_env, openable
from swath.readers.files.patient import patiently
from swath.readers.pixels.whereabouts import WGS84
from swath.scene import Asset

#: Places a side.
_PLACES: Final = 48
_TURN: Final = 360.0
Places = NDArray[np.float64]


def places_with_data(asset: Asset) -> Places | None:
    """Longitude and latitude [deg] of places of a raster that have data, (place, 2); None where nobody can tell.

    Reads the raster decimated: blocks of the whole file where it has no overviews.

    Args:
        asset: A band that is on a map.
    """
    grid = asset.grid

    def look() -> tuple[NDArray[Any], NDArray[Any]]:
        with gdal_env(asset.href), DatasetReader(openable(asset.href)) as source:
            shape = (min(_PLACES, grid.height), min(_PLACES, grid.width))
            return source.read(asset.band_index, out_shape=shape), source.read_masks(asset.band_index, out_shape=shape)

    try:
        values, masks = patiently(look, href=asset.href)
        # Where nothing says what is empty, zeros of a padded crop are.
        has_data = (masks > 0) & (values != (0 if asset.nodata is None else asset.nodata)) & np.isfinite(values)
        rows, columns = np.nonzero(has_data)
        x, y = (columns + 0.5) * grid.width / values.shape[1], (rows + 0.5) * grid.height / values.shape[0]
        with gdal_env():
            lons, lats = transform(
                grid.crs,
                WGS84,
                grid.left + x * grid.dx + y * grid.rx,
                grid.top + x * grid.ry - y * grid.dy,
            )[:2]
    except (RasterioError, CPLE_BaseError):  # its pixels are read later, and told of then
        return None
    found = np.array([lons, lats], float).T
    found = found[np.isfinite(found).all(axis=1)]
    return found if len(found) else None


def share_outside(places: Places, geometry: Mapping[str, Any], *, slack_deg: float) -> float | None:
    """Share of places that are farther from a geometry than a slack; None where it is no geometry that can be used.

    Args:
        places: Longitude and latitude [deg], (place, 2).
        geometry: GeoJSON in longitude and latitude.
        slack_deg: Slack [deg of latitude].
    """
    import shapely  # noqa: PLC0415  for the few items whose outline and file reach beyond each other
    from shapely.errors import ShapelyError  # noqa: PLC0415

    try:
        area = shapely.make_valid(shapely.geometry.shape(dict(geometry)))
    except (ShapelyError, TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None
    if area.is_empty or area.area == 0.0:
        return None
    near = [shapely.dwithin(area, shapely.points(places + np.array([turn, 0.0])), slack_deg) for turn in (-_TURN, 0.0, _TURN)]
    return float(1.0 - np.any(near, axis=0).mean())
