"""Files on their way to a store are in a folder that no other user can change."""

import os
import stat
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.inference.model_store import worker_cache
from swath.stores.own_folder import own_folder
from swath.stores.s3 import S3Store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"swath-{os.getuid()}"


def test_it_is_made_for_this_user_alone_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        assert S3Store("s3://bucket/out").scratch() == own_folder("swath") == folder
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_is_refused_even_to_a_folder_of_ours(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"swath-\d+ is a symbolic link; expected a folder of user \d+ with mode 0700"):
        S3Store("s3://bucket/out").scratch()
    folder.unlink()
    folder.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="is a symbolic link"):
        own_folder("swath")


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o1777, 0o701])
def test_a_folder_that_others_can_open_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ConfigError, match=rf"can be opened by others \(mode {mode:04o}\)"):
        own_folder("swath")


def test_a_folder_of_another_user_is_refused(folder: Path, tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder to another user")
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to user 12345"):
        own_folder("swath")
    models = tmp_path / f"swath-models-{os.getuid()}"
    models.mkdir(mode=0o700)
    os.chown(models, 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to user 12345"):
        worker_cache()


def test_a_file_in_its_place_is_refused(folder: Path) -> None:
    folder.write_bytes(b"")
    with pytest.raises(ConfigError, match="is not a folder"):
        own_folder("swath")
