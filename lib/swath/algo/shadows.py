"""Cloud shadows: the cloud mask projected along the sun's direction onto ground that is darker than what surrounds it.

The geometry is that of Zhu & Woodcock (2012), Remote Sensing of Environment 118, 83-94, section 3.3, over a flat ground and
seen from the zenith. They match each cloud as an object with one height; here each pixel is asked whether any cloud of
any height could throw a shadow on it, so that the answer depends on a bounded surrounding and not on where a scene is cut.
"""

from math import ceil, cos, hypot, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from swath.algo.clear import distance_to
from swath.algo.filters import mean_of_valid

#: Lowest height of a cloud above the ground [m]: the lower limit of Zhu & Woodcock (2012).
LOWEST_M = 200.0
#: A shadow's near-infrared reflectance is below this share of the clear ground's around it. Ours: see docs/models.md.
DARKER_THAN = 0.75
#: Reflectance of bright ground in a shadow; ours.
DARK_BELOW = 0.25
#: Half the side of the square whose mean is compared [m].
AROUND_M = 900.0


def reach_px(*, sun_elevation_deg: float, highest_m: float, pixel_m: float) -> int:
    """Longest distance from a cloud to its shadow [px]."""
    return ceil(highest_m / tan(radians(sun_elevation_deg)) / pixel_m)


def around_px(*, pixel_m: float) -> int:
    """Half the side of the square whose mean is compared [px], 1 to 25."""
    return min(max(round(AROUND_M / pixel_m), 1), 25)


def thrown(
    cloudy: NDArray[np.bool_],
    *,
    sun_elevation_deg: float,
    sun_azimuth_deg: float,
    highest_m: float,
    pixel_m: float,
    most_px: int,
) -> NDArray[np.bool_]:
    """Where a cloud of any height from ``LOWEST_M`` to ``highest_m`` would throw a shadow, (y, x).

    Args:
        cloudy: (y, x), rows to the south.
        sun_elevation_deg: Sun elevation in (0, 90].
        sun_azimuth_deg: Clockwise from north.
        highest_m: Highest cloud above the ground.
        pixel_m: Side of a pixel.
        most_px: Longest shadow.
    """
    run = 1.0 / tan(radians(sun_elevation_deg)) / pixel_m
    south, east = cos(radians(sun_azimuth_deg)) * run, -sin(radians(sun_azimuth_deg)) * run
    # Steps of a pixel at most: no height is left out.
    steps = max(ceil((highest_m - LOWEST_M) * hypot(south, east)), 1)
    heights = [LOWEST_M + (highest_m - LOWEST_M) * n / steps for n in range(steps + 1)]
    shifts = dict.fromkeys((round(h * south), round(h * east)) for h in heights if h * run <= most_px)
    found = np.zeros(cloudy.shape, dtype=np.bool_)
    for down, right in shifts:
        _or_shifted(found, cloudy, down=down, right=right)
    return found


def _or_shifted(found: NDArray[np.bool_], cloudy: NDArray[np.bool_], *, down: int, right: int) -> None:
    height, width = cloudy.shape
    if abs(down) >= height or abs(right) >= width:
        return
    there = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
    source = slice(max(-down, 0), height + min(-down, 0)), slice(max(-right, 0), width + min(-right, 0))
    found[there] |= cloudy[source]


def darker(nir: NDArray[np.float64], *, cloudy: NDArray[np.bool_], around: int) -> NDArray[np.bool_]:
    """Pixels that are darker in the near infrared than the cloudless ground around them, (y, x).

    Args:
        nir: TOA reflectance [1], (y, x), NaN where invalid.
        cloudy: Pixels that do not count for the mean, (y, x).
        around: Half the side of the square whose mean is compared [px].
    """
    clear = np.where(cloudy, np.nan, nir)
    ground = mean_of_valid(np.pad(clear, around, constant_values=np.nan), size=2 * around + 1)
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = (nir < DARKER_THAN * ground) & (nir < DARK_BELOW)
    return found


def grown(marked: NDArray[np.bool_], *, by_px: int) -> NDArray[np.bool_]:
    """The pixels whose centre is at most ``by_px`` from a marked one, (y, x)."""
    if not by_px:
        return marked
    found: NDArray[np.bool_] = distance_to(marked, most_px=by_px + 1) <= by_px
    return found
