"""Listing zips, whatever their names say."""

import re
import struct
import zipfile
from collections import Counter
from typing import BinaryIO

from swath.errors import ArchiveError
from swath.readers.archives.limits import Budget
from swath.readers.archives.member import ArchiveListing, Member, member_name

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_END, _END64 = b"PK\x05\x06", b"PK\x06\x06"
#: Length of the end record, and of the longest comment behind it.
_END_BYTES, _COMMENT_BYTES = 22, 65_535
_ENCRYPTED = 0x1
#: What GDAL unpacks, under names that it spells as we do.
_GDAL_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_GDAL_NAME = re.compile(r"[\w.\-+=@()][\w.\-+=@() /]*", re.ASCII)


def list_zip(file: BinaryIO, *, budget: Budget) -> ArchiveListing:
    """Members of a zip.

    Raises:
        ArchiveError: The zip needs a password, a name leads out of it, or it is beyond the limits.
        zipfile.BadZipFile: It is corrupt.
    """
    budget.expect(_declared_members(file))
    with zipfile.ZipFile(file) as archive:
        infos = [info for info in archive.infolist() if not _is_folder(info)]
    for info in infos:
        budget.declare(info.file_size)
    times = Counter(info.filename for info in infos)
    found: dict[str, Member] = {}
    for info in infos:
        name = member_name(info.filename, archive=budget.name)
        if name is None:
            continue
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError(
                "the archive needs a password",
                expected="an archive without one",
                got=f"{info.filename} in {budget.name}",
                remedy="Unpack it with its password, and name the folder.",
            )
        plain = name == info.filename and times[name] == 1 and _GDAL_NAME.fullmatch(name) is not None
        direct = plain and info.compress_type in _GDAL_METHODS
        found[name] = Member(name=name, stored=info.filename, size=info.file_size, direct=direct)
    return ArchiveListing(kind="zip", members=found)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.is_dir() or (info.filename.endswith("\\") and not info.file_size)


def _declared_members(file: BinaryIO) -> int:
    """Members by the end record, which is read before their directory is; 0 where there is none."""
    size = file.seek(0, 2)
    file.seek(max(size - _END_BYTES - _COMMENT_BYTES, 0))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        return 0
    members = int(struct.unpack_from("<H", tail, at + 10)[0])
    end64 = tail.rfind(_END64, 0, at)
    if end64 >= 0 and len(tail) >= end64 + 40:
        members = max(members, int(struct.unpack_from("<Q", tail, end64 + 32)[0]) if members == 0xFFFF else 0)
    return members
