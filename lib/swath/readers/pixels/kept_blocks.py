"""Windows of a tiled band by whole blocks: none is decoded twice, and none is kept longer than windows to come may ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from swath.grid import Window

#: Rows and columns that a window may have in common with one before.
_OVERLAP: Final = 64


class Decode(Protocol):
    """Decodes neighbouring blocks of one row of blocks."""

    def __call__(self, row: int, columns: tuple[int, int], *, rows: int) -> NDArray[Any] | None:
        """At least the first ``rows`` pixel rows of blocks ``columns[0]`` to ``columns[1]``, side by side; None: it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class _Block:
    """A decoded block from its row ``first`` on, (y, x)."""

    values: NDArray[Any]
    first: int = 0


class KeptBlocks:
    """The blocks of one band; windows go across the scene, then down.

    Args:
        size: (height, width) of the band.
        block: (height, width) of a block.
        dtype: Data type of the band.
        decode: Function that decodes a block.
        together: Ask for all neighbours at once, as suits a file far away; otherwise block by block.
    """

    def __init__(
        self, size: tuple[int, int], block: tuple[int, int], *, dtype: np.dtype[Any], decode: Decode, together: bool
    ) -> None:
        self._size, self._block, self._dtype, self._decode, self._together = size, block, dtype, decode, together
        self._kept: dict[tuple[int, int], _Block] = {}

    def read(self, window: Window) -> NDArray[Any] | None:
        """Pixels of a window, (y, x); None beyond the edge of the band, or where a block cannot be decoded."""
        if min(window.row, window.col) < 0 or window.row_stop > self._size[0] or window.col_stop > self._size[1]:
            return None
        pixels = np.empty(window.shape, dtype=self._dtype)
        height, width = self._block
        for row in range(window.row // height, -(-window.row_stop // height)):
            top = row * height
            start, stop = max(window.row - top, 0), min(window.row_stop - top, height)
            columns = range(window.col // width, -(-window.col_stop // width))
            if not all(self._fetch(row, run, rows=stop) for run in self._missing(row, columns, start=start)):
                return None
            for column in columns:
                place = Window(top, column * width, height, width).clip(window)
                block = self._kept[row, column]
                within = Window(top + block.first, column * width, height - block.first, width)
                pixels[window.slices_of(place)] = block.values[within.slices_of(place)]
        self._forget(window)
        return pixels

    @property
    def kept_pixels(self) -> int:
        """How many are held for windows to come."""
        return sum(b.values.size for b in self._kept.values())

    def _missing(self, row: int, columns: range, *, start: int) -> Iterator[tuple[int, int]]:
        """Runs of neighbouring blocks whose rows from ``start`` on are not there."""
        missing = [c for c in columns if (kept := self._kept.get((row, c))) is None or kept.first > start]
        if not self._together:
            yield from ((c, c + 1) for c in missing)
            return
        while missing:
            run = 1
            while run < len(missing) and missing[run] == missing[0] + run:
                run += 1
            yield missing[0], missing[0] + run
            missing = missing[run:]

    def _fetch(self, row: int, run: tuple[int, int], *, rows: int) -> bool:
        values = self._decode(row, run, rows=rows)
        if values is None:
            return False
        width = self._block[1]
        for number, column in enumerate(range(*run)):
            self._kept[row, column] = _Block(values[:, number * width : (number + 1) * width])
        return True

    def _forget(self, window: Window) -> None:
        """Keep of the blocks met so far what the next window on the right, or one of the next row of windows, may ask for."""
        (height, width), (all_rows, all_columns) = self._block, self._size
        for (row, column), block in list(self._kept.items()):
            bottom, right = (row + 1) * height, (column + 1) * width
            if block.first + len(block.values) < min(height, all_rows - row * height):
                # Decoded as far as this window needed it, which costs little.
                del self._kept[row, column]
            elif column * width >= window.col_stop:
                # Still to be met in this row of windows.
                continue
            elif _needed(right, stop=window.col_stop, size=all_columns):
                self._kept[row, column] = _own(block)
            elif row * height >= window.row_stop or not _needed(bottom, stop=window.row_stop, size=all_rows):
                del self._kept[row, column]
            elif bottom < window.row_stop and not block.first:
                self._kept[row, column] = _Block(block.values[-_OVERLAP:].copy(), height - min(_OVERLAP, height))
            else:
                self._kept[row, column] = _own(block)


def _needed(edge: int, *, stop: int, size: int) -> bool:
    """Whether windows after one that ends at ``stop`` may ask for what ends at ``edge``: not when both end in one place."""
    return stop < size and edge > stop - _OVERLAP and edge != stop


def _own(block: _Block) -> _Block:
    """The block without the neighbours that it was decoded with."""
    base = block.values.base
    shared = isinstance(base, np.ndarray) and base.size > block.values.size
    return _Block(block.values.copy(), block.first) if shared else block
