"""``bundle.json``: every file of a bundle with size, SHA-256 and source, and every image with what names it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Self

from swath.errors import ConfigError

FORMAT = 1
LIST = "bundle.json"
#: Room for 100,000 files; a longer list is no bundle of ours.
MAX_LIST_BYTES = 64 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """A file of a bundle.

    Args:
        path: Below the bundle's folder, with ``/``.
        size: Bytes.
        sha256: Digest of its content.
        source: Source of the file.

    Raises:
        ConfigError: The path leads out of the bundle, or the numbers are none.
    """

    path: str
    size: int
    sha256: str
    source: str

    def __post_init__(self) -> None:
        """A list may be made by a stranger."""
        parts = PurePosixPath(self.path).parts
        plain = self.path and str(PurePosixPath(self.path)) == self.path and "\\" not in self.path and "\0" not in self.path
        if not plain or self.path.startswith("/") or ".." in parts or self.path in {LIST, f"{LIST}.sig"}:
            msg = f"{LIST}: {self.path!r} is not a path inside the bundle"
            raise ConfigError(msg)
        if isinstance(self.size, bool) or self.size < 0 or not _SHA256.fullmatch(self.sha256):
            msg = f"{LIST}: {self.path} has size {self.size!r} and digest {self.sha256!r}, expected bytes and hex SHA-256"
            raise ConfigError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedImage:
    """An image of a bundle.

    Args:
        name: Host and path, as objects name it.
        digest: ``sha256:...`` of its manifest or index.
        named_by: Objects and fields that name it.
    """

    name: str
    digest: str
    named_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleContent:
    """What a bundle holds.

    Args:
        site: Name of the site.
        made: Moment, UTC, ``2026-11-29T12:00:00Z``: by it a bundle is older or newer than another.
        commit: Commit of the delivery.
        swath: Version of swath that made it.
        platform: Platform of the images, such as ``linux/amd64``.
        images: Images, by name and digest.
        left_out: Parts of a whole delivery that this one lacks, in words.
        files: Files, by path.
    """

    site: str
    made: str
    commit: str
    swath: str
    platform: str
    images: tuple[CarriedImage, ...]
    left_out: tuple[str, ...]
    files: tuple[CarriedFile, ...]

    def __post_init__(self) -> None:
        """No path twice, and a moment that can be compared."""
        paths = [f.path for f in self.files]
        twice = next((p for p in set(paths) if paths.count(p) > 1), None) if len(set(paths)) < len(paths) else None
        if twice is not None:
            msg = f"{LIST}: {twice} is listed twice"
            raise ConfigError(msg)
        try:
            datetime.strptime(self.made, _MOMENT)  # noqa: DTZ007  only its form is looked at
        except ValueError as error:
            msg = f"{LIST}: made is {self.made!r}, expected a moment like 2026-11-29T12:00:00Z"
            raise ConfigError(msg) from error

    @property
    def by_path(self) -> Mapping[str, CarriedFile]:
        """Files by their path."""
        return {f.path: f for f in self.files}

    def text(self) -> str:
        """The file's text; equal bundles give equal text."""
        plain = {"format": FORMAT, **asdict(self)}
        plain["files"] = [asdict(f) for f in sorted(self.files, key=lambda f: f.path)]
        return json.dumps(plain, indent=1) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The list of a bundle; whether it may be believed is for its signature.

        Raises:
            ConfigError: There is none, or it is none of ours.
        """
        path = folder / LIST
        try:
            if path.stat().st_size > MAX_LIST_BYTES:
                msg = f"{path}: {path.stat().st_size} bytes, a list has at most {MAX_LIST_BYTES}"
                raise ConfigError(msg)
            plain = json.loads(path.read_bytes())
            if not isinstance(plain, dict) or plain.pop("format", None) != FORMAT:
                msg = f"{path}: not a bundle's list in format {FORMAT}"
                raise ConfigError(msg)
            return cls._of(plain)
        except (OSError, ValueError, TypeError, KeyError) as error:
            msg = f"{path}: not a bundle's list: {error}"
            raise ConfigError(msg) from error

    @classmethod
    def _of(cls, plain: dict[str, Any]) -> Self:
        images = tuple(CarriedImage(**{**i, "named_by": tuple(i["named_by"])}) for i in plain.pop("images"))
        files = tuple(CarriedFile(**f) for f in plain.pop("files"))
        return cls(images=images, files=files, left_out=tuple(plain.pop("left_out")), **plain)


def digest_of(path: Path) -> str:
    """Hex SHA-256 of a file, read once, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a bundle's folder but the list and its signature.

    Raises:
        ConfigError: Something is a link, a device or a socket.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            msg = f"{name} is a link or a device; a bundle holds plain files only"
            raise ConfigError(msg)
        if path.is_file() and name not in {LIST, f"{LIST}.sig"}:
            yield path
