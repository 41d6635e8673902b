"""The stack of one strip: in memory where it fits, in a scratch file where it does not; unpacked one piece at a time."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from swath.grid import Window
from swath.stack.packed import Plane, SourcePart, Stack, unpack

#: A piece takes no more than this, reducers included: it stays near the processor's cache, and no larger one is faster [bytes].
_PIECE: Final = 16 << 20
#: What reducers take beside the piece itself, as a share of it.
_BESIDE: Final = 2
#: Pieces are no narrower than this [px].
_NARROWEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPiece:
    """All sources on some pixels of the strip.

    Args:
        window: Which pixels, in the tile.
        present: Places of the sources that touch them, in the order in which they came.
        stack: (source, channel, y, x) of these sources; NaN where not to be used.
    """

    window: Window
    present: tuple[int, ...]
    stack: Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """An array in the scratch file, (y, x)."""

    file: BinaryIO
    at: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def part(self, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        found = np.empty((rows[1] - rows[0], columns[1] - columns[0]), dtype=self.dtype)
        row_bytes = self.shape[1] * self.dtype.itemsize
        if columns == (0, self.shape[1]):
            _read(self.file, found, at=self.at + rows[0] * row_bytes)
            return found
        for number, line in enumerate(found):
            _read(self.file, line, at=self.at + (rows[0] + number) * row_bytes + columns[0] * self.dtype.itemsize)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """An array in memory, (y, x)."""

    values: NDArray[Any]

    def part(self, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        return self.values[slice(*rows), slice(*columns)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One source of the strip; the arrays are in memory or in the file."""

    window: Window
    usable: _Held | _Stored
    planes: tuple[tuple[_Held | _Stored, float, float], ...]

    def put(self, piece: Window, *, into: Stack) -> None:
        """Its values on a piece, (channel, y, x)."""
        shared = self.window.clip(piece)
        if shared != piece:
            into[:] = np.nan
        row, col = shared.row - self.window.row, shared.col - self.window.col
        rows, columns = (row, row + shared.height), (col, col + shared.width)
        usable = self.usable.part(rows, columns)
        at = shared.row - piece.row, shared.col - piece.col
        for channel, (numbers, gain, offset) in enumerate(self.planes):
            plane = Plane(numbers=numbers.part(rows, columns), gain=gain, offset=offset)
            unpack(plane, usable, into=into[channel], at=at)


class Spool:
    """Takes sources one after the other, and gives all of them piece by piece.

    Args:
        window: The strip, in pixels of the tile.
        channels: Channels of a source.
        sources: Number of those that will come.
        memory_mb: Memory of the strip [MiB]; a quarter of it may be held.
        scratch: Folder of the file.
    """

    def __init__(self, window: Window, *, channels: int, sources: int, memory_mb: int, scratch: Path) -> None:
        self._window, self._channels, self._expected = window, channels, sources
        self._budget = (memory_mb << 20) // 4
        self._scratch = scratch
        self._sources: list[_Source | None] = []
        self._bytes = 0
        self._file: BinaryIO | None = None

    def put(self, packed: SourcePart | None) -> None:
        """Take the next source; None: it has no pixel in the strip."""
        if packed is None:
            self._sources.append(None)
            return
        self._bytes += packed.nbytes
        # As those before were: a stack that will not fit goes into the file from the first source on.
        foreseen = self._bytes / (len(self._sources) + 1) * self._expected
        if self._file is None and max(self._bytes, foreseen) > self._budget:
            self._file = TemporaryFile(dir=self._scratch, buffering=0)  # noqa: SIM115  closed with the spool
            self._sources = [None if s is None else self._moved(s) for s in self._sources]
        source = _Source(
            window=packed.window,
            usable=_Held(values=packed.usable),
            planes=tuple((_Held(values=p.numbers), p.gain, p.offset) for p in packed.planes),
        )
        self._sources.append(source if self._file is None else self._moved(source))

    def pieces(self) -> Iterator[StackPiece]:
        """Pieces from left to right, then down."""
        strip = self._window
        height, width = self._piece()
        for row in range(strip.row, strip.row_stop, height):
            for col in range(strip.col, strip.col_stop, width):
                yield self._given(Window(row, col, height, width).clip(strip))

    def _piece(self) -> tuple[int, int]:
        """Rows and columns of a piece: whole rows where they fit."""
        pixels = min(self._budget, _PIECE) // (_BESIDE * 4 * self._channels * max(len(self._sources), 1))
        if pixels >= self._window.width:
            return min(pixels // self._window.width, self._window.height), self._window.width
        return 1, max(pixels, _NARROWEST)

    def _given(self, window: Window) -> StackPiece:
        present = [(n, s) for n, s in enumerate(self._sources) if s is not None and _meet(s.window, window)]
        stack = np.empty((len(present), self._channels, *window.shape), dtype=np.float32)
        for into, (_, source) in zip(stack, present, strict=True):
            source.put(window, into=into)
        return StackPiece(window=window, present=tuple(n for n, _ in present), stack=stack)

    def _moved(self, source: _Source) -> _Source:
        """The source with its arrays in the file."""
        planes = tuple((self._stored(numbers), gain, offset) for numbers, gain, offset in source.planes)
        return _Source(window=source.window, usable=self._stored(source.usable), planes=planes)

    def _stored(self, array: _Held | _Stored) -> _Stored:
        if self._file is None or isinstance(array, _Stored):
            raise TypeError(array)
        at = self._file.seek(0, os.SEEK_END)
        left = np.ascontiguousarray(array.values).view(np.uint8).reshape(-1).data
        while left:
            left = left[self._file.write(left) :]
        return _Stored(file=self._file, at=at, shape=array.values.shape, dtype=array.values.dtype)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()


def _meet(a: Window, b: Window) -> bool:
    return a.row < b.row_stop and b.row < a.row_stop and a.col < b.col_stop and b.col < a.col_stop


def _read(file: BinaryIO, into: NDArray[Any], *, at: int) -> None:
    view = into.view(np.uint8).reshape(-1).data
    done = 0
    while done < len(view):
        got = os.preadv(file.fileno(), [view[done:]], at + done)
        if got == 0:
            msg = f"the spool ends {len(view) - done} bytes early"
            raise ValueError(msg)
        done += got
