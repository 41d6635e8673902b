"""The files of an archive, as those of a folder are listed."""

from pathlib import Path

from swath.readers.archives.archive import list_archive, opened_archive
from swath.readers.archives.member import ArchiveListing
from swath.readers.files.href import ARCHIVE_SUFFIXES, JSON_SUFFIXES, gdal_href, opened, split_href
from swath.stores.registry import open_store

_S3 = "s3://"


#: Between an archive and the place of one of several scenes in it.
SEPARATOR = "#"


def split_place(href: str) -> tuple[str, str]:
    """An archive, and the place of one of its scenes; ``''`` where the name is that of a whole file or folder."""
    given = href.removeprefix("file://")
    if SEPARATOR not in href or (not href.startswith(_S3) and Path(given).exists()):
        return href, ""
    at = given.find(SEPARATOR)
    while at >= 0:
        archive, place = given[:at], given[at + 1 :]
        named = archive.lower().endswith(ARCHIVE_SUFFIXES)
        if place and (named or (not href.startswith(_S3) and _is_packed(archive))):
            return archive, place
        at = given.find(SEPARATOR, at + 1)
    return href, ""


def _is_packed(path: str) -> bool:
    """Whether a file that exists may be an archive: of a record ``#`` names an item."""
    return not path.lower().endswith(JSON_SUFFIXES) and Path(path).is_file()


def archived(href: str) -> ArchiveListing:
    """What an archive holds, by its bytes: its suffix says nothing.

    Args:
        href: Address as the user named it.

    Raises:
        ArchiveError: The file is corrupt, cut short, locked by a password, or beyond the limits.
    """
    return list_archive(gdal_href(href), opener=opened)


def archived_files(href: str) -> dict[str, str]:
    """GDAL names of an archive's files, by their names inside it, in order.

    Raises:
        ArchiveError: See ``archived``.
    """
    href, _ = split_place(href)
    listing = opened_archive(gdal_href(href), opener=opened).listing
    return {name: gdal_href(href, member=name, kind=listing.kind) for name in listing.members}


def is_member(href: str) -> bool:
    """Whether an archive holds a member.

    Args:
        href: Href of the member, as ``gdal_href`` spells it.
    """
    _, path, member = split_href(href)
    return member in opened_archive(path, opener=opened).listing.members


def is_archive(href: str) -> bool:
    """Whether a delivery is one file, not a folder or a prefix in a bucket."""
    href, place = split_place(href)
    if place:
        return True
    if href.startswith(_S3):
        folder, _, name = href.rpartition("/")
        return href.lower().endswith(ARCHIVE_SUFFIXES) or open_store(folder, create=False).size(name) is not None
    path = Path(href.removeprefix("file://"))
    return path.is_file() or (href.lower().endswith(ARCHIVE_SUFFIXES) and not path.is_dir())
