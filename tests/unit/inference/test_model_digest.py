import hashlib
import os
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.inference.digest import MAX_MODEL_FILES, model_digest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "manifest.json").write_text("{}", encoding="ascii")
    (directory / "a.npz").write_bytes(b"weights")
    return directory


def test_the_digest_is_that_of_the_sorted_list_of_files(model: Path) -> None:
    weights, contract = (hashlib.sha256(b).hexdigest() for b in (b"weights", b"{}"))
    listed = f'[["a.npz",7,"{weights}"],["manifest.json",2,"{contract}"]]'
    assert model_digest(model) == hashlib.sha256(listed.encode()).hexdigest()


def test_one_changed_byte_a_new_name_or_a_new_file_changes_the_digest(model: Path) -> None:
    seen = {model_digest(model)}
    (model / "a.npz").write_bytes(b"weightz")
    seen.add(model_digest(model))
    (model / "a.npz").rename(model / "b.npz")
    seen.add(model_digest(model))
    (model / "card.md").write_text("hello", encoding="ascii")
    seen.add(model_digest(model))
    assert len(seen) == 4


def test_times_and_the_place_do_not_matter(model: Path, tmp_path: Path) -> None:
    before = model_digest(model)
    os.utime(model / "a.npz", (1, 1))
    assert model_digest(model.rename(tmp_path / "elsewhere")) == before


def test_a_link_is_refused(model: Path) -> None:
    (model / "link").symlink_to(model / "a.npz")
    with pytest.raises(ConfigError, match="plain files only"):
        model_digest(model)


def test_a_link_to_the_whole_directory_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(model)
    with pytest.raises(ConfigError, match="a model is a directory"):
        model_digest(tmp_path / "link")


def test_a_pipe_is_refused(model: Path) -> None:
    os.mkfifo(model / "pipe")
    with pytest.raises(ConfigError, match="plain files only"):
        model_digest(model)


def test_a_cache_folder_is_refused(model: Path) -> None:
    (model / "__pycache__").mkdir()
    with pytest.raises(ConfigError, match="plain files only"):
        model_digest(model)


def test_too_many_files_are_refused(model: Path) -> None:
    for number in range(MAX_MODEL_FILES):
        (model / f"{number}.txt").touch()
    with pytest.raises(ConfigError, match="at most 32 files"):
        model_digest(model)


def test_an_empty_or_missing_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="is empty"):
        model_digest(tmp_path / "empty")
    with pytest.raises(ConfigError, match="a model is a directory"):
        model_digest(tmp_path / "missing")
