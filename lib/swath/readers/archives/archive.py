"""One archive: what it holds, the bytes of a member, and where GDAL finds them."""

import errno
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path
from tarfile import TarError
from typing import BinaryIO, cast
from zlib import error as ZlibError

from swath.errors import ArchiveError, ReadError
from swath.readers.archives.limits import Budget
from swath.readers.archives.member import ArchiveListing, Member, part_of
from swath.readers.archives.tars import compression_of, is_tar, list_compressed, list_plain
from swath.readers.archives.zips import MAGICS, list_zip

#: Opens an archive's own bytes, seekable.
Opener = Callable[[str], BinaryIO]
_HEAD_BYTES = 512
#: Archives that are known and not read, by their first bytes.
_FOREIGN: dict[bytes, str] = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x1f\x9d": "compress (.Z)",
    b"LZIP": "lzip",
}
_BROKEN = (OSError, EOFError, KeyError, ZlibError, LZMAError, TarError, zipfile.BadZipFile, NotImplementedError)
#: What the libraries raise besides while they list a damaged archive; of who reads a member it would be another's error.
_BROKEN_LISTS = (*_BROKEN, ValueError, RuntimeError, struct.error, OverflowError)

_EXHAUSTED = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)


@dataclass(slots=True, kw_only=True, eq=False)
class Archive:
    """An archive that was listed.

    Args:
        path: Path in GDAL's notation.
        version: Size and time of change: another file under the same name is another archive.
        listing: Content of the archive.
        copies: Members that GDAL cannot reach in place, by name, in files without a name.
    """

    path: str
    version: tuple[int, int]
    listing: ArchiveListing
    opener: Opener
    copies: dict[str, BinaryIO] = field(default_factory=dict)

    def member(self, name: str) -> Member:
        """The member of a name.

        Raises:
            ArchiveError: There is none.
        """
        found = self.listing.members.get(name.removeprefix("./"))
        if found is None:
            raise ArchiveError(
                "the archive does not hold a file", expected=name, got=f"other files in {self.path}", remedy="Fetch it again."
            )
        return found

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """The bytes of a member.

        Raises:
            ArchiveError: The member is missing or cannot be unpacked.
        """
        member = self.member(name)
        with told_as_archive(self.path), _stream(self, member) as file:
            yield file

    def reach(self, name: str) -> str:
        """The name by which GDAL reads a member now, in this process.

        In place where GDAL can: a zip's member by its name, one of a tar by where its bytes are, which holds for every
        way to spell its name. Otherwise from a copy that has no name and goes with this process.

        Raises:
            ArchiveError: The member is missing or cannot be unpacked.
        """
        member = self.member(name)
        if member.direct:
            return f"/vsizip/{{{self.path}}}/{member.stored}"
        if member.offset is not None:
            inflated = self.listing.inflated
            return f"/vsisubfile/{member.offset}_{member.size},{_descriptor(inflated) if inflated else self.path}"
        if name not in self.copies:
            self.copies[name] = self._copy(member)
        return _descriptor(self.copies[name])

    def _copy(self, member: Member) -> BinaryIO:
        with self.open(member.name) as source:
            copy = cast("BinaryIO", tempfile.TemporaryFile(prefix="swath-archive-"))  # noqa: SIM115  kept open
            with told_as_archive(self.path):
                shutil.copyfileobj(source, copy, 1 << 20)
                copy.flush()
        return copy

    def close(self) -> None:
        """Let go of all copies. Who opened one keeps it until it is closed."""
        for file in (*self.copies.values(), *([self.listing.inflated] if self.listing.inflated else [])):
            file.close()


_KEPT: list[Archive] = []


def opened_archive(path: str, *, opener: Opener) -> Archive:
    """An archive, listed; the last one is kept, since the files of one delivery are read after each other.

    Args:
        path: Path of the archive, as GDAL names it.
        opener: Opens its bytes.

    Raises:
        ArchiveError: The file is not an archive, is corrupt, cut short, locked by a password, or beyond the limits.
    """
    version = _version(path, opener)
    if _KEPT and (_KEPT[0].path, _KEPT[0].version) == (path, version):
        return _KEPT[0]
    listing = list_archive(path, opener=opener, keep=True)
    while _KEPT:
        _KEPT.pop().close()
    _KEPT.append(Archive(path=path, version=version, listing=listing, opener=opener))
    return _KEPT[0]


def list_archive(path: str, *, opener: Opener, keep: bool = False) -> ArchiveListing:
    """What an archive holds, judged by its bytes alone.

    Args:
        path: Path of the archive, as GDAL names it.
        opener: Opens its bytes.
        keep: Keep a compressed tar inflated.

    Raises:
        ArchiveError: See ``opened_archive``.
    """
    with told_as_archive(path, by=_BROKEN_LISTS), opener(path) as file:
        head = file.read(_HEAD_BYTES)
        budget = Budget(name=path, packed=file.seek(0, 2))
        file.seek(0)
        inflater = compression_of(head)
        if inflater is not None:
            return list_compressed(file, inflater=inflater, budget=budget, keep=keep)
        if is_tar(head):
            return list_plain(file, budget=budget)
        if head.startswith(MAGICS) or zipfile.is_zipfile(file):
            return list_zip(file, budget=budget)
    raise _refused(path, head=head)


def _refused(path: str, *, head: bytes) -> ArchiveError:
    """Why a file is not read as an archive, and what to do."""
    foreign = foreign_kind(head)
    got = f"{path} that begins with {head[:8]!r}" if head else f"{path} of 0 bytes"
    unread = "the archive is of a kind that is not read" if foreign else "the archive cannot be read"
    return ArchiveError(
        unread if head else "the archive is empty",
        expected="a tar (plain, gzip, bzip2, xz, zstd, lz4) or a zip",
        got=f"{foreign} in {path}" if foreign else got,
        remedy="Unpack it and name the folder, or pack it as tar or zip." if foreign else "Fetch it again.",
    )


def foreign_kind(head: bytes) -> str:
    """The kind of an archive that is known and not read; empty for others."""
    return next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), "")


def looks_packed(head: bytes) -> bool:
    """Whether a file that begins so is an archive, be it of a kind that is read or not."""
    return head.startswith(MAGICS) or compression_of(head) is not None or bool(foreign_kind(head)) or is_tar(head)


@contextmanager
def told_as_archive(path: str, *, by: tuple[type[Exception], ...] = _BROKEN) -> Iterator[None]:
    """Raise what archives break with as ``ArchiveError``, with the archive's name; a full disk stays what it is."""
    try:
        yield
    except ArchiveError:
        raise
    except ReadError as error:
        raise ArchiveError(
            "the archive cannot be read", expected="an intact archive", got=error.got, remedy=error.remedy
        ) from error
    except by as error:
        if isinstance(error, OSError) and error.errno in _EXHAUSTED:
            raise  # the machine's fault: true for whichever scene comes next
        raise ArchiveError(
            "the archive cannot be read",
            expected="an intact tar or zip",
            got=f"{path}: {str(error) or type(error).__name__}",
            remedy="Fetch it again; or unpack it yourself and name the folder.",
        ) from error


@contextmanager
def _stream(archive: Archive, member: Member) -> Iterator[BinaryIO]:
    inflated = archive.listing.inflated
    if member.offset is not None and inflated is not None:
        yield part_of(inflated, offset=member.offset, size=member.size)
        return
    with archive.opener(archive.path) as file:
        if member.offset is not None:
            yield part_of(file, offset=member.offset, size=member.size)
        elif archive.listing.kind == "zip":
            with zipfile.ZipFile(file) as packed, packed.open(member.stored) as unpacked:
                yield cast("BinaryIO", unpacked)
        else:
            raise ArchiveError(
                "a file in the archive has holes",
                expected="a file in one piece",
                got=f"the sparse {member.name} in {archive.path}",
                remedy="Unpack the archive and name the folder.",
            )


def _version(path: str, opener: Opener) -> tuple[int, int]:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        with told_as_archive(path), opener(path) as file:
            return file.seek(0, 2), 0
    return status.st_size, status.st_mtime_ns


def _descriptor(file: BinaryIO) -> str:
    """The name under which this process can open a file that has none."""
    return f"/dev/fd/{file.fileno()}"
