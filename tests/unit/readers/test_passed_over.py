"""Nothing is lost without a word: what cannot be read is yielded and refused, what is no scene is counted."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from swath.errors import ArchiveError, ConfigError, MetadataError, ReadError, SceneError
from swath.readers.discover import discover
from swath.readers.passed_over import PassedOver
from swath.readers.registry import read_scene
from swath.readers.stac.item import read_item


def _item(name: Any) -> dict[str, Any]:
    return {"type": "Feature", "stac_version": "1.1.0", "id": name, "assets": {}, "geometry": None, "properties": {}}


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "cut.json": (json.dumps(_item("a")).encode()[:-9], r"not a STAC record that can be read: expected JSON in UTF-8; got .*cut"),
    "empty.json": (b"", r"got .*empty\.json: 0 bytes"),
    "zeros.geojson": (bytes(500), r"got .*zeros\.geojson: only zeros"),
    "utf16.json": (json.dumps(_item("a")).encode("utf-16"), r"got .*utf16\.json: utf-16"),
    "latin1.json": (b'{"id": "\xe9"}', r"got .*latin1\.json: 'utf-8' codec can't decode byte 0xe9"),
    "deep.json": (b"[" * 100_000, r"got .*deep\.json: maximum recursion depth"),
    "html.json": (b"<html>404</html>", r"got .*html\.json: Expecting value"),
    "none.json": (b'{"type": "FeatureCollection", "stac_version": "1.1.0"}', r"item collection has no items: .* got NoneType in"),
    "large.json": (b'{"stac_version": "1.1.0",' + b" " * (33 << 20), r"record is too large to be read: .* Split it"),
    "nul\\x.zip": (b"", r"the archive is empty"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_by_its_path(name: str, tmp_path: Path) -> None:
    data, message = UNREADABLE[name]
    (tmp_path / "good.json").write_text(json.dumps(_item("good")))
    (tmp_path / name).write_bytes(data)
    assert set(discover([str(tmp_path)])) == {str(tmp_path / "good.json"), str(tmp_path / name)}
    with pytest.raises(SceneError, match=message) as told:
        read_scene(str(tmp_path / name))
    assert told.value.stage == "discover"
    assert name in str(told.value)
    assert isinstance(told.value, ArchiveError if name.endswith(".zip") else MetadataError)


def test_records_of_a_collection_without_an_id_are_refused_by_their_place(tmp_path: Path) -> None:
    records = [_item("good"), _item("s\ud800x"), _item(None), "words", _item(7), _item("a\0b")]
    path = tmp_path / "fc.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "stac_version": "1.1.0", "features": records}))
    fragments = ["good", "/features/1", "/features/2", "/features/3", "7", "/features/5"]
    assert list(discover([str(tmp_path)])) == [f"{path}#{f}" for f in fragments]
    with pytest.raises(MetadataError, match=r"has no usable id: .* got 's\\ud800x' in record 1 of .*fc\.json") as told:
        read_scene(f"{path}#/features/1")
    assert told.value.stage == "discover"


def test_a_name_that_is_not_utf_8_is_told_as_text(tmp_path: Path) -> None:
    for raw in (b"bad\xff.json", b"sub\xfe/LC09_L1TP_X.tar"):
        path = os.path.join(os.fsencode(tmp_path), raw)  # noqa: PTH118  a path of bytes
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(json.dumps(_item("x")).encode())
    found = list(discover([str(tmp_path)]))
    assert found == [f"{tmp_path}/bad\\xff.json", f"{tmp_path}/sub\\xfe/LC09_L1TP_X.tar"]
    for href in found:
        href.encode()
        with pytest.raises(MetadataError, match=r"the file's name is not UTF-8: .* got .*\\xf[fe].* Rename it") as told:
            read_scene(href)
        assert told.value.stage == "discover"


def test_what_is_no_scene_is_counted(tmp_path: Path) -> None:
    for name in (
        "README.txt",
        "sub/a.pdf",
        "sub/._a.pdf",
        ".DS_Store",
        "__MACOSX/x.json",
        "catalog.json",
        "two/B1.tif",
        "items/notes.doc",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    for name in ("items/a.json", "items/B1.tif", "items/B1.tif.aux.xml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(_item("a")))
    (tmp_path / "dangling.json").symlink_to(tmp_path / "nowhere")
    passed_over = PassedOver()
    found = list(discover([str(tmp_path)], passed_over=passed_over))
    assert found == [str(tmp_path / "dangling.json"), str(tmp_path / "items/a.json")]
    assert passed_over.count == 5
    assert sorted(name.removeprefix(f"{tmp_path}/") for name in passed_over.names) == [
        "README.txt", "catalog.json", "items/notes.doc", "sub/a.pdf", "two/B1.tif",
    ]  # fmt: skip
    assert PassedOver.from_plain(json.loads(json.dumps(passed_over.plain()))) == passed_over


def test_only_the_first_ten_are_named(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02d}.doc").touch()
    (tmp_path / "item.json").write_text(json.dumps(_item("a")))
    passed_over = PassedOver()
    assert len(list(discover([str(tmp_path)], passed_over=passed_over))) == 1
    assert (passed_over.count, len(passed_over.names)) == (25, 10)


def test_a_folder_that_cannot_be_listed_is_a_scene_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "item.json").write_text(json.dumps(_item("a")))
    listed = os.scandir

    def refusing(folder: Path) -> Any:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(os, "scandir", refusing)  # root may list everything
    assert list(discover([str(tmp_path)])) == [str(tmp_path / "item.json"), str(tmp_path / "locked")]
    with pytest.raises(ReadError, match=r"the scene cannot be listed: .*Permission denied") as told:
        read_scene(str(tmp_path / "locked"))
    assert told.value.stage == "discover"


def test_a_line_of_a_list_is_a_scene_whatever_it_names(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.json").write_bytes(b"{")
    listed = tmp_path / "list.txt"
    lines = ["empty", "cut.json", "x" * 5000 + ".json", "s3://bucket/prefix", "nowhere/LC09.tar"]
    listed.write_bytes("\r\n".join(lines).encode("utf-16"))  # as PowerShell writes
    assert list(discover([str(listed)])) == [line if "://" in line else str(tmp_path / line) for line in lines]
    for name in ("empty", "x" * 5000 + ".json"):
        with pytest.raises(MetadataError, match="this is not a scene"):
            read_scene(str(tmp_path / name))


def test_a_list_that_is_not_text_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xff\x00\xff")
    with pytest.raises(ConfigError, match=r"list\.txt is not text: expected one href a line in UTF-8"):
        list(discover([str(tmp_path / "list.txt")]))


def test_a_record_under_another_suffix_is_read(tmp_path: Path) -> None:
    (tmp_path / "item.json.txt").write_text(json.dumps(_item("a")))
    assert list(discover([str(tmp_path)])) == [str(tmp_path / "item.json.txt")]
    assert list(discover([str(tmp_path / "item.json.txt")])) == [str(tmp_path / "item.json.txt")]


def test_items_may_be_compressed(tmp_path: Path) -> None:
    text = json.dumps(_item("a")).encode()
    zst = pa.BufferOutputStream()
    with pa.CompressedOutputStream(zst, "zstd") as stream:
        stream.write(text)
    packed = {"a.json.gz": gzip.compress(text), "b.json.zst": zst.getvalue().to_pybytes(), "c.geojson.GZ": gzip.compress(text)}
    for name, data in packed.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(b'{"level": "info"}'))
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(text)[:-12])
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(text[:-1] + b" " * (64 << 20)))
    passed_over = PassedOver()
    found = [Path(href).name for href in discover([str(tmp_path)], passed_over=passed_over)]
    assert found == ["a.json.gz", "b.json.zst", "bomb.json.gz", "c.geojson.GZ", "cut.json.gz"]
    assert passed_over.names == [str(tmp_path / "log.json.gz")]
    for name in packed:
        assert read_item(str(tmp_path / name)).item_id == "a"
    for name, message in (("cut", r"got .*cut\.json\.gz: .*; it may be cut short"), ("bomb", "record is too large to be read")):
        with pytest.raises(MetadataError, match=message) as told:
            read_scene(str(tmp_path / f"{name}.json.gz"))
        assert told.value.stage == "discover"


def test_a_scene_below_another_scene_is_found(tmp_path: Path) -> None:
    names = [f"LC09_L1TP_19302{n}_20240805_20240805_02_T1" for n in range(4)]
    places = [names[0], f"{names[0]}/{names[1]}", f"{names[0]}/more/deep/{names[2]}", f"{names[0]}/{names[1]}/inner/{names[3]}"]
    for place in [*places, f"{names[0]}/copy", f"{names[0]}/{names[1]}/{names[0]}"]:
        own = next(n for n in reversed(names) if n in place.rsplit("/", 1)[-1]) if "copy" not in place else names[0]
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / f"{own}_MTL.txt").write_text("GROUP = L1_METADATA_FILE\nEND\n")
        (folder / f"{own}_B4.TIF").write_bytes(b"II*\0")
    # Parts of a scene, and what was made of it, are its own.
    (tmp_path / names[0] / "bands").mkdir()
    for band in (2, 3):
        (tmp_path / names[0] / "bands" / f"{names[0]}_B{band}.TIF").write_bytes(b"II*\0")
    (tmp_path / names[0] / "item.json").write_text(json.dumps(_item("derived")))
    assert sorted(discover([str(tmp_path)])) == sorted(str(tmp_path / place) for place in places)
    passed_over = PassedOver()
    outer = str(tmp_path / names[0])
    assert list(discover([outer], passed_over=passed_over)) == [outer]
    assert passed_over.names == [str(tmp_path / place) for place in (places[1], places[3], places[2])]
