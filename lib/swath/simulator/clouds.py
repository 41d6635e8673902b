"""Clouds with soft edges, and the shadows that they throw away from the sun."""

from dataclasses import dataclass
from math import cos, radians, sin, tan

import numpy as np

from swath.simulator.landscape import WORLD_ORIGIN_M
from swath.simulator.noise import F32, F64, fractal, ramp, smooth

#: Height of the cloud layer [m].
CLOUD_HEIGHT_M = 1_350.0
#: How far, in standard deviations of the field, a cloud takes to become opaque.
EDGE_SOFTNESS = 0.85
#: Reflectance of thick cloud at the top of the atmosphere, by wavelength [um].
CLOUD_WAVELENGTHS_UM = (0.443, 0.665, 0.865, 0.945, 1.25, 1.375, 1.5, 1.61, 2.2, 2.4)
CLOUD_REFLECTANCES = (0.70, 0.70, 0.72, 0.55, 0.60, 0.012, 0.40, 0.48, 0.34, 0.30)
#: Cloud-top temperature of thick cloud [K].
CLOUD_TOP_K = 269.0
#: Share of the light that a full shadow takes away, by wavelength [um]: the blue sky still shines into it.
SHADOW_WAVELENGTHS_UM = (0.443, 0.56, 0.865, 2.2)
SHADOW_DEPTHS = (0.36, 0.46, 0.60, 0.68)

#: At least this opaque is cloud in the truth, and at least this dark is shadow.
CLOUDY_FROM = 0.25
SHADOWED_FROM = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudCover:
    """Clouds over a window, (y, x).

    Args:
        opacity: 0..1.
        shadow: 0..1, how much of the sun's disc is behind clouds, seen from the ground.
        bright: Factor on the reflectance of the cloud: its lumps.
    """

    opacity: F32
    shadow: F32
    bright: F32


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """The clouds of one overpass.

    Args:
        seed: Seed of the clouds.
        threshold: Value of the cloud field above which a pixel is cloud; infinity for a clear sky.
        shift_m: Shift from a point on the ground east and north to the point below the cloud that shades it [m].
    """

    seed: int
    threshold: float
    shift_m: tuple[float, float]

    def cover(self, x_m: F64, y_m: F64) -> CloudCover:
        """Look up from columns ``x_m`` and rows ``y_m`` [map coordinates, m]."""
        if np.isinf(self.threshold):
            clear = np.zeros((y_m.size, x_m.size), np.float32)
            return CloudCover(opacity=clear, shadow=clear, bright=clear)
        east, north = self.shift_m
        here = _thickness(x_m, y_m, seed=self.seed)
        there = _thickness(x_m + east, y_m + north, seed=self.seed)
        bright = np.float32(0.72) + np.float32(0.14) * (here - np.float32(self.threshold))
        bright += np.float32(0.05) * smooth(x_m, y_m, wavelength_m=160.0, seed=self.seed + 95)
        high = self.threshold + EDGE_SOFTNESS
        opacity = ramp(here, low=self.threshold, high=high)
        shadow = ramp(there, low=self.threshold, high=high)
        return CloudCover(opacity=opacity, shadow=shadow, bright=np.clip(bright, 0.6, 1.25))


def _thickness(x_m: F64, y_m: F64, *, seed: int) -> F32:
    x, y = x_m - WORLD_ORIGIN_M[0], y_m - WORLD_ORIGIN_M[1]
    lumps = fractal(x, y, wavelength_m=1500.0, octaves=6, seed=seed + 91)
    # Clouds come in fields: a broad wave decides where.
    lumps += np.float32(0.55) * smooth(x, y, wavelength_m=6500.0, seed=seed + 92)
    return lumps


def make_sky(
    *,
    seed: int,
    cover: float,
    extent_m: tuple[float, float, float, float],
    sun_zenith_deg: float,
    sun_azimuth_deg: float,
) -> Sky:
    """Clouds over about a share ``cover`` of (left, bottom, right, top) [map coordinates, m]."""
    away = CLOUD_HEIGHT_M * tan(radians(sun_zenith_deg))
    shift = (away * sin(radians(sun_azimuth_deg)), away * cos(radians(sun_azimuth_deg)))
    if cover <= 0.0:
        return Sky(seed=seed, threshold=float("inf"), shift_m=shift)
    left, bottom, right, top = extent_m
    sample = _thickness(np.linspace(left, right, 160), np.linspace(top, bottom, 160), seed=seed)
    opaque = float(np.quantile(sample, 1.0 - min(cover, 1.0)))
    # The share counts from CLOUDY_FROM; smoothstep reaches .25 about a third of the way up.
    return Sky(seed=seed, threshold=opaque - 0.33 * EDGE_SOFTNESS, shift_m=shift)


def cloud_reflectance(centre_um: float) -> float:
    """Reflectance of thick cloud at the top of the atmosphere [1]."""
    return float(np.interp(centre_um, CLOUD_WAVELENGTHS_UM, CLOUD_REFLECTANCES))


def shadow_depth(centre_um: float) -> float:
    """Share of the light that a full shadow takes away [1]."""
    return float(np.interp(centre_um, SHADOW_WAVELENGTHS_UM, SHADOW_DEPTHS))
