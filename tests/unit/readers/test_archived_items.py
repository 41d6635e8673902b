"""STAC items inside archives are the scenes of their folders: found, read in place, and never read outside of the archive."""

import json
import shutil
from pathlib import Path

import pytest
import rasterio
from tests.unit.readers.stac_items import WriteItem, asset_of, band_11, item_of, write_item
from tests.unit.readers.test_raw_items import Write, write
from tests.unit.readers.test_rpc_scenes import read_band

from swath.errors import MetadataError, ReadError
from swath.grid import Window
from swath.readers.discover import discover
from swath.readers.registry import read_scene

__all__ = ["write", "write_item"]
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
LEVEL = {"swath:level": "L1"}
KINDS = ("zip", "tar", "gztar", "xztar")


def packed(item: str, kind: str, *, home: Path) -> Path:
    """An item's folder in an archive; the folder itself is gone."""
    folder = Path(item).parent
    home.mkdir()
    path = Path(shutil.make_archive(str(home / "order"), kind, folder.parent, folder.name))
    shutil.rmtree(folder)
    return path


def model_into_the_image(item: str) -> None:
    """The model goes from its own file into the tags of the GeoTIFF: only the item describes the image."""
    folder = Path(item).parent
    with rasterio.open(folder / "pan.tif") as source:
        profile, values, rpcs = source.profile, source.read(), source.rpcs
    profile.pop("transform"), profile.pop("crs")
    with rasterio.open(folder / "moved.tif", "w", **profile, rpcs=rpcs) as target:
        target.write(values)
    (folder / "moved.tif").rename(folder / "pan.tif")
    (folder / "pan_RPC.TXT").unlink()
    record = json.loads(Path(item).read_text(encoding="utf-8"))
    del record["assets"]["model"]
    Path(item).write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", [True, False], ids=["model in the image", "model in a file"])
def test_a_raw_image_that_only_an_item_in_an_archive_describes(write: Write, tmp_path: Path, kind: str, *, inside: bool) -> None:
    item = write()
    if inside:
        model_into_the_image(item)
    plain = read_scene(item)
    path = packed(item, kind, home=tmp_path.parent / f"{tmp_path.name}-packed")
    (href,) = discover([str(path.parent)])
    assert href == f"{path}#{tmp_path.name}/item.json"
    scene = read_scene(href)
    assert (scene.scene_id, scene.digest) == ("raw", plain.digest)
    assert scene.assets["pan"].grid == plain.assets["pan"].grid
    assert (read_band(scene, "pan", Window(0, 0, 2000, 3000)).values == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_each_item_of_an_archive_is_a_scene_with_its_own_files(write_item: WriteItem, tmp_path: Path, kind: str) -> None:
    write_item(item_of({"red": asset_of("my%20data/red.tif", bands=[band_11("red")])}, **LEVEL))
    shutil.move(tmp_path / "my%20data", tmp_path / "my data")
    second = {**item_of({"red": asset_of("../my data/red.tif", bands=[band_11("red")])}, **LEVEL), "id": "second"}
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "other.geojson").write_text(json.dumps(second), encoding="utf-8")
    digests = [read_scene(str(tmp_path / name)).digest for name in ("item.json", "more/other.geojson")]
    path = packed(str(tmp_path / "item.json"), kind, home=tmp_path.parent / f"{tmp_path.name}-packed")
    scenes = [read_scene(href) for href in discover([str(path)])]
    assert [s.scene_id for s in scenes] == ["my-scene", "second"]
    assert [s.digest for s in scenes] == digests


def test_an_href_that_leads_out_of_the_archive_is_refused(write_item: WriteItem, tmp_path: Path) -> None:
    item = write_item(item_of({"red": asset_of("../../red.tif", bands=[band_11("red")])}))
    path = packed(item, "zip", home=tmp_path.parent / f"{tmp_path.name}-packed")
    (href,) = discover([str(path)])
    with pytest.raises(ReadError, match=r"my-scene: a member's name leads out of its archive"):
        read_scene(href)


def test_an_item_that_cannot_be_read_is_named_by_its_place(write_item: WriteItem, tmp_path: Path) -> None:
    item = Path(write_item(item_of({"red": asset_of("red.tif", bands=[band_11("red")])})))
    item.write_bytes(item.read_bytes()[:100])
    path = packed(str(item), "tar", home=tmp_path.parent / f"{tmp_path.name}-packed")
    (href,) = discover([str(path.parent)])
    with pytest.raises(MetadataError, match=rf"the item is not JSON: .* got .*{tmp_path.name}/item\.json"):
        read_scene(href)
