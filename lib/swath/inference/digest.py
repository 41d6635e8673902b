"""The digest that pins a model: what every product made with it names."""

import hashlib
import json
import stat
from pathlib import Path

from swath.errors import ConfigError

#: A model directory is small and flat; more than this is not one of ours [bytes, files].
MAX_MODEL_BYTES = 1 << 30
MAX_MODEL_FILES = 32


def model_digest(directory: Path) -> str:
    """Digest of a model directory: sha256 over the sorted (path, size, sha256) of its files.

    Only plain files count: a link or a device could show other bytes on the machine that loads the model than on
    the one that pinned it.

    Args:
        directory: The model: manifest, weights, card.

    Returns:
        64 hex digits.

    Raises:
        ConfigError: There is no such directory, it is empty or too large, or it holds something but plain files.
    """
    if directory.is_symlink() or not directory.is_dir():
        msg = f"{directory}: a model is a directory with manifest.json, weights and card.md; there is none"
        raise ConfigError(msg)
    entries = [_entry(p, directory) for p in _plain_files(directory)]
    text = json.dumps(sorted(entries), separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _plain_files(directory: Path) -> list[Path]:
    files: list[Path] = []
    size = 0
    for path in sorted(directory.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) and path.name != "__pycache__":
            continue
        if not stat.S_ISREG(mode):
            msg = f"{path}: a model directory may hold plain files only, no links, devices or caches; remove it"
            raise ConfigError(msg)
        size += path.lstat().st_size
        files.append(path)
    if not files:
        msg = f"{directory}: the model directory is empty"
        raise ConfigError(msg)
    if len(files) > MAX_MODEL_FILES or size > MAX_MODEL_BYTES:
        msg = (
            f"{directory}: {len(files)} files of {size} bytes; a model has at most {MAX_MODEL_FILES} files "
            f"of {MAX_MODEL_BYTES} bytes together"
        )
        raise ConfigError(msg)
    return files


def _entry(path: Path, directory: Path) -> tuple[str, int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return (path.relative_to(directory).as_posix(), path.stat().st_size, digest)
