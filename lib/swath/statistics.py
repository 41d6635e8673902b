"""Statistics of stored values: exact, and the same however the pixels come in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled
from swath.encoding import Encoding

#: Fields of ``Statistics`` that the ledger keeps of each strip.
SUMS: Final = ("count", "valid", "clamped", "minimum", "maximum", "total", "squares")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Exact integer sums over the stored values of valid pixels; parts merge in any order to the same result.

    Args:
        count: Pixels looked at.
        valid: Number of valid pixels.
        clamped: Number of valid pixels clamped to the encoding's range.
        minimum: Smallest stored value; None when nothing is valid.
        maximum: Largest stored value; None when nothing is valid.
        total: Sum of the stored values.
        squares: Sum of their squares.
        histogram: Pixels by ``stored >> shift`` (``HISTOGRAM_SHIFT``), sparse.
    """

    count: int = 0
    valid: int = 0
    clamped: int = 0
    minimum: int | None = None
    maximum: int | None = None
    total: int = 0
    squares: int = 0
    histogram: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: Self) -> Self:
        """The statistics of both parts together."""
        lows = [v for v in (self.minimum, other.minimum) if v is not None]
        highs = [v for v in (self.maximum, other.maximum) if v is not None]
        bins = dict(self.histogram)
        for key, number in other.histogram.items():
            bins[key] = bins.get(key, 0) + number
        return type(self)(
            count=self.count + other.count,
            valid=self.valid + other.valid,
            clamped=self.clamped + other.clamped,
            minimum=min(lows, default=None),
            maximum=max(highs, default=None),
            total=self.total + other.total,
            squares=self.squares + other.squares,
            histogram=dict(sorted(bins.items())),
        )

    @property
    def mean(self) -> float | None:
        """Mean of the stored values."""
        return self.total / self.valid if self.valid else None

    @property
    def standard_deviation(self) -> float | None:
        """Population standard deviation of the stored values."""
        if not self.valid:
            return None
        # Exact until the last step: integers do not cancel.
        spread = self.squares * self.valid - self.total * self.total
        return float((spread / (self.valid * self.valid)) ** 0.5)


#: Squares of so many 16-bit values stay below 2^63.
_EXACT_PIXELS = 1 << 31


class Tally:
    """Counts every stored value of an asset; all statistics follow exactly from the counts.

    Args:
        encoding: Encoding of the stored values (8 or 16 bits).
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._dtype = np.dtype(encoding.dtype)
        self._counts = np.zeros(1 << (8 * self._dtype.itemsize), dtype=np.int64)
        self._clamped = 0

    def add(self, stored: NDArray[np.integer], *, clamped: int = 0) -> None:
        """Count stored values, (y, x), of which ``clamped`` were clamped to the encoding's range."""
        _count(np.ascontiguousarray(stored).view(f"u{self._dtype.itemsize}"), self._counts)
        self._clamped += clamped

    def statistics(self) -> Statistics:
        """What was counted so far."""
        present = np.flatnonzero(self._counts != 0)  # of booleans it is ten times as fast, and most of a small file's time
        values = present.astype(f"u{self._dtype.itemsize}").view(self._dtype).astype(np.int64)
        numbers = self._counts[present]
        count = int(numbers.sum())
        if self._encoding.nodata is not None:
            values, numbers = values[values != self._encoding.nodata], numbers[values != self._encoding.nodata]
        if not values.size:
            return Statistics(count=count, clamped=self._clamped)
        slots, place = np.unique(values >> self._encoding.histogram_shift, return_inverse=True)
        bins = np.zeros(slots.shape, dtype=np.int64)
        np.add.at(bins, place, numbers)
        return Statistics(
            count=count,
            valid=int(numbers.sum()),
            clamped=self._clamped,
            minimum=int(values.min()),
            maximum=int(values.max()),
            total=_dot(values, numbers),
            squares=_dot(values * values, numbers),
            histogram=dict(zip(slots.tolist(), bins.tolist(), strict=True)),
        )


@compiled
def _count(codes: NDArray[np.unsignedinteger], counts: NDArray[np.int64]) -> None:
    for y in range(codes.shape[0]):
        for x in range(codes.shape[1]):
            counts[codes[y, x]] += 1


def _dot(values: NDArray[np.int64], numbers: NDArray[np.int64]) -> int:
    """Exact sum of the products of values below 2^32 and how often each occurs."""
    if int(numbers.sum()) < _EXACT_PIXELS:
        return int(np.dot(values, numbers))
    return sum(v * n for v, n in zip(values.tolist(), numbers.tolist(), strict=True))
