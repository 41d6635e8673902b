"""Where a raw image is: a folder, a prefix in a bucket, or a folder inside an archive; and the image beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from swath.readers.files.archived import archived_files, is_archive, split_place
from swath.readers.files.listing import direct_files, folders_in
from swath.readers.files.raw_pairs import holds_raw_image, is_pan, partner_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlace:
    """A folder with the files of one image.

    Args:
        folder: Path or URI; inside an archive the path of the folder there, empty for its top.
        archive: Href of the archive; empty where the folder is none of an archive.
    """

    folder: str
    archive: str = ""

    @classmethod
    def of(cls, href: str) -> Self:
        """The place that an href from ``discover`` names.

        Raises:
            ArchiveError: The archive cannot be listed.
        """
        archive, place = split_place(href)
        if place:
            return cls(folder=place, archive=archive)
        if is_archive(href):
            return cls(folder=_first_image(archived_files(href)), archive=href)
        return cls(folder=href.rstrip("/"))

    @property
    def name(self) -> str:
        """Name of the folder, or of the archive in whose top the files are."""
        return PurePosixPath(self.folder or self.archive).name

    def files(self) -> Mapping[str, str]:
        """Hrefs by the names of the files.

        Raises:
            ArchiveError: The archive cannot be listed.
            ReadError: The folder cannot be listed.
        """
        if not self.archive:
            return {name: f"{self.folder}/{name}" for name in direct_files(self.folder)}
        inside = {name.rpartition("/"): href for name, href in archived_files(self.archive).items()}
        return {name: href for (folder, _, name), href in inside.items() if folder == self.folder}

    def pan(self) -> Self | None:
        """The pan image of the delivery whose multispectral image this is; None where there is none."""
        around, slash, name = self.folder.rpartition("/")
        if is_pan(name):
            return None
        other = partner_of(name, among=self._folders(around))
        return None if other is None else type(self)(folder=f"{around}{slash}{other}", archive=self.archive)

    def _folders(self, around: str) -> list[str]:
        if not self.archive:
            return folders_in(around)
        start = f"{around}/" if around else ""
        below = [n.removeprefix(start) for n in archived_files(self.archive) if n.startswith(start)]
        return sorted({n.partition("/")[0] for n in below if "/" in n})


def _first_image(names: Iterable[str]) -> str:
    """The folder of an archive that holds a raw image, the least deep first; the top where none does."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    found = [folder for folder, inside in folders.items() if holds_raw_image(inside)]
    return min(found, key=lambda folder: (bool(folder), folder.count("/"), folder), default="")
