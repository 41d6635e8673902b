"""Hrefs of an item's assets: made absolute against the place of the item."""

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path
from posixpath import normpath
from typing import Any, Final
from urllib.parse import unquote

from swath.errors import MetadataError, ReadError
from swath.readers.files.href import gdal_href, open_bytes, split_href
from swath.readers.files.origin import HTTP, remembered
from swath.redaction import without_query

_FILE: Final = "file://"
_THIS_MACHINE: Final = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetHref:
    """The href of one asset.

    Args:
        item_id: Id of the item.
        place: Address of the item, which the href is relative to.
        given: The href as the item has it.
    """

    item_id: str
    place: str
    given: str

    def resolved(self, *, record: Mapping[str, Any]) -> str:
        """The href made absolute.

        Args:
            record: JSON of the item, which says how its hosts are asked.

        Raises:
            MetadataError: The href holds control characters, or names a part of a file or a file of another machine.
        """
        if not self.given.isprintable():
            raise MetadataError(
                "the href of an asset holds something that is not text",
                expected="printable characters",
                got=ascii(self.given)[:80],
                remedy="Correct the item.",
                scene_id=self.item_id,
            )
        absolute = self._absolute(self.given)
        self._refuse_fragment(absolute)
        if absolute.startswith(HTTP):
            return remembered(absolute, record=record, given=self.given)
        if "%" not in self.given:
            return absolute
        # A STAC href is a URI, whose spaces are percent-encoded; many writers take it for a path. A file of the very name wins.
        decoded = self._absolute(unquote(self.given))
        return decoded if not _is_there(absolute) and _is_there(decoded) else absolute

    def _refuse_fragment(self, absolute: str) -> None:
        """Refuse an href that names a part of a file. A `#` in the very name of a file, or of an object, is none."""
        file, mark, fragment = absolute.rpartition("#")
        if not mark or (not absolute.startswith(HTTP) and (_is_there(absolute) or not _is_there(file))):
            return
        raise MetadataError(
            "the href of an asset names a part of a file",
            expected="the address of a whole file; a # in a file's name is written %23",
            got=f"the fragment #{fragment} of {without_query(self.given)}"[:160],
            remedy="Write the href without the fragment, or write the part into a file of its own.",
            scene_id=self.item_id,
        )

    def _absolute(self, href: str) -> str:
        if href.startswith(_FILE):
            return self._on_this_machine(href.removeprefix(_FILE))
        if "://" in href or href.startswith("/"):
            return href
        if "://" in self.place:
            scheme, _, place = self.place.partition("://")
            folder = place.rpartition("/")[0]
            return f"{scheme}://{normpath(f'{folder}/{href}')}"
        kind, archive, member = split_href(self.place)
        if kind != "file":
            return gdal_href(archive, member=normpath(f"{member.rpartition('/')[0]}/{href}").lstrip("/"), kind=kind)
        # Not Path.resolve: a link to itself is an error there, and here a file that cannot be read.
        return realpath(Path(self.place).absolute().parent / href)

    def _on_this_machine(self, place: str) -> str:
        """The path after ``file://`` (RFC 8089), which may begin with this machine's name and with no other."""
        path = place.removeprefix(_THIS_MACHINE)
        if path.startswith("/"):
            return path
        raise MetadataError(
            "the href of an asset names a file of another machine",
            expected="file:///folder/file, or a path relative to the item",
            got=f"{_FILE}{place}"[:120],
            remedy="Correct the item, or copy the file.",
            scene_id=self.item_id,
        )


def _is_there(href: str) -> bool:
    """Whether a file can be opened, here or on S3."""
    try:
        with open_bytes(gdal_href(href)):
            return True
    except (ReadError, ValueError):  # a NUL in the name
        return False
