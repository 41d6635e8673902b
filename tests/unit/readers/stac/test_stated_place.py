"""What an item says of the place and the length of its files: what is of another place is refused, what only differs is told."""

from pathlib import Path
from typing import Any

import pytest
from rasterio import Affine
from rasterio.crs import CRS
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.errors import ChecksumError, GeometryError, MetadataError
from swath.readers.gate.terms import Terms, under
from swath.readers.pixels.whereabouts import GlobeBox, box_of
from swath.readers.registry import read_scene
from swath.readers.stac import stated_place
from swath.sinks.stac.footprint import footprint_of

#: The raster of ``write_item``: 64 x 48 pixels of 30 m near Denver.
TRANSFORM = [30.0, 0.0, 400005.0, 0.0, -30.0, 4400115.0]
THERE: Json = {"bbox": [-106.2, 39.7, -106.1, 39.8]}
RING = [[-106.2, 39.7], [-106.1, 39.7], [-106.1, 39.8], [-106.2, 39.8], [-106.2, 39.7]]
CROP: Json = {
    "proj:code": "EPSG:32613",
    "proj:shape": [7731, 7591],
    "proj:transform": [30.0, 0.0, 375885.0, 0.0, -30.0, 4423515.0],
}


def item(*, asset: Json | None = None, top: Json | None = None, **properties: Any) -> Json:
    own = item_of({"red": asset_of("r.tif", bands=[band_11("red")], **(asset or {}))}, **properties)
    return {**own, "properties": {**own["properties"], "processing:level": "L1C"}, **(top or {})}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"top": {"bbox": [10.0, 48.0, 11.0, 49.0]}}, r"place \(bbox\).*-106\.1.*39\.7.*\(the file\); got .*10\.000, 48\.000"),
        ({"top": {"bbox": [-104.9, 39.7, -104.8, 39.8]}}, r"place \(bbox\)"),
        ({"top": {"bbox": [39.7, -106.2, 39.8, -106.1]}}, r"place \(bbox\)"),
        ({"top": {"geometry": {"type": "Point", "coordinates": [10.5, 48.5]}}}, r"place \(geometry\)"),
        ({"top": {"geometry": {"type": "Polygon", "coordinates": [[[x + 90, y] for x, y in RING]]}}}, r"place \(geometry\)"),
        ({"proj:epsg": 32632}, r"place \(proj:epsg\): expected EPSG:32613 of red \(the file\); got EPSG:32632 \(the item\)"),
        ({"asset": {"proj:code": "EPSG:32614"}, "proj:code": "EPSG:32613"}, r"place \(proj:code\).*got EPSG:32614"),
        ({"asset": {"proj:transform": [30.0, 0.0, 500005.0, 0.0, -30.0, 4400115.0]}}, r"proj:transform.*500005"),
        ({**CROP, "proj:transform": [30.0, 0.0, 975885.0, 0.0, -30.0, 4423515.0]}, r"place \(proj:transform\)"),
        ({"proj:transform": TRANSFORM, "proj:shape": [64, 48]}, r"place \(proj:transform\)"),
        ({"proj:transform": [60.0, 0.0, 400005.0, 0.0, -60.0, 4400115.0], "proj:shape": [48, 64]}, r"place \(proj:transform\)"),
        ({"proj:bbox": [0.0, 0.0, 100.0, 100.0]}, r"place \(proj:bbox\)"),
    ],
)
def test_an_item_of_another_place_than_its_file_is_refused_with_both(write_item: WriteItem, said: Json, message: str) -> None:
    href = write_item(item(**said))
    with pytest.raises(MetadataError, match=message) as caught:
        read_scene(href)
    assert caught.value.scene_id == "my-scene"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"top": THERE, "proj:epsg": 32632}, "proj:epsg"),
        ({"top": THERE, "asset": {"proj:transform": [30.0, 0.0, 400605.0, 0.0, -30.0, 4400115.0]}}, "proj:transform"),
        ({"top": {"bbox": [39.7, -106.2, 39.8, -106.1]}, "proj:transform": TRANSFORM}, "bbox"),
    ],
)
def test_what_an_item_has_wrong_is_told_where_another_statement_confirms_the_file(
    write_item: WriteItem, said: Json, field: str
) -> None:
    scene = read_scene(write_item(item(**said)))
    assert scene.left_out[field].startswith("the item says ")
    assert "made where the file is" in scene.left_out[field]
    assert scene.assets["red"].grid.crs == "EPSG:32613"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"top": THERE},
        {"top": {"bbox": [-106.3, 39.82, -106.0, 40.1]}},
        {"top": {"bbox": [-106.2, 39.7, 0.0, -106.1, 39.8, 4000.0]}},
        {"top": {"bbox": [-180.0, -90.0, 180.0, 90.0], "geometry": {"type": "Polygon", "coordinates": [RING]}}},
        {"top": {"bbox": "here", "geometry": {"type": "Polygon", "coordinates": [[["a", 1e400], []]]}}},
        {"proj:code": "EPSG:32613"},
        {"proj:epsg": 26913},
        {"proj:epsg": None, "proj:code": "IAU_2015:30100"},
        {"proj:epsg": 999_999_999},
        {"proj:epsg": "../../etc/passwd", "proj:wkt2": "nonsense"},
        CROP,
        {"asset": CROP, "proj:epsg": 32632},
        {"proj:transform": TRANSFORM},
        {"proj:transform": [*TRANSFORM, 0.0, 0.0, 1.0], "proj:shape": [48, 64]},
        {"proj:transform": [400005.0, 30.0, 0.0, 4400115.0, 0.0, -30.0]},
        {"proj:transform": [29.999, 0.0, 400010.0, 0.0, -29.999, 4400110.0], "proj:shape": [48, 64]},
        {"proj:transform": [15.0, 0.0, 399997.5, 0.0, -15.0, 4400122.5], "proj:shape": [96, 128]},
        {"proj:transform": [None, "x"], "proj:shape": [0, -1], "proj:bbox": [True]},
        {"proj:shape": [10980, 10980]},
    ],
)
def test_crops_copies_roundings_and_other_names_contradict_nothing(write_item: WriteItem, said: Json) -> None:
    left_out = read_scene(write_item(item(**said))).left_out
    assert not [field for field in left_out if field in ("bbox", "geometry") or field.startswith("proj:")]


def test_boxes_meet_across_the_antimeridian_and_around_a_pole(write_item: WriteItem, write_raster: Any, tmp_path: Path) -> None:
    fiji = {"crs": "EPSG:32760", "transform": Affine(3000.0, 0.0, 720000.0, 0.0, -3000.0, 8100000.0)}
    write_raster(tmp_path / "r.tif", **fiji)
    for box in ([179.0, -19.0, -179.0, -17.0], [-179.9, -18.0, -179.5, -17.5], [179.0, -18.0, 179.9, -17.5]):
        assert "bbox" not in read_scene(write_item(item(top={"bbox": box}))).left_out
    with pytest.raises(MetadataError, match=r"place \(bbox\)"):
        read_scene(write_item(item(top={"bbox": [-170.0, -19.0, -169.0, -17.0]})))
    (tmp_path / "r.tif").unlink()
    write_raster(tmp_path / "r.tif", crs="EPSG:3031", transform=Affine(30.0, 0.0, -900.0, 0.0, -30.0, 700.0))
    grid = read_scene(write_item(item(top={"bbox": [-180.0, -90.0, 180.0, -60.0]}))).assets["red"].grid
    place = box_of(grid)
    assert place is not None
    assert (place.west, place.east) == (-180.0, 180.0)
    assert GlobeBox(0.0, 0.0, 1.0, 1.0).gap_deg(GlobeBox(3.0, 0.0, 4.0, 1.0)) == pytest.approx(2.0, rel=1e-3)


def test_a_false_length_is_told_and_refutes_a_checksum_that_is_trusted(write_item: WriteItem, tmp_path: Path) -> None:
    href = write_item(item(asset={"file:size": 12}))
    length = (tmp_path / "r.tif").stat().st_size
    assert read_scene(href).left_out["file:size"] == f"the item says 12 bytes of red, the file has {length}"
    for right in (length, "twelve", True, None):
        assert "file:size" not in read_scene(write_item(item(asset={"file:size": right}))).left_out
    trusted = write_item(item(asset={"file:size": 12, "file:checksum": "1220" + "ab" * 32}))
    with under(Terms(trust_checksums=True)), pytest.raises(ChecksumError, match=rf"expected 12 bytes.*got {length} bytes"):
        read_scene(trusted)


def test_a_system_without_longitude_and_latitude_is_one_of_no_place(write_item: WriteItem, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="coordinate system of the raster is not one of a map"):
        read_scene(write_item(item(top=THERE), crs='LOCAL_CS["plan",UNIT["m",1]]'))
    (tmp_path / "r.tif").unlink()
    grid = read_scene(write_item(item(top=THERE), crs="IAU_2015:30100")).assets["red"].grid
    assert box_of(grid) is None
    with pytest.raises(GeometryError, match=r"outline has no longitude and latitude"):
        footprint_of(grid)


def test_a_system_that_items_share_is_looked_up_once() -> None:
    stated_place._name_of.cache_clear()
    assert {stated_place._system("proj:code", code) for code in ("EPSG:32633", "epsg:32633", "32633")} == {"EPSG:32633"}
    assert stated_place._system("proj:wkt2", CRS.from_epsg(32633).to_wkt()) == "EPSG:32633"
    assert stated_place._system("proj:wkt2", "EPSG:32633") == ""
    assert stated_place._name_of.cache_info().misses == 3
