"""The air of the demo's two scenes by 6S, so that the simulator need not use the model which swath inverts.

``six_s.json`` holds three terms a band for one geometry and one state of the air (``benchmarks/six_s.py`` writes it). Away from
the scene's centre the terms change with the angles as SMAC's do; their level is 6S's.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from swath.algo.atmosphere import Atmosphere, SmacTerms, smac_terms
from swath.algo.smac_table import smac_sensor
from swath.errors import ConfigError

#: Angles of the table and of a scene agree within this [deg].
TOLERANCE_DEG: Final = 0.01

Angles = tuple[float, float, float]


def check_air(*, platform: str, angles: Angles, atmosphere: Atmosphere) -> None:
    """Refuse a scene for which the table has no numbers.

    Args:
        platform: Platform of the scene.
        angles: Sun zenith, view zenith, and azimuth of the sun minus azimuth of the view, at scene centre [deg].
        atmosphere: State of the air.

    Raises:
        ConfigError: The table was made for other scenes.
    """
    table = _loaded()
    known = table["platforms"].get(platform)
    wanted = () if known is None else tuple(known[n] for n in ("sun_zenith_deg", "view_zenith_deg", "relative_azimuth_deg"))
    near = known is not None and all(abs(a - b) <= TOLERANCE_DEG for a, b in zip(angles, wanted, strict=True))
    if not near or Atmosphere(**table["atmosphere"]) != atmosphere:
        raise ConfigError(
            f"the simulator has no numbers of 6S for {platform} at angles {angles} under {atmosphere}: expected angles "
            f"{wanted or 'of another platform'} under {table['atmosphere']}. Use the demo's date and the default atmosphere, or "
            "air='smac'."
        )


def levelled(terms: SmacTerms, *, platform: str, band: str) -> SmacTerms:
    """SMAC's terms of a band, scaled so that they are 6S's at scene centre."""
    path, transmission, albedo = _ratios(platform, band)
    return SmacTerms(
        path_reflectance=terms.path_reflectance * path,
        transmission=terms.transmission * transmission,
        spherical_albedo=terms.spherical_albedo * albedo,
    )


@lru_cache(maxsize=64)
def _ratios(platform: str, band: str) -> tuple[float, float, float]:
    """6S over SMAC at scene centre: path reflectance, transmission, spherical albedo."""
    table = _loaded()
    known = table["platforms"][platform]
    smac = smac_terms(
        smac_sensor(platform).bands[band],
        sun_zenith_deg=known["sun_zenith_deg"],
        view_zenith_deg=known["view_zenith_deg"],
        relative_azimuth_deg=known["relative_azimuth_deg"],
        atmosphere=Atmosphere(**table["atmosphere"]),
    )
    path, transmission, albedo = known["bands"][band]
    return float(path / smac.path_reflectance), float(transmission / smac.transmission), albedo / smac.spherical_albedo


@lru_cache(maxsize=1)
def _loaded() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(files("swath.simulator").joinpath("six_s.json").read_text(encoding="utf-8"))
    return loaded
