"""Files out of a tar that a stranger may have made: plain files inside of the folder, few and small, or none at all."""

import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from swath.errors import ConfigError
from swath.inference.digest import MAX_MODEL_BYTES, MAX_MODEL_FILES

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackLimits:
    """What may come out of a tar; a bundle holds a model and a few records beside it.

    Args:
        files: Number of files and folders.
        size: Size of all files [bytes].
        depth: Parts of a path.
    """

    files: int = MAX_MODEL_FILES + 8
    size: int = MAX_MODEL_BYTES + (16 << 20)
    depth: int = 4


_OF_BUNDLES = UnpackLimits()


def unpack(
    source: BinaryIO, *, into: Path, called: str, first: Callable[[Path], None], limits: UnpackLimits = _OF_BUNDLES
) -> None:
    """Unpack a plain tar.

    Args:
        source: The tar; not compressed, so its size bounds what comes out.
        into: Empty folder.
        called: Name in messages.
        first: Looks at the first file before any other is unpacked.
        limits: What may come out.

    Raises:
        ConfigError: The file is not a tar, is cut short, or holds anything but a few plain files inside of the folder.
    """
    try:
        with tarfile.open(fileobj=source, mode="r:") as tar:
            for number, member in enumerate(_plain(tar, called=called, limits=limits)):
                target = into / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                _extract(tar, member, target, called=called)
                if not number:
                    first(target)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        msg = f"{called}: not a complete tar: {error}; fetch it again"
        raise ConfigError(msg) from error


def _plain(tar: tarfile.TarFile, *, called: str, limits: UnpackLimits) -> Iterator[tarfile.TarInfo]:
    names: set[str] = set()
    size = 0
    for member in iter(tar.next, None):
        # A list of members of a tar without end would fill the memory.
        tar.members = []  # type: ignore[attr-defined]
        if member.isdir():
            problem = _unsafe(member.name, depth=limits.depth)
        elif not member.isreg() or member.issparse():
            problem = "is a link, a device or a sparse file"
        else:
            problem = _unsafe(member.name, depth=limits.depth) or ("is listed twice" if member.name in names else "")
            size += member.size
        names.add(member.name)
        if not problem and (len(names) > limits.files or size > limits.size):
            problem = f"is beyond {limits.files} files or {limits.size} bytes"
        if problem:
            msg = f"{called}: member {member.name[:80]!r} {problem}; nothing of it is used"
            raise ConfigError(msg)
        if member.isreg():
            yield member


def _unsafe(name: str, *, depth: int) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        return "has a path that leads out of the folder"
    return "is too deep" if len(path.parts) > depth else ""


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, *, called: str) -> None:
    source = tar.extractfile(member)
    if source is not None:
        with source, target.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
    found = target.stat().st_size if target.exists() else 0
    if found != member.size:
        msg = f"{called}: cut in the middle of {member.name}: {found} of {member.size} bytes; fetch it again"
        raise ConfigError(msg)
