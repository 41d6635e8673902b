import copy
import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.errors import MetadataError
from swath.readers.stac.platform import platform_of
from swath.readers.stac.scene import read_scene
from swath.report.product_summary import control_of
from swath.scene import Quality, Reflectance, Scene
from swath.sensors import Provider


def asset_10(href: str, *, common: str, eo: Json | None = None, raster: Json | None = None) -> Json:
    """STAC 1.0: two lists side by side."""
    return asset_of(
        href,
        **{
            "eo:bands": [{"name": "B99", "common_name": common, **(eo or {})}],
            "raster:bands": [{"data_type": "uint16", "scale": 1e-4, "offset": -0.1, "nodata": 0, **(raster or {})}],
        },
    )


def test_versions_1_0_and_1_1_give_the_same_bands(write_item: WriteItem) -> None:
    new = read_scene(write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])})))
    old_item = item_of({"red": asset_10("r.tif", common="red")})
    old_item["stac_version"] = "1.0.0"
    old = read_scene(write_item(old_item))
    assert new.assets == old.assets
    assert new.assets["red"].calibration == Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True)
    assert new.assets["red"].nodata == 0


def test_fields_of_the_asset_hold_for_its_bands(write_item: WriteItem) -> None:
    told = {"raster:scale": 2e-5, "raster:offset": 0.25, "nodata": 9, "bands": [{"eo:common_name": "red"}]}
    asset = read_scene(write_item(item_of({"x": asset_of("r.tif", **told)}))).assets["red"]
    assert asset.calibration == Reflectance(gain=2e-5, offset=0.25, sun_normalised=True)
    assert asset.nodata == 9


def test_a_known_platform_gets_what_its_native_reader_gives(write_item: WriteItem) -> None:
    scene = read_scene(write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])})))
    assert (scene.scene_id, scene.platform, scene.instrument, scene.family) == (
        "my-scene",
        "sentinel-2a",
        "msi",
        "sentinel-2-msi",
    )
    assert scene.assets["red"].band.native_id == "B04"
    assert (scene.assets["red"].band.centre_um, scene.assets["red"].saturated) == (0.6646, 65535)
    assert scene.acquired == datetime(2023, 6, 1, 10, 20, 30, tzinfo=UTC)
    angles = scene.angles
    assert (angles.sun_elevation_deg, angles.sun_azimuth_deg) == (55.5, 143.25)
    assert (angles.view_zenith_deg, angles.view_azimuth_deg) == (4.5, 287.0)
    assert (scene.baseline, scene.cloud_cover_percent) == ("05.09", 7.5)
    assert scene.properties == {"grid:code": "MGRS-32TQM", "s2:processing_baseline": "05.09"}
    assert Scene.from_json(scene.to_json()) == scene


@pytest.mark.parametrize(
    ("said", "platform", "family"),
    [
        ("Sentinel-2B", "sentinel-2b", "sentinel-2-msi"),
        ("S2C", "sentinel-2c", "sentinel-2-msi"),
        ("LANDSAT_8", "landsat-8", "landsat-oli"),
        ("landsat-9", "landsat-9", "landsat-oli"),
        ("Landsat 7", "landsat-7", "landsat-etm"),
        ("landsat-5", "landsat-5", "landsat-tm"),
        ("My Drone (v2)", "my-drone-v2", "my-drone-v2"),
        ("", "unknown", "unknown"),
    ],
)
def test_platforms_are_known_in_any_spelling(said: str, platform: str, family: str) -> None:
    found = platform_of(said, instruments=())
    assert (found.name, found.family) == (platform, family)


def test_the_mss_of_landsat_5_is_no_tm() -> None:
    assert platform_of("landsat-5", instruments=("mss",)).family == "landsat-5"


def test_an_unknown_platform_keeps_what_the_item_says(write_item: WriteItem) -> None:
    told = band_11("red", name="channel 3", gsd=5, **{"eo:center_wavelength": 0.67, "eo:full_width_half_max": 0.05})
    scene = read_scene(write_item(item_of({"x": asset_of("r.tif", bands=[told])}, platform="dove", instruments=["cam"])))
    band = scene.assets["red"].band
    assert (scene.family, scene.instrument, scene.assets["red"].saturated) == ("dove", "cam", None)
    assert (band.native_id, band.resolution_m, band.centre_um, band.fwhm_um) == ("channel 3", 5.0, 0.67, 0.05)


def test_terms_are_read_of_a_users_own_sensor_alone(write_item: WriteItem) -> None:
    providers = [
        {"name": "Acme", "roles": ["producer", "king"], "url": "https://user:key@acme.example/a?sig=1"},
        {"name": 5},
        "Acme",
        {"name": "B", "url": "file:///etc/passwd"},
    ]
    assets = {"red": asset_of("r.tif", **{"raster:scale": 0.0001})}
    said: Json = {"license": "CC-BY-4.0", "providers": providers, "s2:processing_baseline": None}
    own = read_scene(write_item(item_of(assets, platform="landsat-like", **said)))
    assert own.license == "CC-BY-4.0"
    assert own.providers == (Provider(name="Acme", roles=("producer",), url="https://acme.example/a"), Provider(name="B"))
    known = read_scene(write_item(item_of(assets, platform="landsat-7", **said)))
    assert (known.license, known.providers) == ("", ())
    odd = read_scene(write_item(item_of(assets, platform="dove", license="see the site")))
    assert odd.license == ""


def test_without_any_ground_sampling_the_rasters_own_is_taken(write_item: WriteItem) -> None:
    item = item_of(
        {"red": asset_of("r.tif", **{"raster:scale": 0.5})}, platform="dove", gsd=None, **{"s2:processing_baseline": None}
    )
    assert read_scene(write_item(item)).assets["red"].band.resolution_m == 30.0


@pytest.mark.parametrize(
    ("key", "eo", "platform", "name"),
    [
        ("rededge1", {"name": "B05"}, "sentinel-2a", "rededge071"),
        ("B06", {"name": "B06"}, "sentinel-2b", "rededge075"),
        ("edge", {"name": "B07"}, "sentinel-2c", "rededge078"),
        ("edge", {"center_wavelength": 0.705}, "dove", "rededge071"),
        ("edge", {"center_wavelength": 0.783}, "sentinel-2a", "rededge078"),
        ("edge", {}, "dove", "rededge"),
    ],
)
def test_old_red_edges_get_their_new_names(write_item: WriteItem, key: str, eo: Json, platform: str, name: str) -> None:
    item = item_of({key: asset_10("r.tif", common="rededge", eo=eo)}, platform=platform)
    assert list(read_scene(write_item(item)).assets) == [name]


def test_native_names_do_where_common_names_are_missing(write_item: WriteItem) -> None:
    assets = {
        "B8A": asset_of("a.tif", **{"raster:bands": [{"scale": 1e-4, "offset": -0.1}]}),
        "image": asset_of("b.tif", **{"eo:bands": [{"name": "B11"}], "raster:bands": [{"scale": 1e-4, "offset": -0.1}]}),
    }
    assert set(read_scene(write_item(item_of(assets))).assets) == {"nir08", "swir16"}


def test_one_file_may_hold_several_bands(write_item: WriteItem) -> None:
    bands = [band_11("blue"), {"name": "quality"}, band_11("red")]
    scene = read_scene(write_item(item_of({"stack": asset_of("s.tif", bands=bands)}), count=3))
    assert {n: a.band_index for n, a in scene.assets.items()} == {"blue": 1, "red": 3}


def test_other_assets_are_passed_over_with_a_reason(write_item: WriteItem) -> None:
    assets = {
        "red": asset_of("r.tif", bands=[band_11("red")]),
        "red_jp2": {**asset_of("r.jp2", bands=[band_11("red")]), "type": "image/jp2"},
        "thumbnail": {"href": "t.png", "type": "image/png", "roles": ["thumbnail"]},
        "visual": {**asset_of("v.tif", bands=[band_11("red")]), "roles": ["visual"]},
        "info": {"href": "info.json", "type": "application/json"},
        "lwir11": asset_of("t.tif", bands=[band_11("lwir11")]),
        "blue": asset_of("b.tif", bands=[{"eo:common_name": "blue"}]),
        "mystery": asset_of("m.tif"),
        "empty": {"type": "image/tiff"},
    }
    scene = read_scene(write_item(item_of(assets)))
    assert list(scene.assets) == ["red"]
    assert {name: reason.split()[0] for name, reason in scene.left_out.items()} == {
        "red_jp2": "another",
        "thumbnail": "its",
        "visual": "its",
        "info": "it",
        "lwir11": "an",
        "blue": "the",
        "mystery": "names",
        "empty": "it",
    }
    assert "raster:scale" in scene.left_out["blue"]


def test_quality_bands_of_landsat_keep_their_scheme(write_item: WriteItem) -> None:
    assets = {"red": asset_of("r.tif", bands=[band_11("red")]), "qa_pixel": asset_of("q.tif")}
    scene = read_scene(write_item(item_of(assets, platform="landsat-8", instruments=["oli"])))
    assert scene.assets["qa_pixel"].calibration == Quality(scheme="landsat-c2-qa-pixel")
    assert scene.assets["qa_pixel"].nodata is None
    assert scene.assets["red"].band.native_id == "B4"


@pytest.mark.parametrize(("collection", "scheme"), [("01", "landsat-c1-bqa"), (None, None), ("02", None)])
def test_a_bqa_needs_its_collection_number(write_item: WriteItem, collection: str | None, scheme: str | None) -> None:
    assets = {"red": asset_of("r.tif", bands=[band_11("red")]), "bqa": asset_of("q.tif")}
    told = {"platform": "landsat-8", "instruments": ["oli"], "landsat:collection_number": collection}
    scene = read_scene(write_item(item_of(assets, **told)))
    found = scene.assets.get("bqa")
    assert (found and found.calibration) == (scheme and Quality(scheme=scheme))  # type: ignore[arg-type]
    assert (scheme is None) == ("layout of its bits is unknown" in scene.left_out.get("bqa", ""))


def test_the_item_may_say_that_the_sun_is_not_corrected_for(write_item: WriteItem) -> None:
    assets = {"red": asset_of("r.tif", bands=[band_11("red")]), "nir": asset_of("n.tif", bands=[band_11("nir")])}
    assets["nir"]["swath:sun_normalised"] = True
    scene = read_scene(write_item(item_of(assets, **{"swath:sun_normalised": False})))
    assert {n: a.calibration.sun_normalised for n, a in scene.assets.items() if isinstance(a.calibration, Reflectance)} == {
        "red": False,
        "nir": True,
    }


def test_the_atmosphere_comes_with_the_item(write_item: WriteItem) -> None:
    told = {"swath:aot550": 0.14, "swath:ozone_atm_cm": 0.33, "swath:water_vapour_g_cm2": 0.3, "swath:pressure_hpa": 1013}
    scene = read_scene(write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **told)))
    assert scene.atmosphere == {k.removeprefix("swath:"): v for k, v in told.items()}


def test_the_incidence_angle_goes_before_the_angle_at_the_satellite(write_item: WriteItem) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **{"view:incidence_angle": 5.25})
    assert read_scene(write_item(item)).angles.view_zenith_deg == 5.25


def test_without_view_angles_the_view_is_from_above(write_item: WriteItem) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **{"view:off_nadir": None, "view:azimuth": None})
    angles = read_scene(write_item(item)).angles
    assert (angles.view_zenith_deg, angles.view_azimuth_deg) == (0.0, 0.0)


def test_a_period_is_dated_by_its_middle(write_item: WriteItem) -> None:
    period = {"datetime": None, "start_datetime": "2023-06-01T10:00:00Z", "end_datetime": "2023-06-01T12:00:00+01:00"}
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **period)
    assert read_scene(write_item(item)).acquired == datetime(2023, 6, 1, 10, 30, tzinfo=UTC)


def test_a_period_that_ends_before_it_begins_is_refused(write_item: WriteItem) -> None:
    period = {"datetime": None, "start_datetime": "2023-06-01T12:00:00Z", "end_datetime": "2023-06-01T10:00:00Z"}
    with pytest.raises(MetadataError, match=r"ends before it begins: .* got 2023-06-01T12:00:00Z to 2023-06-01T10:00:00Z"):
        read_scene(write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **period)))


@pytest.mark.parametrize("name", [["my-scene"], {"id": 1}, True, 1.5])
def test_an_id_that_is_no_text_is_refused(write_item: WriteItem, name: Any) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])}) | {"id": name}
    with pytest.raises(MetadataError, match=r"not a STAC item: expected a Feature with an id of text .* got type 'Feature', id "):
        read_scene(write_item(item))


def test_nodata_comes_from_the_file_where_the_item_is_silent(write_item: WriteItem) -> None:
    item = item_of({"red": asset_of("r.tif", **{"raster:scale": 1e-4, "raster:offset": -0.1})})
    assert read_scene(write_item(item, nodata=42)).assets["red"].nodata == 42


@pytest.mark.parametrize("nodata", ["nan", -9999, 0.5])
def test_a_nodata_that_no_pixel_can_have_is_none(write_item: WriteItem, nodata: Any) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red", nodata=nodata)])})
    assert read_scene(write_item(item)).assets["red"].nodata is None


def test_assets_lie_relative_to_the_item(write_item: WriteItem, tmp_path: Path) -> None:
    scene = read_scene(write_item(item_of({"red": asset_of("./pixels/r.tif", bands=[band_11("red")])})))
    assert scene.assets["red"].href == str(tmp_path / "pixels" / "r.tif")


def test_the_digest_is_that_of_the_file_with_and_without_a_checksum(write_item: WriteItem, tmp_path: Path) -> None:
    assets = {"red": asset_of("r.tif", bands=[band_11("red")])}
    scene = read_scene(write_item(item_of(assets)))
    digest = sha256((tmp_path / "r.tif").read_bytes()).hexdigest()
    assert scene.assets["red"].digest == digest
    assets["red"]["file:checksum"] = f"1220{digest}"
    assert read_scene(write_item(item_of(assets))).assets["red"].digest == digest


def test_where_it_is_served_does_not_change_an_item(write_item: WriteItem) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])})
    elsewhere, changed = copy.deepcopy(item), copy.deepcopy(item)
    elsewhere["links"] = []
    changed["properties"]["view:azimuth"] = 1.0
    digest = read_scene(write_item(item)).digest
    assert read_scene(write_item(elsewhere)).digest == digest
    assert read_scene(write_item(changed)).digest != digest


def test_an_item_of_a_collection_is_read_by_its_id(write_item: WriteItem, tmp_path: Path) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red")])})
    alone = read_scene(write_item(item))
    other = {**copy.deepcopy(item), "id": "other"}
    collection = tmp_path / "items.json"
    collection.write_text(json.dumps({"type": "FeatureCollection", "features": [other, item]}))
    scene = read_scene(f"{collection}#my-scene")
    assert (scene.scene_id, scene.digest, scene.assets) == ("my-scene", alone.digest, alone.assets)
    with pytest.raises(MetadataError, match=r"item was not found: expected one item 'third'; got 0"):
        read_scene(f"{collection}#third")
    with pytest.raises(MetadataError, match=r"it is not clear which item is meant.*got 2"):
        read_scene(str(collection))


def test_the_item_of_rasters_with_control_points_tells_what_they_are_off(write_item: WriteItem, tmp_path: Path) -> None:
    item = write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}))
    points = [
        GroundControlPoint(row=r, col=c, x=500000 + 30 * c + 3 * r + (6 if r == c == 0 else 0), y=4e6 - 30 * r + 3 * c)
        for r in (0, 10, 20)
        for c in (0, 10, 20)
    ]
    shape: dict[str, Any] = {"width": 20, "height": 20, "count": 1, "dtype": "uint16"}
    with rasterio.open(tmp_path / "r.tif", "w", driver="GTiff", gcps=points, crs=CRS.from_epsg(32633), **shape) as target:
        target.write(np.full((1, 20, 20), 3000, dtype=np.uint16))
    scene = Scene.from_json(read_scene(item).to_json())
    assert (scene.reference.crs, scene.reference.upright) == ("EPSG:32633", False)
    told = control_of(scene.properties)
    assert told == "9 points, affine map: residuals 0.05 px; none left out"
