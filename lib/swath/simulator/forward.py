"""From the ground to the sensor: surface reflectance, through air and clouds, to what the instrument counts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.algo.atmosphere import SmacTerms, smac_terms, toa_reflectance_over
from swath.algo.smac_table import smac_sensor
from swath.grid import Grid, Window
from swath.simulator.clouds import CLOUD_TOP_K, CLOUDY_FROM, SHADOWED_FROM, CloudCover, cloud_reflectance, shadow_depth
from swath.simulator.landscape import Ground
from swath.simulator.noise import F32, F64
from swath.simulator.overpass import Overpass
from swath.simulator.six_s import levelled

#: Truth is stored as integers of this many reflectance units, and the forward model starts from the stored value.
TRUTH_SCALE = 1e-4
TRUTH_NODATA = -9999

CLEAR, CLOUD, SHADOW, THIN, UNSEEN = 0, 1, 2, 3, 255
#: Thinner cloud and fainter shadow than this change no reflectance by a count.
CLEAR_BELOW = 1e-4


def centres(grid: Grid, window: Window) -> tuple[F64, F64]:
    """Map coordinates of pixel centres: columns, (x,), and rows, (y,) [m]."""
    x = grid.left + (np.arange(window.col, window.col_stop) + 0.5) * grid.dx
    y = grid.top - (np.arange(window.row, window.row_stop) + 0.5) * grid.dy
    return x.astype(np.float64), y.astype(np.float64)


def pooled(values: F32, factor: int) -> F32:
    """Means of ``factor`` x ``factor`` pixels; the shape must divide."""
    if factor == 1:
        return values
    height, width = values.shape
    blocks = values.reshape(height // factor, factor, width // factor, factor)
    # Summed slice by slice, so that the rounding does not depend on the shape.
    total = np.zeros((height // factor, width // factor), np.float32)
    for i in range(factor):
        for j in range(factor):
            total += blocks[:, i, :, j]
    total *= np.float32(1.0 / (factor * factor))
    return total


def neighbours(values: F32) -> F32:
    """Means of every pixel with its right, lower and lower right neighbour; one row and one column less."""
    total: F32 = values[:-1, :-1] + values[:-1, 1:] + values[1:, :-1] + values[1:, 1:]
    total *= np.float32(0.25)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Ground and clouds of one window on the finest grid, before any sensor has averaged them."""

    ground: Ground
    clouds: CloudCover

    @classmethod
    def at(cls, x_m: F64, y_m: F64, *, overpass: Overpass) -> "Look":
        """Look at columns ``x_m`` and rows ``y_m`` [map coordinates, m]."""
        return cls(ground=overpass.landscape.ground(x_m, y_m), clouds=overpass.sky.cover(x_m, y_m))


def averaged(clouds: CloudCover, average: Callable[[F32], F32]) -> CloudCover:
    """Clouds as coarser pixels see them."""
    return CloudCover(opacity=average(clouds.opacity), shadow=average(clouds.shadow), bright=average(clouds.bright))


def cloud_state(clouds: CloudCover, *, seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``CLEAR``, ``CLOUD``, ``SHADOW``, ``THIN`` (the edges of both) or ``UNSEEN``, uint8, (y, x)."""
    state = np.full(clouds.opacity.shape, CLEAR, np.uint8)
    state[(clouds.opacity > CLEAR_BELOW) | (clouds.shadow > CLEAR_BELOW)] = THIN
    state[clouds.shadow >= SHADOWED_FROM] = SHADOW
    state[clouds.opacity >= CLOUDY_FROM] = CLOUD
    state[~seen] = UNSEEN
    return state


def truth_counts(reflectance: F32) -> NDArray[np.int16]:
    """Surface reflectance [1], any shape, as stored in the truth: int16 of ``TRUTH_SCALE``."""
    return np.rint(reflectance.astype(np.float64) / TRUTH_SCALE).astype(np.int16)


def band_terms(
    band: str, *, platform: str, overpass: Overpass, x_m: F64, y_m: F64, cell: int, view_offset_deg: float = 0.0
) -> SmacTerms:
    """The atmosphere of one band over a window.

    Args:
        band: Name of the band.
        platform: Platform of the sensor.
        overpass: Angles and air.
        x_m: Pixel columns, (x,).
        y_m: Pixel rows, (y,).
        cell: Pixels along a cell of equal angles; must divide the window where angles vary.
        view_offset_deg: Added to the view zenith: bands look in slightly different directions.

    Returns:
        Scalars where the angles are even, otherwise terms shaped (y / cell, 1, x / cell, 1).
    """
    if overpass.geometry.even:
        x, y = np.array(overpass.geometry.origin_m)[:, None]
    else:
        x = x_m.reshape(-1, cell).mean(axis=1)[None, None, :, None]
        y = y_m.reshape(-1, cell).mean(axis=1)[:, None, None, None]
    sun_zenith, sun_azimuth, view_zenith, view_azimuth = overpass.geometry.at(x, y)
    terms = smac_terms(
        smac_sensor(platform).bands[band],
        sun_zenith_deg=sun_zenith,
        view_zenith_deg=view_zenith + view_offset_deg,
        relative_azimuth_deg=sun_azimuth - view_azimuth,
        atmosphere=overpass.atmosphere,
    )
    return terms if overpass.air == "smac" else levelled(terms, platform=platform, band=band)


def toa_reflectance(counts: NDArray[np.int16], *, clouds: CloudCover, terms: SmacTerms, centre_um: float, cell: int) -> F64:
    """Top-of-atmosphere reflectance, (y, x), over ground whose truth is ``counts``."""
    sr: F64 = counts.astype(np.float64) * TRUTH_SCALE
    sr *= 1.0 - shadow_depth(centre_um) * clouds.shadow
    height, width = sr.shape
    if np.ndim(terms.path_reflectance) > 1:
        sr = sr.reshape(height // cell, cell, width // cell, cell)
    toa = np.asarray(toa_reflectance_over(sr, terms)).reshape(height, width)
    cloud = cloud_reflectance(centre_um) * clouds.bright
    return np.asarray(toa + clouds.opacity * (cloud - toa), dtype=np.float64)


def brightness_temperature(ground_k: F32, *, clouds: CloudCover) -> F32:
    """Brightness temperature at the sensor [K], (y, x): cloud tops are cold, shadows cool."""
    cooled = ground_k - np.float32(2.5) * clouds.shadow
    return np.asarray(cooled + clouds.opacity * (np.float32(CLOUD_TOP_K) - cooled), dtype=np.float32)


def majority(code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The class of each 2 x 2 block, (2 y, 2 x) to (y, x): the commonest, the first of the block where there is none."""
    a, b, c, d = code[::2, ::2], code[::2, 1::2], code[1::2, ::2], code[1::2, 1::2]
    first = (a == b) | (a == c) | (a == d)
    second = (b == c) | (b == d)
    return np.where(first, a, np.where(second, b, np.where(c == d, c, a)))
