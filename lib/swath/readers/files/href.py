"""Names of files, and of members of archives, as GDAL spells them; and their bytes."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from swath.errors import ReadError
from swath.readers.archives.archive import opened_archive
from swath.stores.registry import open_store

_ARCHIVES: tuple[tuple[str, Literal["zip", "tar"]], ...] = (("/vsizip/{", "zip"), ("/vsitar/{", "tar"))
_SCHEME = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]*://|data:)")
_S3, _CURL = "/vsis3/", "/vsicurl/"
ArchiveKind = Literal["zip", "tar"]
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.lz4")
#: What a STAC record may be called: in one, ``#`` names an item.
JSON_SUFFIXES = tuple(f"{json}{packed}" for json in (".json", ".geojson") for packed in ("", ".gz", ".zst"))
#: Of tars that must be unpacked to be listed.
PACKED_SUFFIXES = tuple(suffix for suffix in TAR_SUFFIXES if suffix != ".tar")
#: Of archives, those among them that are known and not read.
ARCHIVE_SUFFIXES = (*TAR_SUFFIXES, ".zip", ".7z", ".rar", ".tar.z", ".tar.lz")


def gdal_href(href: str, *, member: str | None = None, kind: ArchiveKind | None = None) -> str:
    """The name by which GDAL opens a file, or a member of an archive.

    Args:
        href: A local path, an ``s3://`` URI, or a name that is GDAL's already.
        member: Path inside the archive that ``href`` names.
        kind: Kind of archive; judged by its suffix where the content was not read.

    Returns:
        An absolute path, ``/vsis3/bucket/key``, ``/vsizip/{archive}/member`` or ``/vsitar/{archive}/member``.

    Raises:
        ReadError: The member's name leaves the archive.
    """
    outer = _outer(href)
    if member is None:
        return outer
    if member.startswith("/") or ".." in member.split("/"):
        raise ReadError(
            "a member's name leads out of its archive",
            expected="a relative path without '..'",
            got=repr(member),
            remedy="Do not trust this archive; fetch the delivery again.",
        )
    kind = kind or ("tar" if href.lower().endswith(TAR_SUFFIXES) else "zip")
    return f"/vsi{kind}/{{{outer}}}/{member.removeprefix('./')}"


def split_href(href: str) -> tuple[Literal["file", "zip", "tar"], str, str]:
    """Take a GDAL name apart: (kind, path of the file or archive, member or ``''``)."""
    for prefix, kind in _ARCHIVES:
        if href.startswith(prefix):
            end = _closing_brace(href, start=len(prefix))
            return kind, href[len(prefix) : end], href[end + 2 :]
    return "file", href, ""


def _closing_brace(href: str, *, start: int) -> int:
    """Where the archive's name ends; a folder of the path may have braces of its own, which GDAL counts too."""
    depth = 1
    for at in range(start, len(href)):
        depth += {"{": 1, "}": -1}.get(href[at], 0)
        if not depth:
            return at
    return len(href)


def user_href(gdal_name: str) -> str:
    """The URI of an object on S3, otherwise the path itself: the inverse of ``gdal_href`` for whole files."""
    return f"s3://{gdal_name.removeprefix(_S3)}" if gdal_name.startswith(_S3) else gdal_name


def split_item(href: str) -> tuple[str, str]:
    """A STAC record, and the item that is named in it after ``#``; ``''`` where none is.

    Folders may have a ``#`` in their own name: of a local path the part that is a file is the record.
    """
    places = [at for at, character in enumerate(href) if character == "#"]
    found = [(href[:at], href[at + 1 :]) for at in places if href[:at].lower().endswith(JSON_SUFFIXES) and href[at + 1 :]]
    if not found or os.path.exists(href):  # noqa: PTH110  False for what no file system can have
        return href, ""
    return next((pair for pair in found if os.path.isfile(pair[0].removeprefix("file://"))), found[0])  # noqa: PTH113


@contextmanager
def open_bytes(href: str) -> Iterator[BinaryIO]:
    """Open a file, or a member of an archive, for reading its bytes as they are unpacked; on this machine or on S3.

    Args:
        href: Address as ``gdal_href`` spells it.

    Raises:
        ReadError: The file does not exist, its archive is broken, or its place cannot be read.
    """
    kind, path, member = split_href(href)
    if kind != "file":
        with opened_archive(path, opener=opened).open(member) as packed:
            yield packed
        return
    try:
        with opened(path) as file:
            yield file
    except (OSError, EOFError, ValueError) as error:  # no file system has a name with a NUL
        raise ReadError(
            "the file cannot be read",
            expected="a readable file",
            got=f"{href}: {error}",
            remedy="Fetch the delivery again.",
        ) from error


def opened(path: str) -> BinaryIO:
    """A file's bytes, seekable.

    Args:
        path: Path as ``gdal_href`` spells a whole file.

    Raises:
        ReadError: The place cannot be read.
        OSError: The path does not exist, or is not a regular file.
    """
    if path.startswith(_S3):
        folder, _, name = path.removeprefix(_S3).rpartition("/")
        if not folder or not name:
            raise ReadError(
                "the address names no object of a bucket",
                expected="s3://bucket/key",
                got=user_href(path),
                remedy="Correct the href.",
            )
        return open_store(f"s3://{folder}", create=False).open(name)
    if path.startswith(f"{_CURL}http"):
        from swath.readers.files.remote import open_remote  # noqa: PLC0415  for reads over http alone

        return open_remote(path.removeprefix(_CURL))
    if path.startswith("/vsi"):
        raise ReadError(
            "the file is at a place that cannot be read",
            expected="a local path, s3:// or https://",
            got=path,
            remedy="Copy the delivery to a local folder or to S3.",
        )
    return cast("BinaryIO", open(path, "rb", opener=_regular))


def _regular(path: str, flags: int) -> int:
    """Open without waiting for a pipe's other end, and read neither it nor a device that never ends."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    msg = "not a regular file"
    raise OSError(msg)


def _outer(href: str) -> str:
    if href.startswith("/vsi"):
        return href
    if href.startswith("s3://"):
        return _S3 + href.removeprefix("s3://")
    if href.startswith(("http://", "https://")):
        return f"/vsicurl/{href}"
    if _SCHEME.match(href) and not href.startswith("file://"):
        raise ReadError(
            "the file is at a place that cannot be read",
            expected="a local path, s3:// or https://",
            got=href,
            remedy="Copy the delivery to a local folder or to S3.",
        )
    return str(Path(href.removeprefix("file://")).absolute())
