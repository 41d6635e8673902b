import json
import os
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from swath.errors import ConfigError, MetadataError
from swath.readers.archived_scenes import kind_of_folder
from swath.readers.discover import discover
from swath.readers.marks import Kind
from swath.readers.registry import read_scene
from swath.readers.stac.item import read_item

WriteLandsat = Callable[..., Path]


def _item(name: str) -> dict[str, Any]:
    return {"type": "Feature", "stac_version": "1.1.0", "id": name, "assets": {}, "geometry": None, "properties": {}}


def _touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with a scene of every kind, and things that are none."""
    root = tmp_path / "archive"
    _touch(root / "a" / "LC09_MTL.txt", root / "a" / "LC09_MTL.xml", root / "a" / "LC09_B1.TIF", root / "a" / "sub" / "X_MTL.txt")
    _touch(
        root / "b" / "LC08_A_MTL.txt", root / "b" / "LC08_A_MTL.json", root / "b" / "LE07_B_MTL.xml", root / "b" / "LC08_A_B1.TIF"
    )
    _touch(
        root / "c" / "S2A_MSIL1C_X.SAFE" / "MTD_MSIL1C.xml",
        root / "c" / "S2A_MSIL1C_X.SAFE" / "GRANULE" / "T33UVV" / "MTD_TL.xml",
    )
    _touch(root / "d" / "tileInfo.json", root / "d" / "metadata.xml", root / "e" / "LT05_L1TP.tar.gz", root / "README.txt")
    with zipfile.ZipFile(root / "e" / "renamed.zip", "w") as zipped:
        zipped.writestr("S2B_MSIL1C_Y.SAFE/MTD_MSIL1C.xml", "")
    with zipfile.ZipFile(root / "e" / "holiday.zip", "w") as zipped:
        zipped.writestr("beach.jpg", "")
    (root / "empty").mkdir()
    (root / "f").mkdir()
    (root / "f" / "item.json").write_text(json.dumps(_item("one")))
    (root / "f" / "many.json").write_text(json.dumps({"type": "FeatureCollection", "features": [_item("two"), _item("three")]}))
    (root / "f" / "polygons.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "id": "x"}]})
    )
    (root / "f" / "catalog.json").write_text(json.dumps({"type": "Catalog", "stac_version": "1.1.0"}))
    (root / "b" / "LC08_A_stac.json").write_text(json.dumps(_item("LC08_A")))
    return root


def test_every_kind_of_scene_is_found_in_a_folder(archive: Path) -> None:
    found = [href.removeprefix(f"{archive}/") for href in discover([str(archive)])]
    assert found == [
        "a",
        "a/sub",
        "b/LC08_A_MTL.txt",
        "b/LE07_B_MTL.xml",
        "c/S2A_MSIL1C_X.SAFE",
        "d",
        "e/LT05_L1TP.tar.gz",
        "e/renamed.zip",
        "f/item.json",
        "f/many.json#two",
        "f/many.json#three",
    ]


def test_what_was_found_is_found_again_when_named(archive: Path) -> None:
    found = list(discover([str(archive)]))
    assert list(discover(found)) == found


def test_a_scene_named_twice_is_yielded_twice(archive: Path) -> None:
    assert list(discover([str(archive / "a"), str(archive / "a")])) == [str(archive / "a")] * 2


def test_a_list_names_scenes_folders_and_what_is_not_there(archive: Path) -> None:
    listed = archive / "list.txt"
    listed.write_text("# ours\na\n\nf\nmissing/LC08_MTL.txt\nhttps://host/item.json\n")
    assert list(discover([str(listed)])) == [
        str(archive / "a"),
        str(archive / "f/item.json"),
        f"{archive / 'f/many.json'}#two",
        f"{archive / 'f/many.json'}#three",
        str(archive / "missing/LC08_MTL.txt"),
        "https://host/item.json",
    ]


def test_links_that_lead_in_circles_end(archive: Path) -> None:
    before = list(discover([str(archive)]))
    (archive / "z").symlink_to(archive, target_is_directory=True)
    (archive / "dangling").symlink_to(archive / "nowhere")
    assert list(discover([str(archive)])) == before


def test_each_granule_of_an_old_safe_is_a_scene(tmp_path: Path) -> None:
    safe = tmp_path / "S2A_OPER_PRD_MSIL1C_X.SAFE"
    granules = [safe / "GRANULE" / f"S2A_OPER_MSI_L1C_TL_{tile}" for tile in ("T31UFS", "T31UFT")]
    _touch(safe / "S2A_OPER_MTD_SAFL1C_X.xml", *(g / f"S2A_OPER_MTD_L1C_TL_{g.name[-6:]}.xml" for g in granules))
    found = list(discover([str(tmp_path)]))
    assert found == [str(g) for g in granules]
    assert list(discover(found)) == found


def test_discovery_is_lazy(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[set[str]] = []

    def watched(names: Collection[str]) -> Kind | None:
        looked.append(set(names))
        return kind_of_folder(names)

    monkeypatch.setattr("swath.readers.folders.kind_of_folder", watched)
    assert next(iter(discover([str(archive)]))) == str(archive / "a")
    assert len(looked) == 2  # the folder itself and its first


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere", r"'.*nowhere' does not exist; expected a Landsat scene .* Check --input"),
        ("archive/empty", r"nothing to do in '.*empty': expected a Landsat scene .* found none"),
        ("archive/f/polygons.geojson", r"nothing to do in '.*polygons\.geojson'"),
        ("archive/README.txt", r"nothing to do in '.*README\.txt'"),
    ],
)
def test_an_input_without_scenes_is_a_config_error(archive: Path, given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        list(discover([str(archive.parent / given)]))


def test_a_collection_beyond_belief_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.touch()
    os.truncate(path, 100 << 20)
    with pytest.raises(ConfigError, match=r"items\.json is too large to be read: expected at most \d+ bytes; split it"):
        list(discover([str(path)]))


def test_a_search_needs_a_place_for_its_answer() -> None:
    with pytest.raises(ConfigError, match="a STAC search needs a place for its answer"):
        list(discover(["stac+https://host/api?collections=x"]))


def test_a_landsat_folder_is_read_by_its_reader(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    for href in (folder, next(folder.glob("*_MTL.txt"))):
        assert read_scene(str(href)).reader == "landsat"


@pytest.mark.parametrize("name", ["nothing", "README.md", "notes"])
def test_what_no_reader_knows_is_a_metadata_error(tmp_path: Path, name: str) -> None:
    if name != "nothing":
        (tmp_path / name).write_text("words")
    with pytest.raises(
        MetadataError, match=rf"this is not a scene: expected a Landsat folder, .* got .*{name}\. Check the path; plug in"
    ):
        read_scene(str(tmp_path / name))


def test_items_of_one_id_in_a_collection_are_all_found(tmp_path: Path) -> None:
    items = [
        {"type": "Feature", "stac_version": "1.1.0", "id": name, "properties": {"number": number}}
        for number, name in enumerate(["same", "other", "same", "/features/1"])
    ]
    file = tmp_path / "search.json"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    found = list(discover([str(file)]))
    assert [href.partition("#")[2] for href in found] == ["/features/0", "other", "/features/2", "/features/3"]
    assert [read_item(href).properties["number"] for href in found] == [0, 1, 2, 3]
    assert list(discover([found[2]])) == [found[2]]
