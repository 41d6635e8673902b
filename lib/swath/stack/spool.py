"""The stack of one strip: in memory where it fits, in a scratch file where it does not; read back a few rows at a time."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.float32]
#: What reducers take beside the stack itself, as a share of it.
_BESIDE = 1.5


class Spool:
    """Takes whole sources one after the other, and gives all sources of some rows.

    Args:
        shape: Channels, rows and columns of each source.
        memory_mb: Most memory that may be held, and given at once [MiB].
        scratch: Folder of the file.
    """

    def __init__(self, shape: tuple[int, int, int], *, memory_mb: int, scratch: Path) -> None:
        self._shape = shape
        self._budget = memory_mb << 20
        self._scratch = scratch
        self._held: list[Stack] = []
        self._file: BinaryIO | None = None
        self._count = 0

    def put(self, values: Stack) -> None:
        """Take the next source, (channel, y, x)."""
        self._count += 1
        if self._file is None and self._count * values.nbytes * 2 > self._budget:
            self._file = TemporaryFile(dir=self._scratch)  # noqa: SIM115  closed with the spool
            for held in self._held:
                self._file.write(np.ascontiguousarray(held).data.cast("B"))
            self._held = []
        if self._file is None:
            self._held.append(values)
        else:
            self._file.write(np.ascontiguousarray(values).data.cast("B"))

    def rows(self) -> Iterator[Stack]:
        """All sources of the next rows, (source, channel, y, x), until there are no more rows."""
        channels, height, width = self._shape
        row_bytes = max(1, int(self._count * channels * width * np.dtype(np.float32).itemsize * _BESIDE))
        step = max(1, min(height, self._budget // 2 // row_bytes))
        for start in range(0, height, step):
            yield self._some(start, min(start + step, height))

    def _some(self, start: int, stop: int) -> Stack:
        channels, height, width = self._shape
        if self._file is None:
            empty = np.empty((0, channels, stop - start, width), dtype=np.float32)
            return np.stack([h[:, start:stop] for h in self._held]) if self._held else empty
        self._file.flush()
        found = np.empty((self._count, channels, stop - start, width), dtype=np.float32)
        for source in range(self._count):
            for channel in range(channels):
                at = ((source * channels + channel) * height + start) * width * found.itemsize
                _read(self._file, found[source, channel], at=at)
        return found

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()


def _read(file: BinaryIO, into: Stack, *, at: int) -> None:
    view = into.data.cast("B")
    done = 0
    while done < len(view):
        got = os.preadv(file.fileno(), [view[done:]], at + done)
        if got == 0:
            msg = f"the spool ends {len(view) - done} bytes early"
            raise ValueError(msg)
        done += got
