"""Listing tars, plain or compressed by gzip, bzip2, xz, zstd or lz4, whatever their names say."""

import bz2
import gzip
import lzma
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import BinaryIO, cast

from swath.errors import ArchiveError
from swath.readers.archives.limits import Budget
from swath.readers.archives.member import ArchiveListing, Member, member_name

_CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE


def _by_arrow(name: str) -> Callable[[BinaryIO], BinaryIO]:
    """What inflates a codec that Python 3.11 lacks and Arrow has; it says so where a file is cut short."""

    def inflater(file: BinaryIO) -> BinaryIO:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  for who has such an archive

        return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(file, mode="r"), name))

    return inflater


#: By first bytes. Parallel zstd begins with a frame of its own that is skipped.
_COMPRESSIONS: Mapping[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda f: cast("BinaryIO", gzip.GzipFile(fileobj=f, mode="rb")),
    b"BZh": lambda f: cast("BinaryIO", bz2.BZ2File(f)),
    b"\xfd7zXZ\x00": lambda f: cast("BinaryIO", lzma.LZMAFile(f)),  # noqa: SIM115  the caller's file is closed by the caller
    b"\x28\xb5\x2f\xfd": _by_arrow("zstd"),
    b"\x50\x2a\x4d\x18": _by_arrow("zstd"),
    b"\x04\x22\x4d\x18": _by_arrow("lz4"),
}


def compression_of(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    """What inflates a file that begins so; None when it is not compressed."""
    return next((inflater for magic, inflater in _COMPRESSIONS.items() if head.startswith(magic)), None)


def is_tar(head: bytes) -> bool:
    """Whether the first 512 bytes are a header of a tar, by its checksum: the oldest kind has no other mark."""
    with suppress(tarfile.HeaderError):
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
        return True
    return False


def list_plain(file: BinaryIO, *, budget: Budget) -> ArchiveListing:
    """Members of a tar that is not compressed, whatever its suffix.

    Raises:
        ArchiveError: A name leads out of it, it is corrupt or cut short, or beyond belief.
        tarfile.TarError: It is corrupt.
    """
    with tarfile.open(fileobj=file, mode="r:") as tar:
        members = _members(tar, budget=budget)
        _check_end(file, at=tar.offset, name=budget.name)
    return ArchiveListing(kind="tar", members=members)


def list_compressed(file: BinaryIO, *, inflater: Callable[[BinaryIO], BinaryIO], budget: Budget, keep: bool) -> ArchiveListing:
    """Members of a compressed tar, inflated once to its very end (where its checksum is).

    Args:
        file: The archive.
        inflater: Decompressor for its compression.
        budget: Limits that the archive must keep.
        keep: Keep what comes out: members are then read without inflating again.

    Raises:
        ArchiveError: See ``list_plain``.
        tarfile.TarError: It is corrupt; so say OSError, EOFError, ``zlib.error`` and ``lzma.LZMAError``.
    """
    # A file without a name goes with this process, however that ends.
    kept = cast("BinaryIO", tempfile.TemporaryFile(prefix="swath-archive-")) if keep else None  # noqa: SIM115  kept open
    try:
        source = _Inflating(inflater(file), kept=kept, budget=budget)
        with tarfile.open(fileobj=cast("BinaryIO", source), mode="r|") as tar:
            members = _members(tar, budget=budget)
            end = tar.offset
        source.drain()
        source.check_end(end)
        if kept is not None:
            kept.flush()
    except BaseException:
        if kept is not None:
            kept.close()
        raise
    return ArchiveListing(kind="tar", members=members, inflated=kept)


class _Inflating:
    """Reads what comes out of a decompressor, counts it, and keeps a copy."""

    def __init__(self, source: BinaryIO, *, kept: BinaryIO | None, budget: Budget) -> None:
        self._source, self._kept, self._budget = source, kept, budget
        self._at, self._last, self._last_at = 0, b"", 0

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._budget.inflate(len(data))
        if self._kept is not None:
            self._kept.write(data)
        # The header at which listing ended may begin in the piece before.
        self._last, self._last_at = self._last[-_BLOCK:] + data, self._at - len(self._last[-_BLOCK:])
        self._at += len(data)
        return data

    def drain(self) -> None:
        """Read to the end, where gzip and xz have a checksum; what is behind a tar's end is not kept."""
        while data := self._source.read(_CHUNK):
            self._budget.inflate(len(data))

    def check_end(self, at: int) -> None:
        _check_block(self._last[max(at - self._last_at, 0) :][:_BLOCK] if at >= self._last_at else b"", name=self._budget.name)


def _members(tar: tarfile.TarFile, *, budget: Budget) -> dict[str, Member]:
    found: dict[str, Member] = {}
    links: dict[str, str] = {}
    for info in tar:
        budget.declare(info.size)
        name = member_name(info.name, archive=budget.name)
        if name is None:
            continue
        if info.islnk():
            links[name] = info.linkname.replace("\\", "/").removeprefix("./")
        elif info.isfile():
            offset = None if info.issparse() else info.offset_data
            found[name] = Member(name=name, stored=info.name, size=info.size, offset=offset)
    # A second name of a file has no bytes of its own.
    return found | {name: found[target] for name, target in links.items() if target in found}


def _check_end(file: BinaryIO, *, at: int, name: str) -> None:
    file.seek(at)
    _check_block(file.read(_BLOCK), name=name)


def _check_block(block: bytes, *, name: str) -> None:
    """``tarfile`` takes a damaged header for the end; members behind it would be lost silently."""
    if any(block):
        raise ArchiveError(
            "the archive is corrupt",
            expected="an intact tar",
            got=f"a damaged header in {name}",
            remedy="Fetch it again.",
        )
