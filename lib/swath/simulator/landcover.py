"""The classes that the simulated ground is made of, and how each reflects and radiates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Wavelengths [um] of the reflectance columns below; other bands are interpolated.
WAVELENGTHS_UM = (0.443, 0.49, 0.56, 0.665, 0.705, 0.74, 0.783, 0.842, 0.865, 0.945, 1.375, 1.61, 2.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandCover:
    """One class: two plausible surface spectra between which its places vary, a texture and a temperature.

    Args:
        code: Value in class maps, from 1.
        name: Machine name.
        title: Human-readable title.
        rgb: Colour for maps.
        low: Reflectance at ``WAVELENGTHS_UM`` of one extreme.
        high: Reflectance of the other extreme.
        texture: Relative height of the fine texture [1].
        temperature_k: Brightness temperature on a summer morning, of both extremes [K].
    """

    code: int
    name: str
    title: str
    rgb: tuple[int, int, int]
    low: tuple[float, ...]
    high: tuple[float, ...]
    texture: float
    temperature_k: tuple[float, float]


#: Plausible magnitudes after spectral libraries of the kind of Baldridge et al. (2009, ASTER library); made up by hand.
LAND_COVER: tuple[LandCover, ...] = (
    LandCover(
        code=1, name="water", title="Water", rgb=(38, 89, 166), texture=0.025, temperature_k=(290.5, 292.0),
        low=(0.030, 0.033, 0.030, 0.016, 0.012, 0.010, 0.009, 0.008, 0.008, 0.006, 0.003, 0.003, 0.002),
        high=(0.045, 0.062, 0.092, 0.062, 0.048, 0.026, 0.024, 0.020, 0.018, 0.011, 0.005, 0.006, 0.004),
    ),
    LandCover(
        code=2, name="forest", title="Forest", rgb=(24, 92, 44), texture=0.16, temperature_k=(294.5, 296.0),
        low=(0.014, 0.017, 0.030, 0.020, 0.050, 0.145, 0.180, 0.195, 0.205, 0.200, 0.060, 0.085, 0.038),
        high=(0.018, 0.024, 0.052, 0.028, 0.085, 0.265, 0.330, 0.350, 0.365, 0.350, 0.090, 0.155, 0.068),
    ),
    LandCover(
        code=3, name="grassland", title="Grassland", rgb=(146, 196, 92), texture=0.06, temperature_k=(298.0, 301.0),
        low=(0.028, 0.038, 0.078, 0.054, 0.115, 0.250, 0.295, 0.310, 0.325, 0.310, 0.110, 0.205, 0.110),
        high=(0.042, 0.060, 0.102, 0.098, 0.155, 0.235, 0.262, 0.280, 0.295, 0.290, 0.150, 0.280, 0.180),
    ),
    LandCover(
        code=4, name="crop_green", title="Green crops", rgb=(66, 160, 54), texture=0.035, temperature_k=(296.0, 298.0),
        low=(0.020, 0.028, 0.064, 0.030, 0.095, 0.330, 0.410, 0.430, 0.445, 0.420, 0.100, 0.180, 0.075),
        high=(0.026, 0.038, 0.092, 0.042, 0.130, 0.400, 0.490, 0.515, 0.530, 0.500, 0.120, 0.215, 0.095),
    ),
    LandCover(
        code=5, name="crop_dry", title="Ripe crops and stubble", rgb=(224, 196, 104), texture=0.035,
        temperature_k=(303.0, 305.5),
        low=(0.050, 0.068, 0.102, 0.122, 0.148, 0.186, 0.206, 0.226, 0.240, 0.252, 0.210, 0.330, 0.240),
        high=(0.068, 0.096, 0.150, 0.190, 0.218, 0.245, 0.262, 0.284, 0.298, 0.310, 0.255, 0.385, 0.295),
    ),
    LandCover(
        code=6, name="bare", title="Bare soil and sand", rgb=(168, 118, 78), texture=0.04, temperature_k=(305.0, 307.0),
        low=(0.052, 0.064, 0.086, 0.112, 0.124, 0.136, 0.146, 0.158, 0.164, 0.175, 0.185, 0.235, 0.205),
        high=(0.170, 0.210, 0.275, 0.335, 0.350, 0.360, 0.370, 0.380, 0.386, 0.390, 0.360, 0.430, 0.400),
    ),
    LandCover(
        code=7, name="urban", title="Built-up", rgb=(196, 60, 60), texture=0.10, temperature_k=(304.0, 308.0),
        low=(0.066, 0.072, 0.080, 0.084, 0.088, 0.096, 0.102, 0.108, 0.112, 0.116, 0.110, 0.130, 0.125),
        high=(0.120, 0.138, 0.165, 0.205, 0.215, 0.222, 0.228, 0.236, 0.240, 0.244, 0.220, 0.260, 0.245),
    ),
    LandCover(
        code=8, name="wetland", title="Reed and bog", rgb=(104, 150, 150), texture=0.07, temperature_k=(293.5, 295.5),
        low=(0.022, 0.030, 0.050, 0.040, 0.068, 0.112, 0.128, 0.138, 0.144, 0.135, 0.035, 0.070, 0.034),
        high=(0.030, 0.042, 0.068, 0.060, 0.092, 0.148, 0.168, 0.180, 0.188, 0.178, 0.048, 0.100, 0.052),
    ),
)  # fmt: skip

CODE_OF = {c.name: c.code for c in LAND_COVER}


def reflectances_at(centre_um: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reflectance [1] of both extremes of every class at a wavelength; each (class code,), entry 0 unused."""
    low = [0.0, *(np.interp(centre_um, WAVELENGTHS_UM, c.low) for c in LAND_COVER)]
    high = [0.0, *(np.interp(centre_um, WAVELENGTHS_UM, c.high) for c in LAND_COVER)]
    return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)


def temperatures() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Brightness temperature [K] of both extremes of every class; each (class code,), entry 0 unused."""
    pairs = [(0.0, 0.0), *(c.temperature_k for c in LAND_COVER)]
    return np.array([p[0] for p in pairs], dtype=np.float32), np.array([p[1] for p in pairs], dtype=np.float32)


def textures() -> NDArray[np.float32]:
    """Relative height of the fine texture of every class, (class code,)."""
    return np.array([0.0, *(c.texture for c in LAND_COVER)], dtype=np.float32)
