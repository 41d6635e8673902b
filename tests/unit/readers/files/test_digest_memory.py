"""A file is read again exactly when something about it changed."""

import os
import shutil
from pathlib import Path

import pytest

from swath.readers.files import digest_memory
from swath.readers.files.digest import fingerprint
from swath.readers.files.digest_memory import DigestMemory, remembering


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait until a file has settled."""
    monkeypatch.setattr(digest_memory, "SETTLED_S", 0.0)


def remembered(path: Path) -> str:
    with remembering(DigestMemory.from_json(None)) as memory:
        fingerprint(str(path))
    return memory.to_json()


def lying(path: Path) -> str:
    """A memory that says something else of the file: whoever believes it did not read."""
    return remembered(path).replace(fingerprint(str(path)).sha256, "0" * 64)


def test_an_unchanged_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "band.tif"
    path.write_bytes(b"pixels")
    with remembering(DigestMemory.from_json(lying(path))) as memory:
        found = fingerprint(str(path))
    assert (found.sha256, found.size, found.head, found.tail) == ("0" * 64, 6, b"pixels", b"pixels")
    assert memory.to_json() == lying(path)


def test_a_changed_file_of_the_same_size_and_time_is_read(tmp_path: Path) -> None:
    path, other = tmp_path / "band.tif", tmp_path / "other.tif"
    path.write_bytes(b"pixels")
    before = path.stat()
    known = lying(path)
    other.write_bytes(b"PIXELS")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.copy2(other, path)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    with remembering(DigestMemory.from_json(known)):
        found = fingerprint(str(path))
    assert found == fingerprint(str(other))


def test_a_file_that_changed_just_now_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_memory, "SETTLED_S", 3600.0)
    path = tmp_path / "band.tif"
    path.write_bytes(b"pixels")
    assert remembered(path) == "{}"


def test_outside_the_block_nothing_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "band.tif"
    path.write_bytes(b"pixels")
    with remembering(DigestMemory.from_json(lying(path))):
        pass
    assert fingerprint(str(path)).sha256 != "0" * 64
