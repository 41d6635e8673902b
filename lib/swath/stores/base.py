"""What swath asks of a place where files live. Paths are relative to the store's root, with forward slashes."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol


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

    def open(self, path: str) -> BinaryIO:
        """Open for reading with seek.

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
