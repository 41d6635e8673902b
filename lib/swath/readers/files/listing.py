"""Files of a folder, on this machine or on S3."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from swath.errors import ReadError
from swath.readers.archives.companions import is_companion
from swath.stores.registry import open_store

#: Of a folder with more files than this, the rest is not looked at: it is no scene.
MAX_FILES = 50_000


def direct_files(folder: str) -> dict[str, str]:
    """Files in a folder, not in those below it: href (a path or an ``s3://`` URI) by name, in order.

    Raises:
        ReadError: The folder cannot be listed.
    """
    if folder.startswith("s3://"):
        root = folder.rstrip("/")
        names = islice(open_store(root, create=False).list(""), MAX_FILES)
        return {name: f"{root}/{name}" for name in names if name and "/" not in name and not is_companion(name)}
    try:
        entries = sorted(os.scandir(Path(folder).absolute()), key=_name)
        return {e.name: e.path for e in entries if is_file(e) and not is_companion(e.name)}
    except OSError as error:
        raise ReadError(
            "the scene cannot be listed",
            expected="a folder, MTL file or tar",
            got=f"{folder}: {error}",
            remedy="Check the path.",
        ) from error


def folders_in(folder: str) -> list[str]:
    """Names of the folders in a folder, in order; none where it cannot be listed."""
    if folder.startswith("s3://"):
        root = folder.rstrip("/")
        names = islice(open_store(root, create=False).list(""), MAX_FILES)
        return sorted({name.partition("/")[0] for name in names if "/" in name})
    try:
        return sorted(e.name for e in os.scandir(Path(folder or ".").absolute()) if e.is_dir())
    except OSError:
        return []


def folders_on_s3(prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every folder below a prefix with the names of its own files, each once, children before parents.

    Keys come in order, so a folder is complete as soon as a key outside it comes: memory holds one path of folders.

    Yields:
        The folder's URI, and its files' names.
    """
    root = prefix.rstrip("/")
    growing: dict[str, list[str]] = {}
    for key in open_store(root, create=False).list(""):
        folder, _, name = key.rpartition("/")
        for done in [f for f in growing if f and not f"{folder}/".startswith(f"{f}/")]:
            yield f"{root}/{done}", tuple(growing.pop(done))
        if name and not is_companion(key):
            growing.setdefault(folder, []).append(name)
    for folder, names in reversed(growing.items()):
        yield (f"{root}/{folder}" if folder else root), tuple(names)


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file. A circular link counts as one: the reader reports what is wrong."""
    try:
        return entry.is_file()
    except OSError:
        return True


def is_folder(path: str) -> bool:
    """Whether a path is a folder; one that no file system can have is none."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def is_there(path: str) -> bool:
    """Whether a path is a file; one that no file system can have is none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
