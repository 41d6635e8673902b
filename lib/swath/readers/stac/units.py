"""What a STAC band's numbers are: reflectance, percent, or radiance with the sun's irradiance beside it."""

import re
from collections.abc import Mapping
from typing import Final

from swath.algo.radiometry import fold_esun
from swath.errors import MetadataError
from swath.scene import Reflectance

#: Spellings of a number without unit; an item that says none means one of them (raster extension).
_REFLECTANCE = re.compile(
    r"(?:toa |top of atmosphere )?(?:reflectance|rho)?|1|-|none|no unit|unit ?less|dimension ?less|ratio|fraction|n/?a"
)
#: Units by which an item says that it is unknown how its counts become physical values.
COUNTS: Final = ("counts", "count", "dn", "DN")
_PERCENT = re.compile(r"%|percent(?:age)?|pct|reflectance %")
_PREFIXES: Final[Mapping[str, float]] = {"": 1.0, "m": 1e-3, "u": 1e-6, "k": 1e3}
_SPELLINGS: Final[Mapping[str, str]] = {
    "\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "\N{MINUS SIGN}": "-", "\N{SUPERSCRIPT MINUS}": "-",
    "\N{SUPERSCRIPT ONE}": "1", "\N{SUPERSCRIPT TWO}": "2",
    **dict.fromkeys("\N{DOT OPERATOR}\N{MIDDLE DOT}\N{BULLET}*()/^[]_", " "),
    "micrometer": "um", "micrometre": "um", "micron": "um", "nanometer": "nm", "nanometre": "nm", "steradian": "sr",
    "watt": "w", "meter": "m", "metre": "m",
}  # fmt: skip


def is_reflectance(unit: str) -> bool:
    """Whether a unit is one of reflectance as it is."""
    return _REFLECTANCE.fullmatch(unit.strip().lower()) is not None


def reflectance_from(
    unit: str, *, name: str, scaling: tuple[float, float], irradiance: float | None, distance_au: float, sun_normalised: bool
) -> Reflectance:
    """The calibration to reflectance of a band in some unit.

    ``rho = pi L d^2 / (ESUN sin(sun elevation))``: see ``algo.radiometry.fold_esun``; the elevation comes later.

    Args:
        unit: Unit as the item spells it.
        name: The band, for messages.
        scaling: Scale and offset: ``value = scale DN + offset`` in ``unit``.
        irradiance: ``eo:solar_illumination`` [W m-2 um-1]; None when the item does not say.
        distance_au: Distance between Earth and Sun [au].
        sun_normalised: Whether a reflectance is divided by the cosine of the sun's zenith angle already.

    Raises:
        MetadataError: Neither reflectance nor a spectral radiance whose irradiance is known.
    """
    gain, offset = scaling
    if is_reflectance(unit):
        return Reflectance(gain=gain, offset=offset, sun_normalised=sun_normalised)
    if _PERCENT.fullmatch(unit.strip().lower()):
        return Reflectance(gain=gain / 100.0, offset=offset / 100.0, sun_normalised=sun_normalised)
    factor = _radiance(unit)
    if factor is None:
        raise MetadataError(
            f"the unit of {name} is not reflectance",
            expected="unit reflectance (or none), %, or a spectral radiance such as W m-2 sr-1 um-1",
            got=f"unit {unit[:60]!r}",
            remedy="Give the band as reflectance, or with its spectral radiance and eo:solar_illumination.",
        )
    if irradiance is None or irradiance <= 0.0:
        raise MetadataError(
            f"{name} is a radiance",
            expected="reflectance, or eo:solar_illumination [W m-2 um-1] beside the radiance",
            got=f"unit {unit[:60]!r} and {'no eo:solar_illumination' if irradiance is None else f'{irradiance:g}'}",
            remedy="Write the band's mean solar irradiance into eo:solar_illumination (eo:bands: solar_illumination).",
        )
    gain, offset = fold_esun(gain=gain * factor, offset=offset * factor, esun=irradiance, distance_au=distance_au)
    return Reflectance(gain=gain, offset=offset, sun_normalised=False)


def _radiance(unit: str) -> float | None:
    """W m-2 sr-1 um-1 in one of ``unit``; None when it is no radiance per wavelength."""
    # A factor (10*W m-2 sr-1 um-1) is no prefix that we know.
    if re.match(r"[\d.\s]*\d", unit):
        return None
    plain = re.sub(r"(?<=w)(?=c?m[-^]?\d)|(?<=\d)(?=[a-z])", " ", unit.lower())
    for spelled, meant in _SPELLINGS.items():
        plain = plain.replace(spelled, meant)
    parts = re.findall(r"[a-z]+", plain)
    power = next((p for p in parts if p.rstrip("s") in {"w", "mw", "uw", "kw"}), None)
    wavelength = next((p for p in parts if p in {"um", "nm"}), None)
    area = next((p for p in parts if p in {"m", "cm"}), None)
    if power is None or wavelength is None or area is None or "sr" not in parts:
        return None
    return _PREFIXES[power.rstrip("s")[:-1]] * {"m": 1.0, "cm": 1e4}[area] * {"um": 1.0, "nm": 1e3}[wavelength]
