"""A member of an archive, and the bytes of one that is inside a larger file."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from swath.errors import ArchiveError
from swath.readers.archives.companions import is_companion

Kind = Literal["zip", "tar"]
_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A regular file in an archive.

    Args:
        name: Name with slashes, without a leading ``./``.
        stored: Name as the archive spells it.
        size: Bytes when unpacked.
        offset: Offset of the bytes in the tar (inflated if it is compressed); None if they are not in one piece.
        direct: GDAL reads it by its name, in place.
    """

    name: str
    stored: str
    size: int
    offset: int | None = None
    direct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArchiveListing:
    """What is in an archive.

    Args:
        kind: Packing of the members.
        members: Members by name, in the archive's order; of members with one name the last, as tar and zip say.
        inflated: A compressed tar without its compression, in a file that has no name; None when it was not asked for.
    """

    kind: Kind
    members: Mapping[str, Member]
    inflated: BinaryIO | None = None


def member_name(stored: str, *, archive: str) -> str | None:
    """A member's name with slashes (tools of Windows write backslashes); None for a Mac's companion of a file.

    Raises:
        ArchiveError: The name leads out of the archive.
    """
    name = stored.replace("\\", "/").removeprefix("./")
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise ArchiveError(
            "a member's name leads out of its archive",
            expected="a relative path without '..'",
            got=f"{stored!r} in {archive}",
            remedy="Do not trust this archive; fetch the delivery again.",
        )
    if not name or is_companion(name):
        return None
    # Bytes that are no text would end in rows and JSON; the archive's own spelling stays in ``Member.stored``.
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def part_of(file: BinaryIO, *, offset: int, size: int) -> BinaryIO:
    """A stretch of a seekable file as a file of its own; it does not close the other."""
    return cast("BinaryIO", io.BufferedReader(_Part(file, offset, size), _BUFFER))


class _Part(io.RawIOBase):
    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._file, self._offset, self._size, self._at = file, offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = max(offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence], 0)
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # any writable buffer
        wanted = min(len(buffer), max(self._size - self._at, 0))
        if not wanted:
            return 0
        self._file.seek(self._offset + self._at)
        data = self._file.read(wanted)
        if not data:
            raise ArchiveError("the archive is cut short", expected=f"{self._offset + self._size} bytes or more", got="its end")
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
