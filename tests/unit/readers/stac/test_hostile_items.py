"""Items of unknown origin: each is refused by a class of ours and a message, or is what it says; nothing else is read."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.errors import MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.registry import read_scene

SUN = '"view:sun_elevation"'


def item(href: Any = "r.tif", **top: Any) -> Json:
    own = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **{"processing:level": "L1C"})
    own["assets"]["red"]["href"] = href
    return {**own, **top}


def written(write_item: WriteItem, *, old: str = "", new: str = "", record: Json | None = None) -> str:
    """A good item with its raster, then a piece of its text replaced, or another record in its place."""
    path = Path(write_item(item()))
    text = path.read_text(encoding="utf-8") if record is None else json.dumps(record)
    path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"view:sun_elevation": 55.5',
            '"view:sun_elevation": 55.5, "view:sun_elevation": 5.5',
            r"'view:sun_elevation'.*last of them 5\.5",
        ),
        ('"id": "my-scene"', '"id": "one", "id": "my-scene"', r"twice, and differently: expected one 'id'"),
        ('"raster:scale": 0.0001', '"raster:scale": 0.001, "raster:scale": 0.0001', r"one 'raster:scale'"),
        ('"href": "r.tif"', '"href": "x.tif", "href": "r.tif"', r"one 'href'"),
    ],
)
def test_a_name_with_two_values_in_one_object_is_refused(write_item: WriteItem, old: str, new: str, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        read_scene(written(write_item, old=old, new=new))


def test_equal_values_of_one_name_pass_and_other_records_of_a_collection_do_not_matter(
    write_item: WriteItem, tmp_path: Path
) -> None:
    twice = f"{SUN}: 55.5, {SUN}: 55.5"
    assert read_scene(written(write_item, old='"view:sun_elevation": 55.5', new=twice)).angles.sun_elevation_deg == 55.5
    good = json.dumps({**item(), "id": "good"})
    bad = json.dumps({**item(), "id": "bad"}).replace('"gsd": 30', '"gsd": 30, "gsd": 10')
    path = tmp_path / "two.json"
    path.write_text('{"type": "FeatureCollection", "features": [' + good + ", " + bad + "]}", encoding="utf-8")
    assert read_scene(f"{path}#good").scene_id == "good"
    with pytest.raises(MetadataError, match=r"expected one 'gsd' in an object"):
        read_scene(f"{path}#bad")


@pytest.mark.parametrize(
    ("href", "kind", "message"),
    [
        ("s3://", ReadError, r"names no object of a bucket: expected s3://bucket/key; got s3://"),
        ("s3://bucket", ReadError, r"names no object of a bucket"),
        ("s3://bucket/", ReadError, r"names no object of a bucket"),
        ("file://otherhost/data/r.tif", MetadataError, r"file of another machine.*file://otherhost"),
        ("file://r.tif", MetadataError, r"file of another machine"),
        ("file:///etc/passwd", ReadError, r"not a raster that swath opens"),
        ("/dev/zero", ReadError, r"not a regular file"),
        ("item.json", ReadError, r"not a raster that swath opens"),
        (".", ReadError, r"not a regular file"),
        ("data:image/tiff;base64,SUkqAAgAAAA=", ReadError, r"cannot be read"),
        ("ftp://127.0.0.1/r.tif", ReadError, r"place that cannot be read"),
        ("/vsisubfile/0_100,r.tif", ReadError, r"place that cannot be read"),
        ("/vsistdin/", ReadError, r"place that cannot be read"),
        ("<VRTDataset/>", ReadError, r"cannot be read"),
        ("GTIFF_DIR:1:r.tif", ReadError, r"cannot be read"),
        ("r" * 5000 + ".tif", ReadError, r"cannot be read"),
        ("r\n.tif", MetadataError, r"not text"),
        (7, ReadError, r"cannot be read"),
        ({"a": 1}, ReadError, r"cannot be read"),
        ("", MissingBandError, r"it has no href"),
    ],
)
def test_a_href_reads_what_it_names_and_nothing_else(
    write_item: WriteItem, href: Any, kind: type[SceneError], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        read_scene(written(write_item, record=item(href)))
    assert caught.value.scene_id == "my-scene"


def test_a_file_address_of_this_machine_is_its_path(write_item: WriteItem, tmp_path: Path) -> None:
    for address in (f"file://{tmp_path}/r.tif", f"file://localhost{tmp_path}/r.tif"):
        assert read_scene(written(write_item, record=item(address))).assets["red"].href == f"{tmp_path}/r.tif"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("55.5", "NaN", r"view:sun_elevation is not a number"),
        ("55.5", "1e999", r"view:sun_elevation is not a number"),
        ("55.5", "1" + "0" * 5000, r"JSON"),
        ("0.0001", "Infinity", r"is not a number"),
        ('"geometry": null', '"geometry": ' + "[" * 100_000 + "]" * 100_000, r"JSON"),
        ('"2023-06-01T10:20:30Z"', '"0000-01-01T00:00:00Z"', r"not a time"),
        ('"2023-06-01T10:20:30Z"', '"10000-01-01T00:00:00Z"', r"not a time"),
        ('"2023-06-01T10:20:30Z"', '"9999-12-31T23:59:59-14:00"', r"not a time"),
        ('"2023-06-01T10:20:30Z"', '["2023"]', r"not a time"),
        ('"my-scene"', '"a/b"', r"cannot name a folder.*holds '/'"),
        ('"my-scene"', r'"a\u202eb"', r"cannot name a folder"),
        ('"my-scene"', r'"a\ud800b"', r"cannot name a folder"),
        ('"my-scene"', '"-rf"', r"begins with '-'"),
        ('"my-scene"', '{"a": 1}', r"not a STAC item"),
    ],
)
def test_numbers_times_and_ids_beyond_belief_are_refused_by_name(write_item: WriteItem, old: str, new: str, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        read_scene(written(write_item, old=old, new=new))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_windows_lines_and_strange_letters_are_no_damage(write_item: WriteItem, encoding: str) -> None:
    path = Path(write_item(item()))
    record = {**json.loads(path.read_text(encoding="utf-8")), "id": "sat\U0001f6f0-\u00fc"}
    path.write_bytes(json.dumps(record, indent=1, ensure_ascii=False).replace("\n", "\r\n").encode(encoding))
    assert read_scene(str(path)).scene_id == "sat\U0001f6f0-\u00fc"


def test_a_scale_that_eight_signed_bits_cannot_reach_is_refused(write_item: WriteItem) -> None:
    with pytest.raises(MetadataError, match=r"scale of red is not one of reflectance.*got 0\.0001 for int8"):
        read_scene(write_item(item(), dtype="int8"))
