"""``images.json``: the images of a commit by digest, and every file beside it by SHA-256."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from swath.errors import ConfigError
from swath.inference.signed_file import verify_file
from swath.inference.trusted_keys import TrustedKey

FORMAT = 1
IMAGES = "images.json"
_MAX_BYTES = 1 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedImage:
    """An image in a registry.

    Args:
        name: Registry and path.
        tag: Tag that the image was pushed under.
        digest: ``sha256:...``.
        sbom: File with its bill of materials, beside ``images.json``.
        sbom_sha256: Digest.
    """

    name: str
    tag: str
    digest: str
    sbom: str
    sbom_sha256: str

    def __post_init__(self) -> None:
        """A file may be made by a stranger."""
        if PurePosixPath(self.sbom).name != self.sbom or not self.sbom:
            msg = f"{IMAGES}: {self.sbom!r} is not a file beside it"
            raise ConfigError(msg)
        if not _DIGEST.fullmatch(self.digest) or not _SHA256.fullmatch(self.sbom_sha256):
            msg = f"{IMAGES}: {self.name} has digests {self.digest!r} and {self.sbom_sha256!r}, expected SHA-256"
            raise ConfigError(msg)

    @property
    def pinned(self) -> str:
        """What a site file says."""
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The images of a commit.

    Args:
        commit: 40 hex digits.
        lock_sha256: Digest of the lock that they were built from.
        wheel_sha256: Digest of swath's wheel in them.
        scan: ``no known vulnerability`` or ``not scanned: REASON``.
        images: Images, by name.
    """

    commit: str
    lock_sha256: str
    wheel_sha256: str
    scan: str
    images: tuple[ReleasedImage, ...]

    def __post_init__(self) -> None:
        """Every field is what it says."""
        digests = (self.lock_sha256, self.wheel_sha256)
        if not _COMMIT.fullmatch(self.commit) or not all(_SHA256.fullmatch(d) for d in digests) or not self.images:
            msg = (
                f"{IMAGES}: commit {self.commit!r}, digests {digests} of lock and wheel, {len(self.images)} images: not a release"
            )
            raise ConfigError(msg)

    def text(self) -> str:
        """The file's text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read ``images.json``; whether it may be believed is for its signature.

        Raises:
            ConfigError: The text is not such a file.
        """
        try:
            if path.stat().st_size > _MAX_BYTES:
                msg = f"{path}: {path.stat().st_size} bytes, expected at most {_MAX_BYTES}"
                raise ConfigError(msg)
            plain: Any = json.loads(path.read_bytes())
            if not isinstance(plain, dict) or plain.pop("format", None) != FORMAT:
                msg = f"{path}: not a list of images in format {FORMAT}"
                raise ConfigError(msg)
            images = tuple(ReleasedImage(**image) for image in plain.pop("images"))
            return cls(images=images, **plain)
        except (OSError, ValueError, TypeError, KeyError) as error:
            msg = f"{path}: not a list of images: {error}"
            raise ConfigError(msg) from error


def verified(path: Path, *, keys: tuple[TrustedKey, ...]) -> Release:
    """A release that a trusted key signed, whose files are those that were signed.

    Raises:
        ConfigError: Not signed, by another key, or a file beside it was altered or is missing.
    """
    verify_file(path, keys=keys)
    release = Release.read(path)
    for problem in _problems(release, folder=path.parent):
        raise ConfigError(f"{path}: {problem}")
    return release


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _problems(release: Release, *, folder: Path) -> Iterator[str]:
    for image in release.images:
        path = folder / image.sbom
        if not path.is_file():
            yield f"{image.sbom}, the bill of materials of {image.name}, is not beside it"
        elif (found := sha256_of(path)) != image.sbom_sha256:
            yield f"{image.sbom} has SHA-256 {found}, expected {image.sbom_sha256}: it was altered"
