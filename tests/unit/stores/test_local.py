"""A folder as a store: whole files or none, nothing outside of it, and clear words when it cannot be written."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from swath.errors import ConfigError, LockError
from swath.stores.local import SCRATCH, LocalStore, local_store
from swath.stores.lock import LOCK_FILE, output_lock
from swath.stores.registry import open_store


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path / "new" / "out")


def test_what_is_written_is_read(store: LocalStore) -> None:
    store.write("a/b/c.json", b"one")
    store.write("a/b/c.json", b"two")
    assert store.read("a/b/c.json") == b"two"
    assert store.size("a/b/c.json") == 3
    with store.open("a/b/c.json") as file:
        file.seek(1)
        assert file.read() == b"wo"
    assert list(store.list("")) == ["a/b/c.json"]


def test_what_is_not_there_is_none(store: LocalStore) -> None:
    store.write("file", b"x")
    for path in ("nothing", "a/b", "file/below"):
        assert store.read(path) is None
        assert store.size(path) is None
    with pytest.raises(FileNotFoundError, match="nothing"):
        store.open("nothing")
    store.delete("nothing")
    store.delete_tree("nothing")
    assert list(store.list("nothing")) == []


def test_put_moves_the_file(store: LocalStore) -> None:
    local = store.scratch() / "x"
    local.write_bytes(b"abc")
    store.put(local, "products/x.tif")
    assert store.read("products/x.tif") == b"abc"
    assert not local.exists()
    assert local.parent.relative_to(store.folder).as_posix() == f"{SCRATCH}/tmp"


@pytest.mark.parametrize("links", ["with", "without"])
def test_a_file_is_made_once(store: LocalStore, monkeypatch: pytest.MonkeyPatch, links: str) -> None:
    if links == "without":  # as on FAT and some network file systems

        def refused(*_: Any) -> None:
            raise PermissionError(errno.EPERM, "no hard links here")

        monkeypatch.setattr(os, "link", refused)
    assert store.put_if_absent("log/0.json", b"first")
    assert not store.put_if_absent("log/0.json", b"second")
    assert store.read("log/0.json") == b"first"
    assert list(store.list("")) == ["log/0.json"]


def test_put_from_another_file_system_is_whole_or_nothing(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "elsewhere"
    local.write_bytes(b"abc")
    rename = Path.replace

    def across(self: Path, target: Any) -> Path:
        if self == local:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        assert self.read_bytes() == b"abc"
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", across)
    store.put(local, "products/x.tif")
    assert list(store.list("")) == ["products/x.tif"]
    assert store.read("products/x.tif") == b"abc"
    assert not local.exists()


def test_a_write_that_fails_leaves_the_old_file(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("item.json", b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.write("item.json", b"new")
    assert store.read("item.json") == b"old"
    assert list(store.list("")) == ["item.json"]


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd"])
def test_no_path_leaves_the_store(store: LocalStore, path: str) -> None:
    for call in (store.read, store.size, store.open, store.gdal_path):
        with pytest.raises(ValueError, match="leaves the store"):
            call(path)


def test_files_are_listed_in_the_order_of_their_names(store: LocalStore) -> None:
    paths = ["a-b/x", "a.txt", "a/b", "a/c/d", "a0", "b/z"]
    for path in reversed(paths):
        store.write(path, b"")
    assert list(store.list("")) == sorted(paths)
    assert list(store.list("a")) == ["a/b", "a/c/d"]
    store.delete_tree("a")
    assert list(store.list("")) == ["a-b/x", "a.txt", "a0", "b/z"]


@pytest.mark.skipif(os.getuid() != 0, reason="needs a folder that nobody can write: /proc serves for root too")
def test_an_unwritable_folder_is_told() -> None:
    with pytest.raises(
        ConfigError, match=r"the output /proc/swath cannot be written .*: choose another --output, or correct its"
    ):
        local_store(Path("/proc/swath"))


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"out cannot be written \(File exists\): choose another --output"):
        local_store(tmp_path / "out")


def test_a_uri_names_a_folder(tmp_path: Path) -> None:
    for uri in (str(tmp_path / "a b"), (tmp_path / "a b").as_uri()):
        store = open_store(uri)
        assert isinstance(store, LocalStore)
        assert store.folder == tmp_path / "a b"
    assert store.spark_path("tables/x") == (tmp_path / "a b" / "tables" / "x").as_uri()
    assert store.root == store.gdal_path("") == str(tmp_path / "a b")


def test_workers_do_not_make_the_folder(tmp_path: Path) -> None:
    open_store(str(tmp_path / "out"), create=False)
    assert not (tmp_path / "out").exists()


def test_another_scheme_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"gs://bucket/x: unknown kind of output; expected a folder, file:// or s3://"):
        open_store("gs://bucket/x")


def test_an_output_has_one_run_at_a_time(store: LocalStore) -> None:
    with output_lock(store, run_id="r1"):
        second = output_lock(store, run_id="r2")
        with pytest.raises(LockError, match=r"is locked by run r1 \(process \d+\): wait for it"):
            second.__enter__()
    with output_lock(store, run_id="r2"):
        assert b"run r2" in (store.read(LOCK_FILE) or b"")
