"""STAC items that cannot be used say why; none of them stops a run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.errors import GeometryError, MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.discover import discover
from swath.readers.stac.scene import read_scene


def test_more_bands_than_the_file_has_are_a_metadata_error(write_item: WriteItem) -> None:
    item = item_of({"stack": asset_of("s.tif", bands=[band_11("blue"), band_11("red")])})
    with pytest.raises(MetadataError, match=r"describes other bands than the file of blue.*each of its 1 bands; got 2"):
        read_scene(write_item(item))


@pytest.mark.parametrize("missing", ["view:sun_elevation", "view:sun_azimuth"])
def test_without_the_suns_angles_the_error_names_what_is_missing(write_item: WriteItem, missing: str) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **{missing: None})
    with pytest.raises(MetadataError, match=rf"my-scene: the item has no {missing}: .*Add the sun's angles"):
        read_scene(write_item(item))


@pytest.mark.parametrize(
    ("properties", "error", "message"),
    [
        ({"view:sun_elevation": -3}, GeometryError, r"sun is not above the horizon"),
        ({"view:sun_elevation": "high"}, MetadataError, r"view:sun_elevation is not a number"),
        ({"view:azimuth": True}, MetadataError, r"view:azimuth is not a number"),
        ({"view:sun_azimuth": 370.5}, GeometryError, r"the sun azimuth is no direction: .*got 370\.5"),
        ({"view:sun_azimuth": -200}, GeometryError, r"the sun azimuth is no direction"),
        ({"view:azimuth": 1e9}, GeometryError, r"the view azimuth is no direction"),
        ({"swath:aot550": "hazy"}, MetadataError, r"swath:aot550 is not a number"),
        ({"datetime": None}, MetadataError, r"the item has no time"),
        ({"datetime": "yesterday"}, MetadataError, r"datetime is not a time"),
        ({"datetime": "2023-06-01T10:20:30"}, MetadataError, r"datetime has no time zone"),
        ({"processing:level": "L2A"}, MetadataError, r"surface reflectance already.*processing:level L2A"),
        ({"s2:product_type": "S2MSI2A"}, MetadataError, r"surface reflectance already"),
        ({"landsat:correction": "L2SP"}, MetadataError, r"surface reflectance already"),
    ],
)
def test_bad_properties_are_named(write_item: WriteItem, properties: Json, error: type[SceneError], message: str) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **properties)
    with pytest.raises(error, match=message):
        read_scene(write_item(item))


def test_an_azimuth_counted_from_minus_180_is_the_same_direction(write_item: WriteItem) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **{"view:sun_azimuth": -30.0})
    assert read_scene(write_item(item)).angles.sun_azimuth_deg == 330.0


@pytest.mark.parametrize("href", ["r.tif#part=2", "https://example.com/r.tif#part=2"])
def test_an_href_with_a_fragment_is_refused_by_the_fragment(write_item: WriteItem, tmp_path: Path, href: str) -> None:
    path = write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}))
    Path(path).write_text(Path(path).read_text(encoding="utf-8").replace('"r.tif"', f'"{href}"'), encoding="utf-8")
    with pytest.raises(MetadataError, match=r"my-scene: the href of an asset names a part of a file: .*fragment #part=2 of "):
        read_scene(path)
    if "://" not in href:
        (tmp_path / "r.tif").rename(tmp_path / href)
        assert "red" in read_scene(path).assets, "a # in the very name of a file"


def test_an_item_that_says_something_twice_is_named_by_its_id(write_item: WriteItem) -> None:
    path = write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}))
    twice = Path(path).read_text(encoding="utf-8").replace('"datetime":', '"datetime": "2020-01-01T00:00:00Z", "datetime":')
    Path(path).write_text(twice, encoding="utf-8")
    with pytest.raises(MetadataError, match=r"^my-scene: the item says something twice"):
        read_scene(path)


def test_numbers_that_are_no_dn_are_refused_with_a_remedy(write_item: WriteItem) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])})
    with pytest.raises(ReadError, match=r"red is not of integers: .*got complex64.*gdal_translate -ot UInt16"):
        read_scene(write_item(item, dtype="complex64"))


def test_an_item_without_usable_bands_says_why_for_each(write_item: WriteItem) -> None:
    item = item_of({"lwir11": asset_of("t.tif", bands=[band_11("lwir11")]), "blue": asset_of("b.tif")})
    with pytest.raises(MissingBandError, match=r"blue: the item gives no raster:scale.*lwir11: an item cannot tell"):
        read_scene(write_item(item))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"metadata file is empty"),
        ("{", r"item is not JSON"),
        ("[]", r"not a JSON object"),
        ("[" * 100_000, r"item is not JSON"),
        ('{"type": "Feature", "id": "a", "stac_version": "0.9.0"}', r"not a STAC item.*'0\.9\.0'"),
        ('{"type": "Catalog", "id": "a", "stac_version": "1.0.0"}', r"not a STAC item"),
        ('{"type": "FeatureCollection", "features": 5}', r"item was not found"),
    ],
)
def test_other_documents_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "item.json"
    path.write_text(text)
    with pytest.raises(MetadataError, match=message):
        read_scene(str(path))


def test_a_truncated_raster_is_a_read_error_that_names_the_scene(write_item: WriteItem, tmp_path: Path) -> None:
    href = write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}))
    raster = tmp_path / "r.tif"
    raster.write_bytes(raster.read_bytes()[:-100])
    with pytest.raises(ReadError, match=r"my-scene: a raster is truncated"):
        read_scene(href)


def test_a_link_to_itself_is_a_read_error(write_item: WriteItem, tmp_path: Path) -> None:
    href = write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}))
    (tmp_path / "r.tif").unlink()
    (tmp_path / "r.tif").symlink_to("r.tif")
    with pytest.raises(ReadError, match=r"my-scene: .*r\.tif"):
        read_scene(href)


def test_bands_over_different_ground_are_an_error(write_item: WriteItem, tmp_path: Path, write_raster: Any) -> None:
    write_raster(tmp_path / "n.tif", crs="EPSG:32633")
    assets = {"red": asset_of("r.tif", bands=[band_11("red")]), "nir": asset_of("n.tif", bands=[band_11("nir")])}
    with pytest.raises(GeometryError, match=r"different extents"):
        read_scene(write_item(item_of(assets)))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    where=st.sampled_from(["properties", "assets", "asset", "bands", "band", "instruments", "roles", "id", "checksum"]),
    name=st.sampled_from(["raster:scale", "nodata", "gsd", "eo:common_name", "name", "type", "href"]),
    junk=JUNK,
)
def test_junk_in_an_item_is_a_scene_or_a_scene_error(write_item: WriteItem, where: str, name: str, junk: Any) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])})
    asset = item["assets"]["red"]
    href = write_item(item)
    places: dict[str, tuple[Json, str]] = {
        "properties": (item, "properties"),
        "assets": (item, "assets"),
        "asset": (asset, name),
        "bands": (asset, "bands"),
        "band": (asset["bands"][0], name),
        "instruments": (item["properties"], "instruments"),
        "roles": (asset, "roles"),
        "id": (item, "id"),
        "checksum": (asset, "file:checksum"),
    }
    owner, field = places[where]
    owner[field] = junk
    Path(href).write_text(json.dumps(item))
    try:
        scene = read_scene(href)
    except SceneError as error:
        assert str(error)  # noqa: PT017 - any scene error will do, anything else may not come
    else:
        assert scene.assets


@pytest.mark.parametrize(
    ("href", "message"),
    [
        ("red.tif\0", r"holds something that is not text: .* got 'red\.tif\\x00'"),
        ("red\n.tif", r"holds something that is not text"),
        (
            "gs://bucket/red.tif",
            r"at a place that cannot be read: expected a local path, s3:// or https://; got gs://bucket/red\.tif",
        ),
        ("abfs://c@account/red.tif", r"at a place that cannot be read: .* got abfs://"),
        ("ftp://host/red.tif", r"at a place that cannot be read: .*Copy the delivery"),
    ],
)
def test_a_href_that_leads_nowhere_is_told(write_item: WriteItem, href: str, message: str) -> None:
    item = item_of({"red": {**asset_of("red.tif", bands=[band_11("red")]), "href": href}})
    with pytest.raises(SceneError, match=message):
        read_scene(write_item(item))


@pytest.mark.parametrize("name", ["run #1", "a#b.json#c", "what?x=1", "100%", "{braces}"])
def test_a_folder_may_have_any_name(write_item: WriteItem, tmp_path: Path, name: str) -> None:
    written = Path(write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])})))
    folder = tmp_path / "in" / name
    shutil.copytree(written.parent, folder, ignore=shutil.ignore_patterns("in"))
    record = json.loads((folder / written.name).read_text(encoding="utf-8"))
    (folder / "fc.json").write_text(json.dumps({"type": "FeatureCollection", "features": [record]}), encoding="utf-8")
    found = list(discover([str(folder)]))
    assert found == [f"{folder}/fc.json#{record['id']}", f"{folder}/{written.name}"]
    assert [read_scene(href).scene_id for href in found] == [record["id"]] * 2


@pytest.mark.parametrize("name", ["eo:cloud_cover", "view:sun_elevation", "view:off_nadir"])
def test_a_whole_number_beyond_every_float_is_told(write_item: WriteItem, name: str) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **{name: 10**400})
    with pytest.raises(MetadataError, match=rf"{name} is not a number: expected a finite number; got 1000"):
        read_scene(write_item(item))
