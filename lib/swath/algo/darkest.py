"""Counts of TOA reflectance near its dark end, and the light that the air alone sends back.

The counts are integers by bins that lie on reflectance itself, so parts of a scene merge in any order to the same result.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Bins are as wide as this [reflectance]; bin ``k`` holds ``k BIN <= rho < (k + 1) BIN``.
BIN: Final = 0.002
#: The first and the last bin: they hold what is beyond, too.
FIRST, LAST = -200, 300
#: The bin of what is not valid.
INVALID: Final = LAST + 1
Counts = Mapping[int, int]


def bins_of(reflectance: NDArray[np.float64]) -> NDArray[np.int32]:
    """Place of each value in an array of ``bin_count()`` numbers, of any shape; NaN has the last place."""
    with np.errstate(invalid="ignore"):
        ordinals = np.clip(np.floor(reflectance / BIN), FIRST, LAST) - FIRST
    return np.where(np.isfinite(ordinals), ordinals, INVALID - FIRST).astype(np.int32)


def bin_count() -> int:
    """Bins, the one for what is not valid among them."""
    return INVALID - FIRST + 1


def sparse(numbers: NDArray[np.int64]) -> dict[int, int]:
    """Counts by bin of an array that ``bins_of`` filled."""
    return {int(k) + FIRST: int(numbers[k]) for k in np.flatnonzero(numbers)}


def valid_of(counts: Counts) -> int:
    """Pixels that are valid."""
    return sum(number for ordinal, number in counts.items() if ordinal != INVALID)


def merged(parts: Sequence[Mapping[str, Counts]]) -> dict[str, dict[int, int]]:
    """Counts by band of all parts together."""
    found: dict[str, dict[int, int]] = {}
    for part in parts:
        for band, counts in part.items():
            mine = found.setdefault(band, {})
            for ordinal, number in counts.items():
                mine[ordinal] = mine.get(ordinal, 0) + number
    return {band: dict(sorted(counts.items())) for band, counts in sorted(found.items())}


def quantile(counts: Counts, share: float) -> float:
    """The reflectance below which ``share`` of the valid pixels lie: the middle of its bin.

    Raises:
        ValueError: Nothing was counted.
    """
    valid, seen = valid_of(counts), 0
    for ordinal in sorted(counts):
        seen += counts[ordinal]
        if ordinal != INVALID and (seen > share * valid or seen == valid):
            return round((ordinal + 0.5) * BIN, 6)
    msg = "nothing was counted"
    raise ValueError(msg)


def rayleigh_reflectance(
    wavelength_um: float, *, sun_zenith_deg: float, view_zenith_deg: float, relative_azimuth_deg: float, pressure_hpa: float
) -> float:
    """Reflectance [1] of the molecules alone, scattered once: a lower limit, in the blue a fifth less than all of it.

    Optical depth by Hansen & Travis (1974), Light scattering in planetary atmospheres, Space Science Reviews 16, eq. 2.29
    (with the surface pressure over 1013.25 hPa); phase function 3/4 (1 + cos^2).
    """
    power = wavelength_um**-2
    depth = 0.008569 * power**2 * (1.0 + 0.0113 * power + 0.00013 * power**2) * pressure_hpa / 1013.25
    sun, view, azimuth = np.radians([sun_zenith_deg, view_zenith_deg, relative_azimuth_deg])
    mu_sun, mu_view = np.cos(sun), np.cos(view)
    cosine = -(mu_sun * mu_view + np.sin(sun) * np.sin(view) * np.cos(azimuth))
    phase = 0.75 * (1.0 + cosine**2)
    slant = 1.0 / mu_sun + 1.0 / mu_view
    return float(phase / (4.0 * (mu_sun + mu_view)) * (1.0 - np.exp(-depth * slant)))
