"""One source on a part of a strip, in the numbers of its files: half the size of reflectance, with the same values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled
from swath.grid import Window

Stack = NDArray[np.float32]
Numbers = NDArray[np.integer] | NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One channel: reflectance, or a score, is ``numbers * gain + offset``.

    Args:
        numbers: (y, x), of 8 or 16 bits as delivered; float32 where they were resampled.
        gain: Value per number [1].
        offset: Value at number 0 [1].
    """

    numbers: Numbers
    gain: float = 1.0
    offset: float = 0.0

    @property
    def values(self) -> Stack:
        """What the numbers mean, (y, x)."""
        found: Stack = (self.numbers * np.float64(self.gain) + self.offset).astype(np.float32)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePart:
    """A source where it has pixels.

    Args:
        window: Its part of the strip, in pixels of the tile.
        usable: (y, x) of the window; False where no channel is used.
        planes: Channels, in order.
    """

    window: Window
    usable: NDArray[np.bool_]
    planes: tuple[Plane, ...]

    @property
    def nbytes(self) -> int:
        """What it takes."""
        return self.usable.nbytes + sum(p.numbers.nbytes for p in self.planes)


def unpack(plane: Plane, usable: NDArray[np.bool_], *, into: Stack, at: tuple[int, int]) -> None:
    """Put values where they may be used, and NaN elsewhere.

    Args:
        plane: What is put.
        usable: (y, x) of the plane.
        into: (y, x), contiguous.
        at: Row and column of ``into`` of the plane's first pixel.
    """
    numbers = np.ascontiguousarray(plane.numbers, dtype=plane.numbers.dtype.newbyteorder("="))
    _unpack(numbers, np.ascontiguousarray(usable), float(plane.gain), float(plane.offset), into, *at)


@compiled
def _unpack(  # noqa: PLR0917 (compiled functions take positions)
    numbers: Numbers, usable: NDArray[np.bool_], gain: float, offset: float, into: Stack, row: int, col: int
) -> None:
    height, width = numbers.shape
    for y in range(height):
        line, clear, out = numbers[y], usable[y], into[row + y, col : col + width]
        for x in range(width):
            # In float64, then rounded once: what whole-array arithmetic gives.
            value = np.float32(np.float64(line[x]) * gain + offset)
            out[x] = value if clear[x] else np.float32(np.nan)
