"""Files of control points: a GeoJSON of points with their place in the image."""

import json
from typing import Any

import numpy as np

from swath.algo.control_points import ControlPoints
from swath.errors import MetadataError
from swath.readers.files.href import gdal_href
from swath.readers.files.xml import read_metadata


def read_control(href: str) -> ControlPoints:
    """Read a FeatureCollection of points: longitude, latitude, height above the ellipsoid; properties ``column`` and ``row``.

    Columns and rows are counted in pixels from the image's first edge: the centre of the first pixel is 0.5.

    Raises:
        MetadataError: The file is not such a collection; the message names the first wrong feature.
    """
    try:
        features = json.loads(read_metadata(gdal_href(href)))["features"]
        rows = [_point(feature) for feature in features]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise MetadataError(
            "the control points cannot be read",
            expected="a GeoJSON FeatureCollection of points [longitude, latitude, height] with the properties column and row",
            got=f"{href}: {type(error).__name__} {error}",
            remedy="Write the file again, or leave it out of the item.",
        ) from error
    column, row, lon, lat, height = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return ControlPoints(columns=column, rows=row, lon=lon, lat=lat, heights_m=height)


def _point(feature: Any) -> tuple[float, ...]:
    lon, lat, height = feature["geometry"]["coordinates"][:3]
    told = feature["properties"]
    return tuple(float(v) for v in (told["column"], told["row"], lon, lat, height))
