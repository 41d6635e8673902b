"""Quality bits: unpacking what agencies deliver, and packing what swath publishes.

Delivered: Landsat BQA before collections and in Collection 1, Collection 2 QA_PIXEL and QA_RADSAT, after USGS LDCM-DFCB-004,
LSDS-1873, LSDS-1618 and LSDS-1619 (data format control books). The bits mean different things for OLI and for TM and ETM+.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from swath.product import Category
from swath.scene import QualityScheme


class Bits(NamedTuple):
    """A run of bits in a packed number."""

    first: int
    width: int = 1

    def of(self, packed: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Their value, 0 .. 2^width - 1."""
        return (packed >> np.uint16(self.first)) & np.uint16((1 << self.width) - 1)


#: Two-bit confidences: 0 not determined, 1 low, 2 medium, 3 high.
HIGH: Final = 3
#: Schemes whose confidence 0 means not judged: before collections, water and snow were never computed.
_MAY_BE_UNDETERMINED: Final[frozenset[QualityScheme]] = frozenset({"landsat-pre-bqa"})
#: LDCM-DFCB-004, "Quality Band": OLI alone had one before collections.
_PRE_COLLECTION: Final = {
    "fill": Bits(0),
    "dropped": Bits(1),
    "terrain_occlusion": Bits(2),
    "water_confidence": Bits(4, 2),
    "snow_confidence": Bits(10, 2),
    "cirrus_confidence": Bits(12, 2),
    "cloud_confidence": Bits(14, 2),
}
_C1: Final = {
    "fill": Bits(0),
    "saturated_bands": Bits(2, 2),
    "cloud": Bits(4),
    "cloud_confidence": Bits(5, 2),
    "shadow_confidence": Bits(7, 2),
    "snow_confidence": Bits(9, 2),
}
_C2_PIXEL: Final = {
    "fill": Bits(0),
    "dilated_cloud": Bits(1),
    "cloud": Bits(3),
    "shadow": Bits(4),
    "snow": Bits(5),
    "clear": Bits(6),
    "water": Bits(7),
    "cloud_confidence": Bits(8, 2),
    "shadow_confidence": Bits(10, 2),
    "snow_confidence": Bits(12, 2),
}
_BANDS_1_TO_7: Final = {f"saturated_b{n + 1}": Bits(n) for n in range(7)}
#: Layout by scheme and by whether the instrument is OLI (otherwise TM or ETM+).
LAYOUTS: Final[Mapping[tuple[QualityScheme, bool], Mapping[str, Bits]]] = MappingProxyType(
    {
        ("landsat-pre-bqa", True): _PRE_COLLECTION,
        ("landsat-c1-bqa", True): {**_C1, "terrain_occlusion": Bits(1), "cirrus_confidence": Bits(11, 2)},
        ("landsat-c1-bqa", False): {**_C1, "dropped": Bits(1)},
        ("landsat-c2-qa-pixel", True): {**_C2_PIXEL, "cirrus": Bits(2), "cirrus_confidence": Bits(14, 2)},
        ("landsat-c2-qa-pixel", False): _C2_PIXEL,
        ("landsat-c2-qa-radsat", True): {**_BANDS_1_TO_7, "saturated_b9": Bits(8), "terrain_occlusion": Bits(11)},
        ("landsat-c2-qa-radsat", False): {**_BANDS_1_TO_7, "saturated_b6_high_gain": Bits(8), "dropped": Bits(9)},
    }
)


def layout(scheme: QualityScheme, *, instrument: str) -> Mapping[str, Bits]:
    """Where the bits of a delivered band are, for a STAC instrument (``oli``, ``oli-tirs``, ``tm``, ``etm``).

    Raises:
        KeyError: The instrument never had such a band; readers leave it out.
    """
    return LAYOUTS[scheme, instrument.startswith("oli")]


def fill_of(scheme: QualityScheme) -> int:
    """The number of a pixel without data: fill is bit 0 of every band that has such a bit; saturation bands have 0."""
    return int(all("fill" in bits for (name, _), bits in LAYOUTS.items() if name == scheme))


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFlags:
    """What one delivered band says, each (y, x), True where the name holds; None where the band does not tell."""

    nodata: NDArray[np.bool_] | None = None
    saturated: NDArray[np.bool_] | None = None
    cloudy: NDArray[np.bool_] | None = None
    shadowed: NDArray[np.bool_] | None = None
    snowy: NDArray[np.bool_] | None = None
    watery: NDArray[np.bool_] | None = None
    cirrus: NDArray[np.bool_] | None = None


def unpack(packed: NDArray[np.uint16], *, scheme: QualityScheme, instrument: str) -> QualityFlags:
    """Named boolean arrays of a delivered band, any shape.

    nodata is fill and dropped pixels. Collection 1 gives shadow, snow and cirrus as confidences, and BQA before collections
    gives everything so: high ones count.
    Dilated cloud (a margin around cloud) and terrain occlusion are left in the delivered band.
    """
    codes = {name: bits.of(packed) for name, bits in layout(scheme, instrument=instrument).items()}
    flags = {name: code > 0 for name, code in codes.items()}
    nodata = [flags[n] for n in ("fill", "dropped") if n in flags]
    saturated = [f for n, f in flags.items() if n.startswith("saturated")]

    def judged(name: str) -> NDArray[np.bool_] | None:
        if name in flags:
            return flags[name]
        sure = codes.get(f"{name}_confidence")
        return None if sure is None else sure == HIGH

    return QualityFlags(
        nodata=np.logical_or.reduce(nodata) if nodata else None,
        saturated=np.logical_or.reduce(saturated) if saturated else None,
        cloudy=judged("cloud"),
        shadowed=judged("shadow"),
        snowy=judged("snow"),
        watery=judged("water"),
        cirrus=judged("cirrus"),
    )


#: The bits of the product's ``qa``. A source bit of nodata or saturated is set where that source says so; a source
#: bit of cloud, shadow, snow or water where that source judged the pixel, whatever it found: without it, 0 is unknown.
QA_BITS: Final[tuple[Category, ...]] = (
    Category(value=0, name="nodata", title="No data", rgb=(0, 0, 0)),
    Category(value=1, name="saturated", title="A band is saturated", rgb=(214, 39, 40)),
    Category(value=2, name="cloud", title="Cloud", rgb=(240, 240, 240)),
    Category(value=3, name="shadow", title="Cloud shadow", rgb=(70, 70, 90)),
    Category(value=4, name="snow", title="Snow or ice", rgb=(140, 220, 255)),
    Category(value=5, name="water", title="Water", rgb=(31, 119, 180)),
    Category(value=6, name="cirrus", title="Thin high cloud", rgb=(200, 190, 220)),
    Category(value=7, name="nodata_from_pixels", title="No data, by the bands' pixels"),
    Category(value=8, name="nodata_from_quality", title="No data, by the delivered quality band"),
    Category(value=9, name="saturated_from_pixels", title="Saturated, by the bands' pixels"),
    Category(value=10, name="saturated_from_quality", title="Saturated, by the delivered quality band"),
    Category(value=11, name="cloud_from_quality", title="Cloud judged by the delivered quality band"),
    Category(value=12, name="shadow_from_quality", title="Shadow judged by the delivered quality band"),
    Category(value=13, name="snow_from_quality", title="Snow judged by the delivered quality band"),
    Category(value=14, name="water_from_quality", title="Water judged by the delivered quality band"),
    Category(value=15, name="cloud_from_model", title="Cloud judged by spectral tests or a model"),
)
_BIT: Final[Mapping[str, int]] = MappingProxyType({c.name: 1 << c.value for c in QA_BITS})
#: What pixels may say, and what stays of a delivered band's answer where it has no data itself.
NODATA_FROM_PIXELS: Final = _BIT["nodata"] | _BIT["nodata_from_pixels"]
SATURATED_FROM_PIXELS: Final = _BIT["saturated"] | _BIT["saturated_from_pixels"]
NODATA_FROM_QUALITY: Final = _BIT["nodata"] | _BIT["nodata_from_quality"]
_CLOUD_JUDGED: Final = _BIT["cloud_from_quality"]
_CLOUD_FROM_MODEL: Final = _BIT["cloud_from_model"]


def with_cloud_map(
    qa: NDArray[np.uint16], *, found: Mapping[str, NDArray[np.bool_]], judged: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """The product's bits with a cloud map of our own, where the delivery judged nothing of the kind; all (y, x).

    Args:
        qa: Bits of pixels and of the delivery.
        found: True where the map has ``cloud``, ``shadow``, ``snow``, by name.
        judged: True where the map says anything.
    """
    judged = judged & (qa & np.uint16(_BIT["nodata"]) == 0)
    more = (judged & (qa & np.uint16(_CLOUD_JUDGED) == 0)) * np.uint16(_CLOUD_FROM_MODEL)
    for name, where in found.items():
        asked = judged & (qa & np.uint16(_BIT[f"{name}_from_quality"]) == 0)
        more |= (asked & where) * np.uint16(_BIT[name])
    return np.asarray(qa | more, dtype=np.uint16)


def qa_flag(qa: NDArray[np.uint16], *, name: str) -> NDArray[np.bool_]:
    """Where a bit of the product's ``qa``, any shape, is set, by its name in ``QA_BITS``."""
    found: NDArray[np.bool_] = np.not_equal(qa & np.uint16(_BIT[name]), 0)
    return found


@lru_cache(maxsize=8)
def quality_table(scheme: QualityScheme, *, instrument: str) -> NDArray[np.uint16]:
    """The product's bits for each number that a delivered band can hold, (65536,). Read-only: it is shared."""
    flags = unpack(np.arange(1 << 16, dtype=np.uint16), scheme=scheme, instrument=instrument)
    table = np.zeros(1 << 16, dtype=np.uint16)
    judged = {"cloud": flags.cloudy, "shadow": flags.shadowed, "snow": flags.snowy, "water": flags.watery}
    for name, found in judged.items():
        if found is not None:
            table[found] |= _BIT[name]
            table[_determined(name, scheme=scheme, instrument=instrument)] |= _BIT[f"{name}_from_quality"]
    if flags.cirrus is not None:
        table[flags.cirrus] |= _BIT["cirrus"]
    if flags.saturated is not None:
        table[flags.saturated] |= _BIT["saturated"] | _BIT["saturated_from_quality"]
    if flags.nodata is not None:
        # Where nothing was measured, nothing was judged.
        table[flags.nodata] = NODATA_FROM_QUALITY
    table.setflags(write=False)
    return table


def _determined(name: str, *, scheme: QualityScheme, instrument: str) -> NDArray[np.bool_]:
    """Which of all numbers carry a judgement of ``name``, (65536,)."""
    if scheme not in _MAY_BE_UNDETERMINED:
        return np.ones(1 << 16, dtype=np.bool_)
    confidence = layout(scheme, instrument=instrument)[f"{name}_confidence"]
    return np.asarray(confidence.of(np.arange(1 << 16, dtype=np.uint16)) > 0)
