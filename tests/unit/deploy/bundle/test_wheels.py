"""Packages of a bundle: those of the lock, and what builds the source archives among them."""

import hashlib
from pathlib import Path

import pytest

from swath.deploy.bundle import wheels
from swath.deploy.sbom.python_packages import read_lock
from swath.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]


def test_what_builds_source_archives_is_what_builds_swath() -> None:
    locked = read_lock((ROOT / "requirements-test.lock").read_text(encoding="utf-8"))["setuptools"]
    carried = read_lock(wheels._BUILD)
    assert set(carried) == {"setuptools", "wheel"}
    assert (carried["setuptools"].version, set(carried["setuptools"].sha256)) == (locked.version, set(locked.sha256))


def test_a_tool_that_builds_is_no_stray_file_and_others_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, lock = tmp_path / "wheels", tmp_path / "requirements.lock"
    folder.mkdir()
    (folder / "one-1.tar.gz").write_bytes(b"one")
    (folder / "setuptools-1.whl").write_bytes(b"tool")
    digests = [hashlib.sha256(data).hexdigest() for data in (b"one", b"tool")]
    lock.write_text(f"one==1 \\\n    --hash=sha256:{digests[0]}\n", encoding="utf-8")
    monkeypatch.setattr(wheels, "_BUILD", f"setuptools==1 \\\n    --hash=sha256:{digests[1]}\n")
    assert [path.name for path in wheels.check(lock, folder=folder)] == ["one-1.tar.gz", "setuptools-1.whl"]
    (folder / "other-1.whl").write_bytes(b"other")
    with pytest.raises(ConfigError, match=r"other-1\.whl: no file of requirements\.lock"):
        wheels.check(lock, folder=folder)
