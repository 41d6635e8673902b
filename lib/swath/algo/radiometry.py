"""From digital numbers to physical values: TOA reflectance and brightness temperature."""

from math import isfinite, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from swath.errors import GeometryError, MetadataError


def linear(dn: NDArray[np.generic], *, gain: float, offset: float) -> NDArray[np.float64]:
    """``gain * dn + offset`` in float64, any shape; radiance or sun-normalised reflectance."""
    scaled: NDArray[np.float64] = dn.astype(np.float64)
    scaled *= gain
    scaled += offset
    return scaled


def toa_reflectance(dn: NDArray[np.generic], *, gain: float, offset: float, sun_elevation_deg: float) -> NDArray[np.float64]:
    """Calibrate DN to top-of-atmosphere reflectance, corrected for the sun's elevation.

    ``rho = (gain * DN + offset) / sin(elevation)``: Landsat 8 Data Users Handbook, section 5.2.

    Args:
        dn: Digital numbers, any shape. What means nodata is the caller's business.
        gain: Reflectance per DN [1].
        offset: Reflectance at DN 0 [1].
        sun_elevation_deg: Sun elevation in (0, 90].

    Raises:
        GeometryError: The sun is not above the horizon.
    """
    if not 0.0 < sun_elevation_deg <= 90.0:
        raise GeometryError("the sun is not above the horizon", expected="an elevation in (0, 90]", got=f"{sun_elevation_deg}")
    rho = linear(dn, gain=gain, offset=offset)
    rho /= sin(radians(sun_elevation_deg))
    return rho


def brightness_temperature_k(radiance: NDArray[np.float64], *, k1: float, k2_k: float) -> NDArray[np.float64]:
    """Temperature of a black body of that radiance: ``k2 / ln(k1 / L + 1)``.

    Landsat 8 Data Users Handbook, section 5.3.

    Args:
        radiance: Spectral radiance [W m-2 sr-1 um-1], any shape.
        k1: First constant of the band [W m-2 sr-1 um-1].
        k2_k: Second constant of the band [K].

    Returns:
        Temperature [K]; NaN where the radiance is not above 0.
    """
    bright = radiance > 0.0
    quotient = np.divide(k1, radiance, out=np.full_like(radiance, np.nan), where=bright)
    temperature: NDArray[np.float64] = k2_k / np.log(quotient + 1.0)
    return temperature


def fold_esun(*, gain: float, offset: float, esun: float, distance_au: float) -> tuple[float, float]:
    """Turn the gain and offset of radiance into the gain and offset of reflectance (not yet corrected for the sun's elevation).

    ``rho = pi L d^2 / ESUN``: Chander, Markham and Helder (2009), equation 2.

    Args:
        gain: Radiance per DN [W m-2 sr-1 um-1].
        offset: Radiance at DN 0 [W m-2 sr-1 um-1].
        esun: Mean solar irradiance in the band at 1 au [W m-2 um-1].
        distance_au: Distance of Earth and sun [au].

    Raises:
        MetadataError: A number is not finite, or ``esun`` or the distance is not above 0.
    """
    if not all(isfinite(v) for v in (gain, offset, esun, distance_au)) or esun <= 0.0 or distance_au <= 0.0:
        raise MetadataError(
            "the radiance calibration is unusable",
            expected="finite gain and offset, irradiance and distance above 0",
            got=f"gain {gain}, offset {offset}, irradiance {esun}, distance {distance_au}",
        )
    factor = pi * distance_au**2 / esun
    return gain * factor, offset * factor
