"""The files of an archive, as those of a folder are listed."""

from pathlib import Path

from swath.readers.archives.archive import list_archive, opened_archive
from swath.readers.archives.member import Listing
from swath.readers.files.href import ARCHIVE_SUFFIXES, gdal_href, opened
from swath.stores.registry import open_store


def archived(href: str) -> Listing:
    """What an archive holds, by its bytes: its suffix says nothing.

    Args:
        href: As the user named it.

    Raises:
        ArchiveError: It is none, corrupt, cut short, locked by a password, or beyond belief.
    """
    return list_archive(gdal_href(href), opener=opened)


def archived_files(href: str) -> dict[str, str]:
    """GDAL names of an archive's files, by their names inside it, in order.

    Raises:
        ArchiveError: See ``archived``.
    """
    listing = opened_archive(gdal_href(href), opener=opened).listing
    return {name: gdal_href(href, member=name, kind=listing.kind) for name in listing.members}


def is_archive(href: str) -> bool:
    """Whether a delivery is one file, not a folder or a prefix in a bucket."""
    if href.startswith("s3://"):
        folder, _, name = href.rpartition("/")
        return href.lower().endswith(ARCHIVE_SUFFIXES) or open_store(folder, create=False).size(name) is not None
    path = Path(href.removeprefix("file://"))
    return path.is_file() or (href.lower().endswith(ARCHIVE_SUFFIXES) and not path.is_dir())
