"""Bytes that wait in a file: a driver holds the answers of three waves, which may be 100 MB."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Bytes that wait in memory before the others go to the file.
IN_MEMORY: Final = 4 << 20


class SpoolFile:
    """A file without a name, which is closed when nothing is in it any more."""

    def __init__(self) -> None:
        self.handle = -1
        self.handle, path = tempfile.mkstemp(prefix="swath-answers-")
        Path(path).unlink()

    def __del__(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)


@dataclass(frozen=True, slots=True)
class Spooled:
    """Bytes in a file, which is gone with the last of them.

    Args:
        file: The file.
        offset: Where they begin.
        length: Number of them.
    """

    file: SpoolFile
    offset: int
    length: int

    def read(self) -> bytes:
        """The bytes."""
        return os.pread(self.file.handle, self.length, self.offset)


@dataclass(slots=True)
class AnswerSpool:
    """Keeps bytes: the first ones in memory, the others in a temporary file; all in memory where no file can be written."""

    most: int = IN_MEMORY
    _held: int = 0
    _end: int = 0
    _file: SpoolFile | None = None

    def keep(self, data: bytes | bytearray) -> bytes | Spooled:
        """Keep some bytes; where they are."""
        if self._held + len(data) <= self.most:
            self._held += len(data)
            return bytes(data)
        try:
            if self._file is None:
                self._file = SpoolFile()
            return self._written(self._file, data)
        except OSError:  # a full disk: memory it is, then
            return bytes(data)

    def _written(self, file: SpoolFile, data: bytes | bytearray) -> bytes | Spooled:
        if os.pwrite(file.handle, data, self._end) < len(data):
            return bytes(data)
        place = Spooled(file, self._end, len(data))
        self._end += len(data)
        return place
