"""What swath asks of a place where files live. Paths are relative to the store's root, with forward slashes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in a listing.

    Args:
        path: Relative to the store's root.
        bytes: Size.
        modified: Time of the last write; aware.
    """

    path: str
    bytes: int
    modified: datetime


class Store(Protocol):
    """A folder on a file system or a prefix in a bucket."""

    @property
    def root(self) -> str:
        """The URI or path that the store was made of."""
        ...

    def read(self, path: str) -> bytes | None:
        """All bytes, or None when there is no such file."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Make a small file visible at once, whole or not at all; replaces what was there."""
        ...

    def put(self, local: Path, path: str) -> None:
        """Move a finished local file to ``path``, visible whole or not at all; replaces what was there."""
        ...

    def publish(self, local: Path, path: str) -> bool:
        """Move a finished local file to ``path``, under a name derived from its content.

        Returns:
            False if a file of the same bytes already existed.

        Raises:
            FileExistsError: Another file is there, which the store would not replace.
        """
        ...

    def fetch(self, path: str) -> BinaryIO:
        """Open a file that will be read whole.

        Raises:
            FileNotFoundError: There is no such file.
        """
        ...

    def open(self, path: str) -> BinaryIO:
        """Open for reading with seek.

        Raises:
            FileNotFoundError: There is no such file.
        """
        ...

    def digest(self, path: str) -> tuple[str, int]:
        """Hex sha256 and length of a file, read in one pass.

        Raises:
            FileNotFoundError: There is no such file.
        """
        ...

    def size(self, path: str) -> int | None:
        """Bytes, or None when there is no such file."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Paths of all files below a folder, in order."""
        ...

    def entries(self, prefix: str) -> Iterator["Entry"]:
        """As ``list``, with size and age."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        ...

    def delete_tree(self, prefix: str) -> None:
        """Remove all files below a folder."""
        ...

    def scratch(self) -> Path:
        """A local folder for files in the making, on the same file system where that matters."""
        ...

    def gdal_path(self, path: str) -> str:
        """The name under which GDAL opens the file."""
        ...

    def spark_path(self, path: str) -> str:
        """The URI under which Spark and Delta open the folder."""
        ...
