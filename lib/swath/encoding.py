"""How physical values become the integers of a file: encodings, and the classes and bits that they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Resampling = Literal["average", "nearest", "mode"]
#: Statistics keep a histogram of ``value >> shift`` for this many bits of shift, by width of the type.
HISTOGRAM_SHIFT: Mapping[int, int] = {1: 0, 2: 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One class of a class map or one bit of a bit field.

    Args:
        value: The pixel value (class maps) or the bit number (bit fields).
        name: Machine name (``forest``).
        title: Human-readable title.
        rgb: Colour for colour tables and legends, 0..255 each.
    """

    value: int
    name: str
    title: str
    rgb: tuple[int, int, int] = (128, 128, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How physical values become the integers of a file: ``stored = round_half_even(value / scale)``, clamped.

    Args:
        dtype: ``int16``, ``uint16`` or ``uint8``.
        scale: Physical units per count.
        unit: Unit of the physical value (``1``, ``K``, ``percent``).
        nodata: The stored value of invalid pixels; None when every value is meant.
        lowest: Smallest stored value of a valid pixel.
        highest: Largest stored value of a valid pixel.
        overviews: Rule that makes the overviews.
        compression_level: DEFLATE level.
        predictor: 2 for continuous values, 1 for classes and bits.
        categories: Classes of a class map (with colours), empty otherwise.
        bits: Bits of a bit field, empty otherwise.
    """

    dtype: Literal["int16", "uint16", "uint8"]
    scale: float
    unit: str
    nodata: int | None
    lowest: int
    highest: int
    overviews: Resampling
    compression_level: int
    predictor: Literal[1, 2]
    categories: tuple[Category, ...] = ()
    bits: tuple[Category, ...] = ()

    @property
    def histogram_shift(self) -> int:
        """Statistics keep a histogram of ``stored >> shift``; bit fields and 8-bit values keep every value."""
        return 0 if self.bits else HISTOGRAM_SHIFT[np.dtype(self.dtype).itemsize]


#: Reflectance keeps the negative values of dark water (as HLS and FORCE do).
REFLECTANCE = Encoding(
    dtype="int16",
    scale=1e-4,
    unit="1",
    nodata=-9999,
    lowest=-9998,
    highest=32767,
    overviews="average",
    compression_level=1,
    predictor=2,
)
TEMPERATURE = Encoding(
    dtype="uint16",
    scale=0.01,
    unit="K",
    nodata=0,
    lowest=1,
    highest=65535,
    overviews="average",
    compression_level=1,
    predictor=2,
)
#: Numbers as delivered.
COUNTS = Encoding(
    dtype="uint16",
    scale=1.0,
    unit="1",
    nodata=0,
    lowest=1,
    highest=65535,
    overviews="average",
    compression_level=1,
    predictor=2,
)
PROBABILITY = Encoding(
    dtype="uint8",
    scale=1.0,
    unit="percent",
    nodata=255,
    lowest=0,
    highest=100,
    overviews="average",
    compression_level=1,
    predictor=2,
)


def class_map(categories: tuple[Category, ...]) -> Encoding:
    """The encoding of a class map: uint8, nodata 255, colour table, MODE overviews."""
    return Encoding(
        dtype="uint8",
        scale=1.0,
        unit="1",
        nodata=255,
        lowest=0,
        highest=254,
        overviews="mode",
        compression_level=6,
        predictor=1,
        categories=categories,
    )


def bit_field(bits: tuple[Category, ...]) -> Encoding:
    """The encoding of a bit field: uint16, no nodata value (a bit says so), NEAREST overviews."""
    return Encoding(
        dtype="uint16",
        scale=1.0,
        unit="1",
        nodata=None,
        lowest=0,
        highest=65535,
        overviews="nearest",
        compression_level=6,
        predictor=1,
        bits=bits,
    )
