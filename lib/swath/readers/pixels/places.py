"""Places in another coordinate system."""

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import CRSError
from rasterio.warp import transform

from swath.errors import GeometryError

WGS84 = "EPSG:4326"


def points_in(points: NDArray[np.float64], *, source: str, target: str) -> NDArray[np.float64]:
    """Points of one CRS in another, (n, 2): x, y (longitude, latitude).

    Raises:
        GeometryError: A CRS is unknown, or a point has no place in the other.
    """
    try:
        found = np.column_stack(transform(source, target, points[:, 0], points[:, 1])[:2])
    except (CRSError, ValueError) as error:
        raise _nowhere(source, target, got=str(error)) from error
    if not np.isfinite(found).all():
        raise _nowhere(source, target, got="a point at infinity")
    return found


def _nowhere(source: str, target: str, *, got: str) -> GeometryError:
    return GeometryError(
        "a place has no coordinates in another system",
        expected=f"points of {source[:40]} that {target[:40]} can show",
        got=got,
        remedy="Check the coordinate systems and the area.",
    )
