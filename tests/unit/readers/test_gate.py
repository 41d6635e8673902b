"""What passes the gate, and what is asked for; through ``registry.read_scene`` as a run reads scenes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import pi
from pathlib import Path
from typing import Any

import pytest
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.algo.solar import earth_sun_distance_au
from swath.errors import MetadataError
from swath.readers.gate.gate import admitted
from swath.readers.gate.terms import Terms, under
from swath.readers.registry import read_scene
from swath.scene import Reflectance, Scene

OWN: Json = {"platform": "my-sat", "instruments": ["cam"], "s2:processing_baseline": None}
MSI: Json = {"processing:level": "L1C"}


def one_band(**fields: Any) -> Json:
    """An item's assets: red, with fields of its band replaced (None takes one out)."""
    band = {k: v for k, v in band_11("red", **fields).items() if v is not None}
    return {"red": asset_of("r.tif", bands=[band])}


def calibration(scene: Scene, name: str = "red") -> Reflectance:
    found = scene.assets[name].calibration
    assert isinstance(found, Reflectance)
    return found


def test_an_own_sensor_without_a_level_passes_and_the_scene_says_so(write_item: WriteItem) -> None:
    scene = read_scene(write_item(item_of(one_band(), **OWN)))
    assert scene.level == "L1"
    assert scene.properties["swath:scene_level"] == "L1 (assumed: the delivery states none)"
    stated = read_scene(write_item(item_of(one_band(), **OWN, **{"swath:level": "L1"})))
    assert (stated.level, "swath:scene_level" in stated.properties) == ("L1", False)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"title": "Surface reflectance of the fields"}, "title: Surface reflectance"),
        ({"description": "BOA, mosaicked"}, "description: BOA"),
        ({"title": "R\u00e9flectance de surface, 3 m"}, "title: R\u00e9flectance"),
        ({"description": "Bodenreflektanz, atmosph\u00e4renkorrigiert"}, "description: Bodenreflektanz"),
        ({"keywords": ["reflet\u00e2ncia da superf\u00edcie"]}, "keywords: "),
        ({"processing:lineage": "orthorectified, then to bottom-of-atmosphere"}, "processing:lineage: orthorectified"),
        ({"processing:software": {"Sen2Cor": "2.11"}}, "processing:software Sen2Cor"),
        ({"asset": {"title": "Red (surface_reflectance)"}}, r"title of asset red: Red \(surface_reflectance\)"),
        ({"asset": {"description": "SR, scaled by 10000"}}, "description of asset red: SR, scaled"),
        ({"key": "SR_B4"}, "asset SR_B4: SR_B4"),
        ({"platform": None, "instruments": None, "constellation": None}, "nothing that says what made it"),
    ],
)
def test_an_own_sensor_without_a_level_is_asked_where_level_1_would_be_a_guess(
    write_item: WriteItem, said: Json, hint: str
) -> None:
    red = one_band()["red"] | said.get("asset", {})
    told = {name: value for name, value in said.items() if name not in ("asset", "key")}
    plain = {said.get("key", "red"): red}
    with pytest.raises(MetadataError, match=rf"my-scene: the processing level is unknown: .*got .*{hint}.*--level L1"):
        read_scene(write_item(item_of(plain, **OWN | told)))
    assert read_scene(write_item(item_of(plain, **OWN | told, **{"swath:level": "L1"}))).level == "L1"
    with under(Terms(level="L1")):
        assert "--level" in str(read_scene(write_item(item_of(plain, **OWN | told))).properties["swath:scene_level"])


def test_a_run_may_refuse_every_scene_that_states_no_level(write_item: WriteItem) -> None:
    with under(Terms(level="stated")):
        with pytest.raises(
            MetadataError, match=r"level is unknown: expected .*the run's --level is stated.*Write swath:level: L1"
        ):
            read_scene(write_item(item_of(one_band(), **OWN)))
        stated = read_scene(write_item(item_of(one_band(), **OWN, **{"swath:level": "L1"})))
    assert stated.level == "L1"


@pytest.mark.parametrize(
    ("collection", "properties", "message"),
    [
        ("HLSS30_2.0", {}, r"surface reflectance already.*got collection HLSS30_2\.0"),
        ("hls2-s30", {}, r"surface reflectance already.*got collection hls2-s30"),
        ("", {"processing:level": "Level-2A"}, r"surface reflectance already.*got processing:level Level-2A"),
        ("", {"processing:level": "L2"}, r"surface reflectance already.*got processing:level L2"),
        ("", {"odc:product": "ga_s2am_ard_3"}, r"surface reflectance already.*got odc:product ga_s2am_ard_3"),
        ("sentinel-2-l2a", {}, r"surface reflectance already.*got collection sentinel-2-l2a"),
        ("", {"product:type": "S2MSI2A"}, r"surface reflectance already.*got product:type S2MSI2A"),
        ("", {"processing:level": "L0"}, r"bands are raw counts.*got processing:level L0"),
        ("", {"processing:level": "gold"}, r"level is not understood.*got processing:level gold.*Write swath:level: L1"),
        ("", {}, r"level is unknown: expected processing:level \(or swath:level\).*Write swath:level: L1"),
        ("my-scenes", {"platform": "planetscope"}, r"level is unknown"),
    ],
)
def test_level_2_and_unknown_levels_are_refused(write_item: WriteItem, collection: str, properties: Json, message: str) -> None:
    item = item_of(one_band(), **properties) | ({"collection": collection} if collection else {})
    with pytest.raises(MetadataError, match=rf"my-scene: .*{message}"):
        read_scene(write_item(item))


@pytest.mark.parametrize(
    ("collection", "properties"),
    [
        ("sentinel-2-l1c", {}),
        ("", {"processing:level": "Level-1C"}),
        ("", {"s2:product_type": "S2MSI1C"}),
        ("", {"swath:level": "L1"}),
        ("landsat-c2l1", {"platform": "LANDSAT_8", "landsat:correction": "L1TP"}),
    ],
)
def test_level_1_passes_however_it_is_spelled(write_item: WriteItem, collection: str, properties: Json) -> None:
    assert read_scene(write_item(item_of(one_band(), **properties) | {"collection": collection})).level == "L1"


@pytest.mark.parametrize("baseline", ["04.00", "05.09", "05.11", "10.00"])
def test_a_sentinel2_item_of_a_baseline_with_offset_must_say_it(write_item: WriteItem, baseline: str) -> None:
    told = {**MSI, "s2:processing_baseline": baseline}
    for offset in (None, 0.0):
        with pytest.raises(MetadataError, match=rf"radiometric offset is missing.*raster:offset.*red, baseline {baseline}"):
            read_scene(write_item(item_of(one_band(**{"raster:offset": offset}), **told)))
    assert calibration(read_scene(write_item(item_of(one_band(), **told)))).offset == -0.1


def test_where_no_baseline_is_known_a_missing_offset_is_refused_and_an_old_one_is_none(write_item: WriteItem) -> None:
    without = one_band(**{"raster:offset": None})
    with pytest.raises(MetadataError, match=r"offset is missing.*baseline unknown"):
        read_scene(write_item(item_of(without, **MSI, **{"s2:processing_baseline": None, "datetime": "2019-06-01T00:00:00Z"})))
    for told in ({"s2:processing_baseline": "02.06"}, {"s2:processing_baseline": None, "processing:version": "02.06"}):
        assert calibration(read_scene(write_item(item_of(without, **{**MSI, **told})))).offset == 0.0


@pytest.mark.parametrize("flag", ["earthsearch:boa_offset_applied", "swath:offset_applied"])
def test_an_offset_that_is_in_the_pixels_is_none_in_the_item(write_item: WriteItem, flag: str) -> None:
    told = {**MSI, flag: True}
    for offset in (None, 0.0):
        assert calibration(read_scene(write_item(item_of(one_band(**{"raster:offset": offset}), **told)))).offset == 0.0
    with pytest.raises(MetadataError, match=rf"in the pixels already, and gives one: expected raster:offset 0 beside {flag}"):
        read_scene(write_item(item_of(one_band(), **told)))


def test_landsat_oli_without_an_offset_is_refused(write_item: WriteItem) -> None:
    told = {"platform": "landsat-9", "processing:level": "L1TP", "s2:processing_baseline": None}
    with pytest.raises(MetadataError, match=r"offset is missing.*REFLECTANCE_ADD_BAND_x of the MTL"):
        read_scene(write_item(item_of(one_band(**{"raster:scale": 2e-5, "raster:offset": None}), **told)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"raster:scale": 0.0}, r"scale of red is not one of reflectance.*raster:scale above 0.*got 0 for uint16"),
        ({"raster:scale": -1e-4}, r"scale of red is not one of reflectance"),
        ({"raster:scale": 1e-9}, r"scale of red is not one of reflectance"),
        ({"raster:scale": 0.01}, r"scale of red is not one of reflectance.*got 0\.01 for uint16.*unit and eo:solar_illumination"),
        ({"raster:scale": 10000}, r"scale of red is not one of reflectance"),
        ({"raster:offset": -1000}, r"offset of red is not one of reflectance.*-0\.1, not -1000.*Write -0\.1 if"),
        ({"raster:offset": 1000}, r"offset of red is not one of reflectance"),
        ({"raster:offset": -5}, r"offset of red is not one of reflectance"),
    ],
)
def test_scales_and_offsets_that_are_none_of_reflectance_are_refused(write_item: WriteItem, fields: Json, message: str) -> None:
    with pytest.raises(MetadataError, match=rf"my-scene: the {message}"):
        read_scene(write_item(item_of(one_band(**fields), **OWN)))


def test_scales_that_sensors_have_pass(write_item: WriteItem) -> None:
    for number, (dtype, scale, offset) in enumerate(ENCODINGS):
        band = band_11("red", **{"raster:scale": scale, "raster:offset": offset})
        scene = read_scene(write_item(item_of({"red": asset_of(f"r{number}.tif", bands=[band])}, **OWN), dtype=dtype))
        assert calibration(scene) == Reflectance(gain=scale, offset=offset, sun_normalised=True)


ENCODINGS = [("uint8", 1 / 255, 0.0), ("uint16", 2e-5, -0.1), ("int16", 1e-4, 0.1), ("int16", 5e-5, 1.6384)]
RADIANCES = [
    ("W⋅sr−1⋅m−2⋅μm−1", 1.0),
    ("W/(m^2 sr um)", 1.0),
    ("W m-2 sr-1 µm-1", 1.0),
    ("W·m⁻²·sr⁻¹·nm⁻¹", 1000.0),
    ("mW cm-2 sr-1 um-1", 10.0),
    ("uW/cm2/nm/sr", 10.0),
    ("Watts/(meter squared * steradian * micrometer)", 1.0),
]


@pytest.mark.parametrize(("unit", "factor"), RADIANCES)
def test_radiance_is_converted_by_the_items_own_irradiance(write_item: WriteItem, unit: str, factor: float) -> None:
    scale = 0.01 / factor
    told = {"unit": unit, "raster:scale": scale, "raster:offset": 0.5 * scale}
    with pytest.raises(MetadataError, match=r"red is a radiance.*eo:solar_illumination"):
        read_scene(write_item(item_of(one_band(**told), **OWN)))
    scene = read_scene(write_item(item_of(one_band(**told, **{"eo:solar_illumination": 1536.0}), **OWN)))
    # Chander, Markham and Helder (2009), equation 2, without the sun's elevation.
    per_radiance = pi * earth_sun_distance_au(scene.acquired) ** 2 / 1536.0
    assert calibration(scene).gain == pytest.approx(0.01 * per_radiance, rel=1e-12)
    assert calibration(scene).offset == pytest.approx(0.005 * per_radiance, rel=1e-12)
    assert not calibration(scene).sun_normalised


def test_other_units_are_refused_and_percent_is_a_hundredth(write_item: WriteItem) -> None:
    for unit in ("W sr-1 m-2", "K", "DN", "dB"):
        with pytest.raises(MetadataError, match=r"unit of red is not reflectance.*got unit"):
            read_scene(write_item(item_of(one_band(unit=unit), **OWN)))
    percent = one_band(unit="%", **{"raster:scale": 0.01, "raster:offset": -1.0})
    found = calibration(read_scene(write_item(item_of(percent, **OWN))))
    assert found == Reflectance(gain=1e-4, offset=-0.01, sun_normalised=True)
    unsaid = {"red": {**asset_of("r.tif", bands=[band_11("red")]), "roles": ["data", "radiance"]}}
    with pytest.raises(MetadataError, match=r"red is a radiance of unknown unit"):
        read_scene(write_item(item_of(unsaid, **OWN)))


def test_one_entry_describes_one_band_of_the_file(write_item: WriteItem) -> None:
    raster = [{"scale": 0.1, "offset": 1.0, "nodata": 0}, {"scale": 1e-4, "offset": 0.0, "nodata": 0}]
    two = {"red": asset_of("r.tif", **{"eo:bands": [{"name": "red", "common_name": "red"}], "raster:bands": raster})}
    with pytest.raises(MetadataError, match=r"describes other bands than the file of red has.*each of its 1 bands; got 2"):
        read_scene(write_item(item_of(two, **OWN)))
    with pytest.raises(MetadataError, match=r"each of its 3 bands; got 1"):
        read_scene(write_item(item_of({"red": asset_of("many.tif", bands=[band_11("red")])}, **OWN), count=3))


def test_scenes_of_other_readers_pass_the_same_gate(write_landsat: Any, tmp_path: Path) -> None:
    scene = read_scene(str(write_landsat(tmp_path / "landsat")))
    assert scene.level == "L1TP"
    red = scene.assets["red"]
    broken = replace(red, calibration=Reflectance(gain=2e-5, offset=-5000.0, sun_normalised=False))
    with pytest.raises(MetadataError, match=r"LC09_L1TP.*offset of red is not one of reflectance"):
        admitted(replace(scene, assets={"red": broken}))
    with pytest.raises(MetadataError, match=r"surface reflectance already.*got level L2SP"):
        admitted(replace(scene, level="L2SP"))
    with pytest.raises(MetadataError, match=r"level is unknown"):
        admitted(replace(scene, level="", scene_id="mine", properties={}))


@pytest.mark.parametrize(
    ("item_id", "collection", "constellation"),
    [
        ("x", "", "sentinel-2"),
        ("x", "", "Sentinel 2"),
        ("x", "sentinel-2-l1c", None),
        ("S2B_MSIL1C_20230601T100559_N0509_R022_T33UUP_20230601T121212", "", None),
        ("S2B_33UUP_20230601_0_L1C", "", None),
    ],
)
def test_an_item_that_forgot_its_platform_still_needs_its_missions_offset(
    write_item: WriteItem, item_id: str, collection: str, constellation: str | None
) -> None:
    told = {"platform": None, "instruments": None, "constellation": constellation, "processing:level": "L1C"}
    item = item_of(one_band(**{"raster:offset": None}), **{k: v for k, v in told.items() if v or k != "constellation"})
    with pytest.raises(MetadataError, match="the radiometric offset is missing"):
        read_scene(write_item(item | {"id": item_id, "collection": collection}))
    own = item_of(one_band(**{"raster:offset": None}), **{**OWN, "processing:level": "L1C"})
    assert read_scene(write_item(own | {"id": item_id, "collection": collection})).family == "my-sat"


@pytest.mark.parametrize("name", ["s2:processing_level", "eo:product_level", "sentinel:processing_level", "proc:level"])
def test_a_level_counts_under_whichever_name_a_provider_has_for_it(write_item: WriteItem, name: str) -> None:
    with pytest.raises(MetadataError, match=rf"surface reflectance already.*got {name} L2A"):
        read_scene(write_item(item_of(one_band(), **OWN, **{name: "L2A"})))
    assert read_scene(write_item(item_of(one_band(), **OWN, **{name: "of my own"}))).level == "L1"


@pytest.mark.parametrize("platform", ["COPERNICUS SENTINEL-2B", "Sentinel-2B MSI", "ESA/sentinel2b", "S2B", "sentinel_2_b"])
def test_a_platform_is_known_however_it_is_spelled(write_item: WriteItem, platform: str) -> None:
    told = {"platform": platform, "processing:level": "L1C", "s2:processing_baseline": "05.09"}
    with pytest.raises(MetadataError, match=r"the radiometric offset is missing.*baseline 05\.09"):
        read_scene(write_item(item_of(one_band(**{"raster:offset": None}), **told)))
    assert read_scene(write_item(item_of(one_band(**{"raster:offset": -0.1}), **told))).platform == "sentinel-2b"


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ({"datetime": "9999-12-31T23:59:59Z"}, r"got 9999-12-31T23:59:59\+00:00; this machine's clock says 20"),
        ({"datetime": "0023-06-01T10:00:00Z"}, r"expected a time since 1957, .* got 0023-06-01T10:00:00\+00:00\. Correct"),
        ({"datetime": "1900-01-01T00:00:00Z"}, "got 1900-01-01"),
        ({"datetime": "1956-12-31T23:59:59-00:00"}, "got 1956-12-31"),
        ({"datetime": None, "start_datetime": "2023-06-01T00:00:00Z", "end_datetime": "9999-12-31T00:00:00Z"}, "got 6011-"),
        ({"datetime": (datetime.now(UTC) + timedelta(days=2)).isoformat()}, "not later than tomorrow"),
    ],
)
def test_a_time_at_which_no_scene_can_have_been_made_is_refused(write_item: WriteItem, time: Json, told: str) -> None:
    with pytest.raises(MetadataError, match=f"my-scene: no scene can be of that time: .*{told}"):
        read_scene(write_item(item_of(one_band(), **OWN, **time)))


def test_a_time_of_the_first_satellites_or_of_a_clock_that_is_ahead_passes(write_item: WriteItem) -> None:
    for time in ("1957-10-04T19:28:34Z", (datetime.now(UTC) + timedelta(hours=23)).isoformat()):
        assert read_scene(write_item(item_of(one_band(), **OWN, datetime=time))).acquired.isoformat()
