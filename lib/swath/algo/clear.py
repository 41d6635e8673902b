"""Which pixels of a date a composite may use: one vocabulary for the masks of swath, USGS, ESA and NASA.

Layouts: ``algo.qa`` (swath's own ``qa``; Landsat Collection 2 QA_PIXEL after USGS LSDS-1328 and LSDS-1618); the scene
classification of Sentinel-2 Level 2A (ESA, "Sentinel-2 MSI Level-2A Algorithm Theoretical Basis Document"); Fmask of HLS 2.0
(NASA, "HLS Product User Guide", table 9).
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.qa import LAYOUTS, QA_BITS, quality_table
from swath.compiled import compiled
from swath.scene import QualityScheme

#: What a mask may say of a pixel. ``adjacent``: near a cloud, by the mask's own margin.
FLAGS: Final = ("saturated", "cloud", "adjacent", "shadow", "cirrus", "snow", "water")
#: Flags whose pixels are not used, unless a pipeline says otherwise.
USUAL: Final = ("saturated", "cloud", "adjacent", "shadow", "cirrus")
_BIT: Final[Mapping[str, int]] = {name: 1 << n for n, name in enumerate((*FLAGS, "nodata", "unjudged"))}
#: Flags by value of the scene classification; 2 (dark), 4, 5 (land) and 7 (unclassified) have none.
_SCL: Final[Mapping[int, str]] = {
    0: "nodata", 1: "saturated", 3: "shadow", 6: "water", 8: "cloud", 9: "cloud", 10: "cirrus", 11: "snow"
}  # fmt: skip
_FMASK: Final[Mapping[str, int]] = {"cirrus": 0, "cloud": 1, "adjacent": 2, "shadow": 3, "snow": 4, "water": 5}
_FMASK_FILL: Final = 255


def unusable_table(scheme: QualityScheme, *, instrument: str, flags: Iterable[str]) -> NDArray[np.bool_]:
    """Which numbers of a mask mean a pixel that is not used, (65536,): no data, no judgement of clouds, or one of ``flags``.

    Args:
        scheme: Scheme of the mask.
        instrument: STAC instrument; Landsat's layouts differ by it.
        flags: Names, keys of ``FLAGS``.
    """
    wanted = sum(_BIT[name] for name in {*flags, "nodata", "unjudged"})
    return np.asarray(_flags(scheme, instrument) & np.uint16(wanted) != 0)


@lru_cache(maxsize=8)
def _flags(scheme: QualityScheme, instrument: str) -> NDArray[np.uint16]:
    codes = np.arange(1 << 16, dtype=np.uint16)
    table = np.zeros(1 << 16, dtype=np.uint16)
    if scheme == "sentinel2-scl":
        table[12:] = _BIT["nodata"]
        for value, name in _SCL.items():
            table[value] = _BIT[name]
        return table
    if scheme == "hls-fmask":
        for name, bit in _FMASK.items():
            table[(codes >> np.uint16(bit)) & np.uint16(1) == 1] |= _BIT[name]
        table[_FMASK_FILL:] = _BIT["nodata"]
        return table
    qa = codes if scheme == "swath-qa" else quality_table(scheme, instrument=instrument)
    bits = {c.name: np.uint16(1 << c.value) for c in QA_BITS}
    for name in ("nodata", *(f for f in FLAGS if f in bits)):
        table[qa & bits[name] != 0] |= _BIT[name]
    table[qa & (bits["cloud_from_quality"] | bits["cloud_from_model"]) == 0] |= _BIT["unjudged"]
    dilated = LAYOUTS.get((scheme, instrument.startswith("oli")), {}).get("dilated_cloud")
    if dilated is not None:
        table[dilated.of(codes) > 0] |= _BIT["adjacent"]
    return table


def leave_out(codes: NDArray[np.integer], *, unusable: NDArray[np.bool_], usable: NDArray[np.bool_]) -> None:
    """Take out of ``usable``, (y, x), the pixels whose number of the mask is in a table of ``unusable_table``."""
    _leave_out(np.ascontiguousarray(codes), unusable, usable)


@compiled
def _leave_out(codes: NDArray[np.integer], unusable: NDArray[np.bool_], usable: NDArray[np.bool_]) -> None:
    for y in range(codes.shape[0]):
        line, out = codes[y], usable[y]
        for x in range(line.size):
            out[x] &= not unusable[line[x] & 0xFFFF]


def distance_to(marked: NDArray[np.bool_], *, most_px: int) -> NDArray[np.float32]:
    """Distance of each pixel from the nearest marked one [px], (y, x): between their centres, ``most_px`` at most.

    Args:
        marked: (y, x). What is beyond the array counts as not marked.
        most_px: Distances from this on are not told apart, 1 or more.
    """
    result = np.empty(marked.shape, dtype=np.float32)
    _distance(np.ascontiguousarray(marked), most_px, result)
    return result


@compiled
def _distance(marked: NDArray[np.bool_], most: int, result: NDArray[np.float32]) -> None:
    height, width = marked.shape
    # Distance along the column first, then the least over each row's neighbours: exact (Euclidean), and of the order of ``most``.
    column = np.full((height, width), most, dtype=np.int64)
    for x in range(width):
        last = -most
        for y in range(height):
            if marked[y, x]:
                last = y
            column[y, x] = min(column[y, x], y - last)
        last = height + most
        for y in range(height - 1, -1, -1):
            if marked[y, x]:
                last = y
            column[y, x] = min(column[y, x], last - y)
    for y in range(height):
        for x in range(width):
            least = most * most
            for near in range(max(0, x - most), min(width, x + most + 1)):
                square = (near - x) * (near - x) + column[y, near] * column[y, near]
                if column[y, near] < most and square < least:
                    least = square
            result[y, x] = np.sqrt(least)
