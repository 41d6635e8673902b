"""A folder on a file system that every worker sees."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from swath.errors import ConfigError
from swath.stores.base import Entry

#: Files in the making live here, below the root, so that a rename never crosses file systems.
SCRATCH = ".scratch"


@dataclass(frozen=True, slots=True)
class LocalStore:
    """Files below ``folder``."""

    folder: Path

    @property
    def root(self) -> str:
        """The folder."""
        return str(self.folder)

    def at(self, path: str) -> Path:
        """The file behind a relative path.

        Raises:
            ValueError: The path leaves the store.
        """
        # words, not paths: looking thousands of small files up costs as much as reading them
        full, root = os.path.realpath(os.path.join(self.folder, path)), str(_resolved(self.folder))  # noqa: PTH118
        if full != root and not full.startswith(root.rstrip("/") + "/"):
            msg = f"{path!r} leaves the store"
            raise ValueError(msg)
        return Path(full)

    def read(self, path: str) -> bytes | None:
        """All bytes, or None when there is no such file."""
        try:
            return self.at(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, data: bytes) -> None:
        """Write under another name, then rename."""
        with self._beside(path) as temporary:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.at(path))

    def put(self, local: Path, path: str) -> None:
        """Rename when on the same file system; copy under another name and rename otherwise."""
        final = self.at(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            local.replace(final)
        except OSError:
            with self._beside(path) as temporary:
                shutil.copyfile(local, temporary)
                temporary.replace(final)
            local.unlink(missing_ok=True)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        """Make a file, visible whole or not at all; False when there is one."""
        final = self.at(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.scratch() / uuid.uuid4().hex
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            return _named(temporary, final)
        finally:
            temporary.unlink(missing_ok=True)

    def publish(self, local: Path, path: str) -> bool:
        """As ``put``: equal names have equal bytes, so replacing changes nothing."""
        self.put(local, path)
        return True

    def fetch(self, path: str) -> BinaryIO:
        """Open for reading."""
        return self.open(path)

    def open(self, path: str) -> BinaryIO:
        """Open for reading."""
        return self.at(path).open("rb")

    def digest(self, path: str) -> tuple[str, int]:
        """Hex sha256 and length."""
        with self.at(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()

    def size(self, path: str) -> int | None:
        """Bytes, or None when there is no such file."""
        try:
            return self.at(path).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def list(self, prefix: str) -> Iterator[str]:
        """Paths of all files below a folder, in order."""
        top = self.at(prefix)
        root = _resolved(self.folder)
        for file in _files_below(top):
            yield file.relative_to(root).as_posix()

    def entries(self, prefix: str) -> Iterator[Entry]:
        """As ``list``, with size and age; files that vanish meanwhile are passed over."""
        for path in self.list(prefix):
            try:
                status = self.at(path).stat()
            except FileNotFoundError:
                continue
            yield Entry(path=path, bytes=status.st_size, modified=datetime.fromtimestamp(status.st_mtime, UTC))

    def delete(self, path: str) -> None:
        """Remove a file if it is there."""
        self.at(path).unlink(missing_ok=True)

    def delete_tree(self, prefix: str) -> None:
        """Remove a folder with all that is in it."""
        shutil.rmtree(self.at(prefix), ignore_errors=True)

    def scratch(self) -> Path:
        """A folder beside the products."""
        folder = self.folder / SCRATCH / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def gdal_path(self, path: str) -> str:
        """GDAL opens the file itself."""
        return str(self.at(path))

    def spark_path(self, path: str) -> str:
        """A file URI."""
        return self.at(path).as_uri()

    @contextmanager
    def _beside(self, path: str) -> Iterator[Path]:
        """A name for the file in the making; what a failed write leaves there is removed (a disk that is full stays usable)."""
        final = self.at(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.parent / f".{final.name}.{uuid.uuid4().hex}"
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


#: A run asks for thousands of paths of one store.
_resolved = lru_cache(maxsize=64)(Path.resolve)


def _named(temporary: Path, final: Path) -> bool:
    """Give a file a name that no other has; False when one has it."""
    try:
        # A second name; a rename would replace.
        os.link(temporary, final)
    except FileExistsError:
        return False
    except OSError:
        # No hard links here: a caller that needs more than this holds a lock.
        if final.exists():
            return False
        temporary.replace(final)
    return True


def _files_below(folder: Path) -> Iterator[Path]:
    """All files in the order of their whole names, which is the order of an S3 listing."""
    try:
        with os.scandir(folder) as found:
            entries = sorted((e.name + "/" if e.is_dir(follow_symlinks=False) else e.name) for e in found)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in entries:
        if name.endswith("/"):
            yield from _files_below(folder / name)
        else:
            yield folder / name


def local_store(folder: Path) -> LocalStore:
    """Make the folder and see that it can be written.

    Raises:
        ConfigError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{uuid.uuid4().hex}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        why = error.strerror or error
        msg = f"the output {folder} cannot be written ({why}): choose another --output, or correct its permissions"
        raise ConfigError(msg) from error
    return LocalStore(folder.resolve())
