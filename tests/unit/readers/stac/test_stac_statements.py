"""What an item says in an unusual place or spelling counts; what contradicts itself, or its file, is refused by name."""

from pathlib import Path
from typing import Any

import pytest
import rasterio
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.errors import ChecksumError, MetadataError, MissingBandError
from swath.readers.registry import read_scene
from swath.scene import Reflectance, Scene

OWN: Json = {"platform": "my-sat", "instruments": ["cam"], "s2:processing_baseline": None}
MSI: Json = {"processing:level": "L1C"}
RGB = ("blue", "green", "red")


def own_item(*, asset: Json | None = None, band: Json | None = None, key: str = "red", **properties: Any) -> Json:
    """An item of a sensor of the user's own with red, whose scale is 1e-4 and whose offset is not said."""
    fields = {"raster:offset": None, "nodata": None, **(band or {})}
    told = {k: v for k, v in band_11("red", **fields).items() if v is not None}
    return item_of({key: asset_of("r.tif", bands=[told], **(asset or {}))}, **{**OWN, **properties})


def red(scene: Scene) -> Reflectance:
    found = scene.assets["red"].calibration
    assert isinstance(found, Reflectance)
    return found


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"asset": {"processing:level": "L2A"}},
            r"no usable bands.*red: it is of another processing level: processing:level L2A",
        ),
        ({"band": {"processing:level": "L2"}}, r"of another processing level"),
        ({"asset": {"product:type": "S2MSI2A"}}, r"of another processing level: product:type S2MSI2A"),
        ({"asset": {"processing:level": "L2A"}, "processing:level": "L1"}, r"of another processing level"),
        ({"title": "SurfaceReflectance of fields"}, r"speaks of surface reflectance; got title: SurfaceReflectance"),
        ({"description": "atmospherically corrected"}, r"got description: atmospherically corrected"),
        ({"asset": {"roles": ["data", "surface-reflectance"]}}, r"got roles of asset red"),
        ({"band": {"description": "Surface reflectance"}}, r"got description of a band of red"),
        ({"key": "srB4"}, r"got asset srB4"),
        ({"processing:software": {"sen2cor v2.11": "x"}}, r"got processing:software sen2cor v2\.11"),
        ({"processing:software": ["LaSRC"]}, r"got processing:software LaSRC"),
        ({"atmospheric_correction": True}, r"got atmospheric_correction True"),
        ({"radiometricProcessing": "REFLECTANCE SURFACE"}, r"got radiometricProcessing: REFLECTANCE SURFACE"),
        ({"level": "L2A"}, r"surface reflectance already.*got level L2A"),
        ({"pl:asset_type": "ortho_analytic_4b_sr"}, r"surface reflectance already.*got pl:asset_type"),
        ({"processing:level": "Level II"}, r"surface reflectance already"),
        ({"processing:level": 2.0}, r"surface reflectance already"),
        ({"key": "red_sr", "processing:level": "L1"}, r"states Level 1, and its bands.*processing:level L1; asset red_sr"),
    ],
)
def test_surface_reflectance_is_seen_wherever_it_is_said(write_item: WriteItem, said: Json, message: str) -> None:
    with pytest.raises((MetadataError, MissingBandError), match=message):
        read_scene(write_item(own_item(**said)))


@pytest.mark.parametrize("collection", ["MySatSurfaceReflectance", "mysatl2a", "mysat-lsr", "analysis-ready-data", "mysat_l2c2"])
def test_a_collection_of_level_2_is_known_by_its_words_and_by_its_link(write_item: WriteItem, collection: str) -> None:
    with pytest.raises(MetadataError, match=rf"surface reflectance already.*got collection {collection}"):
        read_scene(write_item(own_item() | {"collection": collection}))
    link = {"rel": "collection", "href": f"https://example.com/collections/{collection}"}
    with pytest.raises(MetadataError, match=rf"surface reflectance already.*got collection {collection}"):
        read_scene(write_item(own_item() | {"links": [link]}))


@pytest.mark.parametrize(
    "said",
    [
        {"asset": {"description": "Radiance in W m-2 sr-1 um-1 divided by its maximum: reflectance"}},
        {"description": "not atmospherically corrected"},
        {"atmospheric_correction": "none"},
        {"title": "TOA reflectance, from which surface reflectance is made"},
    ],
)
def test_what_only_sounds_like_level_2_passes(write_item: WriteItem, said: Json) -> None:
    assert read_scene(write_item(own_item(**said))).level == "L1"


def test_top_of_atmosphere_bands_win_over_bands_of_surface_reflectance_beside_them(write_item: WriteItem) -> None:
    radiance = {"raster:scale": 0.01, "unit": "W m-2 sr-1 um-1", "eo:solar_illumination": 1550.0, "raster:offset": None}
    toa = {k: v for k, v in band_11("red", **radiance).items() if v is not None}
    assets = {
        "ortho_analytic_4b_sr": asset_of("sr.tif", bands=[band_11("red")]),
        "ortho_analytic_4b": asset_of("r.tif", bands=[toa]),
    }
    scene = read_scene(write_item(item_of(assets, **OWN, **{"processing:level": "L1"})))
    assert Path(scene.assets["red"].href).name == "r.tif"
    assert scene.left_out["ortho_analytic_4b_sr"] == "another file of red; ortho_analytic_4b is used"


def scaled(path: Path, *, scale: float, offset: float) -> None:
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = (scale,), (offset,)


def test_an_offset_that_only_the_file_says_is_used(write_item: WriteItem, tmp_path: Path) -> None:
    href = write_item(own_item())
    scaled(tmp_path / "r.tif", scale=1e-4, offset=-0.1)
    assert red(read_scene(href)) == Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True)


@pytest.mark.parametrize(("scale", "offset"), [(2e-4, 0.0), (1e-4, -0.1)])
def test_a_file_and_an_item_that_say_different_scales_are_refused(
    write_item: WriteItem, tmp_path: Path, scale: float, offset: float
) -> None:
    href = write_item(own_item(band={"raster:offset": 0.05}))
    scaled(tmp_path / "r.tif", scale=scale, offset=offset)
    with pytest.raises(MetadataError, match=r"item and the file contradict each other about red.*offset 0\.05 in the item"):
        read_scene(href)


def test_bands_in_another_order_than_the_file_names_them_are_refused(write_item: WriteItem, tmp_path: Path) -> None:
    bands = [band_11(name, nodata=None) for name in RGB]
    href = write_item(item_of({"all": asset_of("all.tif", bands=bands)}, **OWN), count=3)
    with rasterio.open(tmp_path / "all.tif", "r+") as target:
        target.descriptions = RGB
    assert read_scene(href).assets["red"].band_index == 3
    with rasterio.open(tmp_path / "all.tif", "r+") as target:
        target.descriptions = RGB[::-1]
    with pytest.raises(MetadataError, match=r"contradict each other about the place of blue.*red, green, blue.*place 1"):
        read_scene(href)


@pytest.mark.parametrize(("said", "nodata"), [("0", 0), ("7.0", 7), (" none ", None), ("nan", None), (-9999, None), (0.5, None)])
def test_nodata_may_be_spelled_as_text(write_item: WriteItem, said: Any, nodata: int | None) -> None:
    assert read_scene(write_item(own_item(band={"nodata": said}))).assets["red"].nodata == nodata


def test_the_files_nodata_holds_where_the_items_fits_no_pixel(write_item: WriteItem) -> None:
    assert read_scene(write_item(own_item(band={"nodata": -9999}), nodata=3)).assets["red"].nodata == 3


@pytest.mark.parametrize("said", ["black", [0], False, {"value": 0}])
def test_a_nodata_that_is_no_number_is_refused(write_item: WriteItem, said: Any) -> None:
    with pytest.raises(MetadataError, match="nodata is not a number: expected a number, nan"):
        read_scene(write_item(own_item(band={"nodata": said})))


@pytest.mark.parametrize(
    "fields",
    [
        {"band": {"add_offset": -0.1}},
        {"raster:offset": -0.1},
        {"asset": {"raster:bands": [{"offset": -0.1}]}},
        {"asset": {"raster:offset": -0.1}},
        {"band": {"raster:scale": None}, "asset": {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]}},
        {"band": {"raster:scale": None}, "raster:scale": 1e-4, "raster:offset": -0.1},
    ],
)
def test_an_offset_counts_wherever_it_is_said(write_item: WriteItem, fields: Json) -> None:
    assert (red(read_scene(write_item(own_item(**fields)))).gain, red(read_scene(write_item(own_item(**fields)))).offset) == (
        1e-4,
        -0.1,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"band": {"scale": 2e-4}},
        {"asset": {"raster:bands": [{"scale": 2e-4}]}},
        {"asset": {"eo:bands": [{"common_name": "blue"}]}},
        {"asset": {"raster:bands": [{"unit": "%"}]}, "band": {"unit": "reflectance"}},
    ],
)
def test_two_values_of_one_meaning_are_refused(write_item: WriteItem, fields: Json) -> None:
    with pytest.raises(MetadataError, match="the item contradicts itself"):
        read_scene(write_item(own_item(**fields)))


@pytest.mark.parametrize(
    ("baseline", "offset"), [("05.09", 0.1), ("05.09", -0.2), ("05.09", -0.01), ("02.06", -0.1), (None, 0.1)]
)
def test_an_offset_that_no_sentinel2_product_has_is_refused(write_item: WriteItem, baseline: str | None, offset: float) -> None:
    item = item_of({"red": asset_of("r.tif", bands=[band_11("red", **{"raster:offset": offset})])}, **MSI)
    item["properties"]["s2:processing_baseline"] = baseline
    with pytest.raises(MetadataError, match=rf"offset of red is not one of its Sentinel-2 product.*got {offset:g}, baseline"):
        read_scene(write_item(item))


@pytest.mark.parametrize(
    "said",
    [
        {"platform": "sentinel-2e"},
        {"platform": "urn:esa:S2A"},
        {"platform": "my-copy", "constellation": "sentinel-2"},
        {"platform": None, "instruments": ["msi"]},
        {"platform": None, "mission": "Sentinel-2"},
        {"platform": None, "instruments": None, "s2:mgrs_tile": "33UUP"},
        {"platform": "LC08"},
        {"platform": "LO08"},
        {"platform": None, "instruments": ["oli", "tirs"]},
    ],
)
def test_the_offset_of_a_mission_is_asked_for_however_the_mission_is_named(write_item: WriteItem, said: Json) -> None:
    with pytest.raises(MetadataError, match="the radiometric offset is missing"):
        read_scene(write_item(own_item(**MSI, **said)))


def test_the_scale_of_landsats_surface_reflectance_is_no_level_1(write_item: WriteItem) -> None:
    fields = {"raster:scale": 2.75e-5, "raster:offset": -0.2}
    with pytest.raises(MetadataError, match="red has the scale of surface reflectance"):
        read_scene(write_item(own_item(band=fields, platform="landsat-8", **MSI)))


def test_usgs_scaling_of_landsat_needs_a_word_about_the_sun(write_item: WriteItem) -> None:
    fields = {"raster:scale": 2e-5, "raster:offset": -0.1}
    told: Json = {"platform": "landsat-9", **MSI}
    with pytest.raises(MetadataError, match=r"unknown whether red is corrected for the sun's height.*swath:sun_normalised"):
        read_scene(write_item(own_item(band=fields, **told)))
    told["swath:sun_normalised"] = False
    assert not red(read_scene(write_item(own_item(band=fields, **told)))).sun_normalised


@pytest.mark.parametrize("offset", [0.0, 0.1, -0.2])
def test_usgs_scaling_of_landsat_with_another_offset_is_refused(write_item: WriteItem, offset: float) -> None:
    fields = {"raster:scale": 2e-5, "raster:offset": offset}
    with pytest.raises(MetadataError, match=rf"offset of red is not one of Landsat 8 and 9.*got {offset:g}"):
        read_scene(write_item(own_item(band=fields, platform="landsat-9", **MSI)))


def test_an_item_that_says_the_suns_height_twice_and_differently_is_refused(write_item: WriteItem) -> None:
    wrong: Json = {"view:sun_elevation": 34.5, "s2:mean_solar_zenith": 34.5}
    with pytest.raises(MetadataError, match="contradicts itself about the sun"):
        read_scene(write_item(own_item(**wrong)))
    assert read_scene(write_item(own_item(**{**wrong, "view:sun_elevation": 56.0}))).level == "L1"


@pytest.mark.parametrize("unit", ["10*W m-2 sr-1 um-1", "10000 W/m2/sr/um"])
def test_a_unit_with_a_factor_is_refused(write_item: WriteItem, unit: str) -> None:
    with pytest.raises(MetadataError, match="the unit of red is not reflectance"):
        read_scene(write_item(own_item(band={"unit": unit, "eo:solar_illumination": 1550.0})))


@pytest.mark.parametrize("field", ["title", "description"])
def test_a_radiance_is_known_by_its_words(write_item: WriteItem, field: str) -> None:
    with pytest.raises(MetadataError, match="red is a radiance of unknown unit"):
        read_scene(write_item(own_item(asset={field: "TOA radiance"})))


@pytest.mark.parametrize("checksum", ["f1220" + "0" * 64, "sha256:" + "0" * 64, "SHA-256:" + "0" * 64, "md5:" + "0" * 32])
def test_a_checksum_with_its_name_or_base_before_it_is_verified(write_item: WriteItem, checksum: str) -> None:
    with pytest.raises(ChecksumError, match="not what its checksum says"):
        read_scene(write_item(own_item(asset={"file:checksum": checksum})))
    with pytest.raises(ChecksumError, match="not what its checksum says"):
        read_scene(write_item(own_item(asset={"checksum:multihash": checksum})))
