"""Rasters that are known by control points alone, in place of a map or a model."""

from collections.abc import Mapping

import numpy as np
import rasterio

from swath.errors import GeometryError
from swath.grid import Grid

#: Points of which an affine map, which has six numbers, leaves a residual; and what they may be off it.
_LEAST_POINTS, _MOST_OFF_PX = 4, 1.0
Control = Mapping[str, str | int | float]


def fitted(href: str, *, source: rasterio.DatasetReader, crs: str) -> tuple[Grid, Control]:
    """The grid of the affine map that fits a raster's control points best, by least squares, and what the points are off it.

    Args:
        href: Address as ``gdal_href`` spells it.
        source: The raster, opened.
        crs: Coordinate system of the points; empty when they have none.

    Returns:
        The grid, and what the product says of the fit: number of points, root mean square and most of what they are off [px].

    Raises:
        GeometryError: The points have no system, are too few for a residual, or a plane map of them is off by more than a pixel.
    """
    points, _ = source.gcps
    terms = np.array([[1.0, p.col, p.row] for p in points])
    places = np.array([[p.x, p.y] for p in points])
    plane, _, rank, _ = np.linalg.lstsq(terms, places, rcond=None)
    # Lengths on the map of one step along each side of a pixel.
    pixel = float(abs(np.linalg.det(plane[1:]))) ** 0.5 if rank == terms.shape[1] else 0.0
    off = np.hypot(*(terms @ plane - places).T) / pixel if pixel else np.full(len(points), np.nan)
    if not crs or len(points) < _LEAST_POINTS or not off.max() <= _MOST_OFF_PX:
        raise GeometryError(
            "the raster has control points in place of a map or a model",
            expected=f"at least {_LEAST_POINTS} points in a coordinate system, all within {_MOST_OFF_PX:g} px of an affine map",
            got=f"{href} with {len(points)} control points in {crs or 'no system'}, {off.max():.2g} px at most off an affine map",
            remedy="Warp it first, and look at what the points are off: `gdalwarp -order 1 -t_srs EPSG:CODE IN.TIF OUT.TIF`"
            " (or `-tps` where an affine map is off by more than a pixel); or fetch the delivery with its RPC.",
        )
    (c, f), (a, d), (b, e) = plane.tolist()
    grid = Grid.from_transform((a, b, c, d, e, f), crs=crs, width=source.width, height=source.height)
    rms = float(np.sqrt(np.mean(off**2)))
    control: Control = {
        "swath:control_points": len(points), "swath:control_model": "affine map", "swath:control_rms_px": round(rms, 4),
        "swath:control_most_px": round(float(off.max()), 4),
    }  # fmt: skip
    return grid, control
