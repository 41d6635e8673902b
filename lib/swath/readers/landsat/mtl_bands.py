"""What a Landsat metadata file says of each band, in the spellings of every vintage.

Keys: Landsat Collection 2 Level 1 Data Format Control Book (LSDS-1822) and Collection 1 Level 1 (LSDS-1656); the
spellings before 2012 (``LMAX_BAND1``, ``BAND1_FILE_NAME``) from the Landsat 7 Level 1 product format book (LS-DFCB-04).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from swath.errors import MetadataError
from swath.readers.landsat.mtl_syntax import MtlText

#: Fewer significant digits than this, and a gain computed from the range is the better one (0.055 is 0.7 % off).
EXACT_DIGITS = 5

#: Bands of the old spelling whose name says more than a number.
_OLD_IDS = {"61": "6_VCID_1", "62": "6_VCID_2"}
_BAND_KEYS = (
    re.compile(r"^(?P<what>FILE_NAME|RADIANCE_MULT|RADIANCE_ADD|REFLECTANCE_MULT|REFLECTANCE_ADD|K1_CONSTANT|K2_CONSTANT"
               r"|RADIANCE_MAXIMUM|RADIANCE_MINIMUM|QUANTIZE_CAL_MAX|QUANTIZE_CAL_MIN)_BAND_(?P<band>\d+(?:_VCID_\d)?)$"),
    re.compile(r"^(?P<what>LMAX|LMIN|QCALMAX|QCALMIN)_BAND(?P<band>\d+)$"),
    re.compile(r"^BAND(?P<band>\d+)_(?P<what>FILE_NAME)$"),
)  # fmt: skip
_MODERN = {
    "LMAX": "RADIANCE_MAXIMUM",
    "LMIN": "RADIANCE_MINIMUM",
    "QCALMAX": "QUANTIZE_CAL_MAX",
    "QCALMIN": "QUANTIZE_CAL_MIN",
}
_QUALITY_KEYS = {
    "FILE_NAME_BAND_QUALITY": "BQA",
    "FILE_NAME_QUALITY_L1_PIXEL": "QA_PIXEL",
    "FILE_NAME_QUALITY_L1_RADIOMETRIC_SATURATION": "QA_RADSAT",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaling:
    """``value = gain * DN + offset``."""

    gain: float
    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MtlBand:
    """What an MTL says of one band.

    Args:
        native_id: ``B1`` ... ``B11``, ``B6_VCID_1``, ``BQA``, ``QA_PIXEL``, ``QA_RADSAT``.
        file_name: File name as written; empty if the MTL names none.
        radiance: Conversion to W m-2 sr-1 um-1.
        reflectance: Conversion to TOA reflectance, not yet divided by the sine of the sun's elevation.
        k1: Thermal constant [W m-2 sr-1 um-1].
        k2_k: Thermal constant [K].
        quantize_max: Highest DN, which means saturation.
    """

    native_id: str
    file_name: str = ""
    radiance: Rescaling | None = None
    reflectance: Rescaling | None = None
    k1: float | None = None
    k2_k: float | None = None
    quantize_max: int | None = None


def bands_of(text: MtlText) -> dict[str, MtlBand]:
    """All bands that the metadata mentions, by native id.

    Raises:
        MetadataError: A coefficient is not a finite number.
    """
    by_band: dict[str, dict[str, str]] = {}
    for key in text.fields:
        found = next((m for pattern in _BAND_KEYS if (m := pattern.match(key))), None)
        if found is not None:
            number = _OLD_IDS.get(found["band"], found["band"])
            by_band.setdefault(f"B{number}", {})[_MODERN.get(found["what"], found["what"])] = key
    bands = {native_id: _band(native_id, keys=keys, text=text) for native_id, keys in by_band.items()}
    for key, native_id in _QUALITY_KEYS.items():
        if name := text.optional(key):
            bands[native_id] = MtlBand(native_id=native_id, file_name=name)
    return bands


def _band(native_id: str, *, keys: Mapping[str, str], text: MtlText) -> MtlBand:
    def number(what: str) -> float | None:
        if what not in keys or text.optional(keys[what]) in ("", "NULL"):
            return None
        value = text.number(keys[what])
        if not isfinite(value):
            raise MetadataError("a coefficient is not finite", expected="a number", got=f"{keys[what]} = {value} in {text.href}")
        return value

    quantize_max = number("QUANTIZE_CAL_MAX")
    return MtlBand(
        native_id=native_id,
        file_name=text.fields[keys["FILE_NAME"]] if "FILE_NAME" in keys else "",
        radiance=_radiance(
            gain=number("RADIANCE_MULT"),
            offset=number("RADIANCE_ADD"),
            digits=_digits(text.fields.get(keys.get("RADIANCE_MULT", ""), "")),
            ends=(number("RADIANCE_MINIMUM"), number("RADIANCE_MAXIMUM"), number("QUANTIZE_CAL_MIN"), quantize_max),
        ),
        reflectance=_pair(number("REFLECTANCE_MULT"), number("REFLECTANCE_ADD")),
        k1=number("K1_CONSTANT"),
        k2_k=number("K2_CONSTANT"),
        quantize_max=None if quantize_max is None else int(quantize_max),
    )


def _pair(gain: float | None, offset: float | None) -> Rescaling | None:
    return None if gain is None or offset is None else Rescaling(gain=gain, offset=offset)


def _radiance(*, gain: float | None, offset: float | None, digits: int, ends: tuple[float | None, ...]) -> Rescaling | None:
    """The delivered rescaling, or the one through its ends where that is missing or was rounded to a few digits.

    ``gain = (Lmax - Lmin) / (Qmax - Qmin)``, ``offset = Lmin - gain * Qmin``: Chander, Markham and Helder (2009),
    Remote Sensing of Environment 113, equation 1.
    """
    delivered = _pair(gain, offset)
    if delivered is not None and digits >= EXACT_DIGITS:
        return delivered
    known = [e for e in ends if e is not None]
    if len(known) != len(ends) or known[2] == known[3]:
        return delivered
    low, high, first, last = known
    slope = (high - low) / (last - first)
    return Rescaling(gain=slope, offset=low - slope * first)


def _digits(number: str) -> int:
    """Significant digits as written (``0.055`` has 2, ``2.0000E-05`` has 5)."""
    return len(re.sub(r"\D", "", number.upper().partition("E")[0]).lstrip("0"))
