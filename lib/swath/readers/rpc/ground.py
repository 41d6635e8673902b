"""From an image with rational polynomial coefficients to the ground: where the line of sight meets the terrain."""

import numpy as np
from numpy.typing import NDArray

from swath.algo.rpc import Rpc
from swath.errors import GeometryError
from swath.readers.elevation.model import Elevation

#: The height of the ground is found when it moves by less than this [m].
_STEP_M = 1e-3
_STEPS = 50
Floats = NDArray[np.float64]


def ground_on(rpc: Rpc, elevation: Elevation, *, samples: Floats, lines: Floats) -> tuple[Floats, Floats, Floats]:
    """Longitudes, latitudes [deg] and heights above the ellipsoid [m] that image points show.

    Steep terrain that leans towards the sensor is met by half steps.

    Args:
        rpc: RPC of the image.
        elevation: Elevation of the ground.
        samples: [px], any shape; the centre of the first pixel is 0.
        lines: [px], of that shape.

    Raises:
        GeometryError: A tile of the elevation is missing, or the terrain is too steep for the line of sight.
    """
    samples, lines = np.asarray(samples, dtype=np.float64), np.asarray(lines, dtype=np.float64)
    heights = np.full(samples.shape, rpc.height_off)
    before, share = np.full(samples.shape, np.inf), np.ones(samples.shape)
    for _ in range(_STEPS):
        lon, lat = rpc.ground_of(samples, lines, heights)
        step = elevation.heights_m(lon, lat) - heights
        if np.nanmax(np.abs(step), initial=0.0) < _STEP_M:
            return lon, lat, heights
        share = np.where(np.abs(step) < np.abs(before), share, share / 2.0)
        heights, before = heights + share * step, step
    raise GeometryError(
        "the line of sight does not meet the terrain in one place",
        expected=f"a height to {_STEP_M} m after {_STEPS} steps",
        got=f"{float(np.nanmax(np.abs(step))):.3g} m at the last",
        remedy="Check the elevation: a spike or a void is the usual cause.",
    )
