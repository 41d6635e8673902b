"""Where SMAC does not hold: its error against 6S, by band, sun zenith, aerosol and azimuth.

``smac_accuracy.json`` holds what 6S gives at the top of the atmosphere over dark ground; the error is what our own inversion
makes of it, so that it never goes stale. Between the nodes it is interpolated linearly, over the sun's air mass instead of its
zenith.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance
from swath.algo.smac_table import smac_sensor
from swath.errors import RangeError
from swath.sensors import LANDSAT, SENTINEL2, constellation_of_platform

#: An error above ``ABSOLUTE + RELATIVE * surface reflectance`` is reduced accuracy.
ABSOLUTE, RELATIVE = 0.005, 0.05
#: Bands that 6S was not asked for, by a neighbour that is worse.
_AS: Final[Mapping[str, str]] = {"pan": "green"}
#: Platform whose numbers hold for the other platforms of its constellation.
_OF: Final[Mapping[str, str]] = {LANDSAT: "landsat-8", SENTINEL2: "sentinel-2a"}
#: And where 6S was not asked for a band of it.
_ELSE: Final = "sentinel-2a"
#: Represents the error where our model refuses: more than any that it gives.
_REFUSED: Final = 0.5
#: The fits of the coefficients end here.
MOST_AOT550: Final = 0.8

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """Surface reflectance by SMAC less the true one, (sun zenith, aerosol, azimuth)."""

    sun_zenith_deg: Array
    aot550: Array
    relative_azimuth_deg: Array
    error: Array

    def at(self, *, sun_zenith_deg: float, aot550: float, relative_azimuth_deg: float) -> float:
        """The error, interpolated between nodes; beyond them the error of the outermost node."""
        folded = abs((relative_azimuth_deg + 180.0) % 360.0 - 180.0)
        by_aot = _along(self.error, _air_mass(self.sun_zenith_deg), float(_air_mass(np.array(sun_zenith_deg))))
        by_azimuth = _along(by_aot, self.aot550, aot550)
        return float(_along(by_azimuth, self.relative_azimuth_deg, folded))


def threshold() -> float:
    """The least error over dark ground that is reduced accuracy [reflectance]."""
    return ABSOLUTE + RELATIVE * float(_loaded()["surface_reflectance"])


def error_table(band: str, *, platform: str) -> ErrorTable | None:
    """Accuracy of a band; None without numbers. Sentinel-2B to D have the numbers of 2A, the other Landsats those of 8."""
    owner = _OF.get(constellation_of_platform(platform))
    if owner is None:
        return None
    like = _AS.get(band, band)
    return _table(owner, like) or _table(_ELSE, like)


def reduced_accuracy(band: str, *, platform: str, sun_zenith_deg: float, aot550: float, relative_azimuth_deg: float) -> str:
    """Note of an item about a band whose error against 6S is too large; empty otherwise.

    Args:
        band: Common name.
        platform: STAC platform.
        sun_zenith_deg: Sun zenith at the scene's centre.
        aot550: Aerosol optical thickness that the correction used.
        relative_azimuth_deg: Azimuth of the sun minus azimuth of the view.
    """
    if aot550 > MOST_AOT550:
        return f"reduced: aot550 {aot550:g} is above {MOST_AOT550:g}, where the fits of the coefficients end"
    table = error_table(band, platform=platform)
    if table is None:
        return ""
    error = table.at(sun_zenith_deg=sun_zenith_deg, aot550=aot550, relative_azimuth_deg=relative_azimuth_deg)
    if abs(error) <= threshold():
        return ""
    by = f"{error:+.3f}" if abs(error) < _REFUSED / 10 else "more than 0.05"
    return f"reduced: errs by {by} over dark ground against 6S at sun zenith {sun_zenith_deg:.1f}, aot550 {aot550:g}"


def accuracy_table() -> str:
    """The errors as a table in Markdown: the worse of both azimuths."""
    rows = []
    for owner, sensor in _loaded()["sensors"].items():
        for band in sensor["bands"]:
            table = _table(owner, band)
            if table is None:
                continue
            for place, zenith in enumerate(table.sun_zenith_deg):
                told = dict(zip(table.aot550.tolist(), (_worst(e) for e in table.error[place]), strict=True))
                cells = (_cell(told.get(aot)) for aot in _AOTS)
                rows.append(f"| {owner} | {band} | {zenith:g} | " + " | ".join(cells) + " |")
    head = "| numbers of | band | sun zenith | " + " | ".join(f"AOT {a:g}" for a in _AOTS) + " |"
    return "\n".join([head, "|" + "---|" * (len(_AOTS) + 3), *rows])


_AOTS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)


def _worst(errors: Array) -> float:
    return float(errors[np.argmax(np.abs(errors))])


def _cell(error: float | None) -> str:
    if error is None:
        return ""
    if abs(error) >= _REFUSED:
        return "refused"
    return f"**{error:+.3f}**" if abs(error) > threshold() else f"{error:+.3f}"


def _air_mass(zenith_deg: Array) -> Array:
    return np.asarray(1.0 / np.cos(np.radians(zenith_deg)))


def _along(values: Array, nodes: Array, place: float) -> Array:
    """Linear along the first axis."""
    if len(nodes) == 1:
        return np.asarray(values[0])
    held = float(np.clip(place, nodes[0], nodes[-1]))
    before = min(int(np.searchsorted(nodes, held, side="right")) - 1, len(nodes) - 2)
    way = (held - nodes[before]) / (nodes[before + 1] - nodes[before])
    return np.asarray(values[before] * (1.0 - way) + values[before + 1] * way)


@lru_cache(maxsize=1)
def _loaded() -> dict[str, Any]:
    text = files("swath.algo").joinpath("smac_accuracy.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@lru_cache(maxsize=32)
def _table(owner: str, band: str) -> ErrorTable | None:
    sensor = _loaded()["sensors"][owner]
    plain = sensor["bands"].get(band)
    if plain is None:
        return None
    sun, aot, azimuth = (np.array(plain[k]) for k in ("sun_zenith_deg", "aot550", "relative_azimuth_deg"))
    toa = np.array(plain["toa"])
    error = np.array(
        [
            [
                [
                    _error(owner, band, float(toa[i, j, k]), angles=(float(z), float(r)), aot550=float(a))
                    for k, r in enumerate(azimuth)
                ]
                for j, a in enumerate(aot)
            ]
            for i, z in enumerate(sun)
        ]
    )
    return ErrorTable(sun_zenith_deg=sun, aot550=aot, relative_azimuth_deg=azimuth, error=error)


def _error(owner: str, band: str, toa: float, *, angles: tuple[float, float], aot550: float) -> float:
    loaded = _loaded()
    try:
        terms = smac_terms(
            smac_sensor(owner).bands[band],
            sun_zenith_deg=angles[0],
            view_zenith_deg=loaded["sensors"][owner]["view_zenith_deg"],
            relative_azimuth_deg=angles[1],
            atmosphere=Atmosphere(
                aot550=aot550, ozone_atm_cm=loaded["ozone_atm_cm"], water_vapour_g_cm2=loaded["water_vapour_g_cm2"]
            ),
        )
    except RangeError:
        return _REFUSED
    return float(surface_reflectance(toa, terms)) - float(loaded["surface_reflectance"])
