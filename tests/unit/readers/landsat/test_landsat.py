import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.algo.solar import ESUN
from swath.grid import Window
from swath.readers.landsat.scene import read_scene
from swath.readers.pixels.bands import BandReader
from swath.scene import Quality, Reflectance, Scene, Thermal

WriteLandsat = Callable[..., Path]
OLI = ["coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "pan", "cirrus", "lwir11", "lwir12"]


@pytest.fixture
def folder(write_landsat: WriteLandsat, tmp_path: Path) -> Path:
    return write_landsat(tmp_path / "scene")


def test_a_collection_2_folder_is_a_scene(folder: Path) -> None:
    scene = read_scene(str(folder))
    assert scene.scene_id == "LC09_L1TP_033033_20230716_20230716_02_T1"
    assert (scene.platform, scene.instrument, scene.family, scene.reader) == ("landsat-9", "oli", "landsat-oli", "landsat")
    assert list(scene.assets) == [*OLI, "qa_pixel", "qa_radsat"]
    assert dict(scene.left_out) == {}
    assert scene.assets["red"].calibration == Reflectance(gain=2e-5, offset=-0.1, sun_normalised=False)
    assert scene.assets["lwir11"].calibration == Thermal(gain=0.0125, offset=-62.5, k1=799.0284, k2_k=1329.2405)
    assert scene.assets["qa_pixel"].calibration == Quality(scheme="landsat-c2-qa-pixel")
    assert (scene.assets["red"].nodata, scene.assets["red"].saturated) == (0, 65535)
    assert (scene.assets["qa_pixel"].nodata, scene.assets["qa_pixel"].saturated) == (None, None)
    assert (scene.angles.sun_elevation_deg, scene.angles.sun_azimuth_deg) == (64.25, 123.5)
    assert (scene.cloud_cover_percent, scene.baseline) == (12.34, "LPGS_16.3.0")
    assert dict(scene.properties) == {
        "landsat:wrs_type": "2",
        "landsat:wrs_path": "033",
        "landsat:wrs_row": "033",
        "landsat:collection_number": "02",
        "landsat:collection_category": "T1",
        "landsat:scene_id": "LC90330332023197LGN00",
        "landsat:correction": "L1TP",
    }


def test_grids_are_the_rasters_own(folder: Path) -> None:
    scene = read_scene(str(folder))
    for asset in scene.assets.values():
        with rasterio.open(asset.href) as source:
            assert asset.grid.transform == tuple(source.transform)[:6]
            assert (asset.grid.height, asset.grid.width) == source.shape
    assert scene.reference == scene.assets["red"].grid


def test_a_scene_survives_json(folder: Path) -> None:
    scene = read_scene(str(folder))
    assert Scene.from_json(scene.to_json()) == scene


def test_the_digest_is_of_contents_not_of_places(folder: Path, tmp_path: Path) -> None:
    elsewhere = folder.rename(tmp_path / "elsewhere")
    before = read_scene(str(elsewhere)).digest
    again = elsewhere.rename(folder)
    assert read_scene(str(again)).digest == before
    target = next(folder.glob("*_B4.TIF"))
    with rasterio.open(target, "r+") as raster:
        raster.write(np.full((48, 64), 3, np.uint16), 1)
    assert read_scene(str(folder)).digest != before


def test_folder_mtl_tar_and_compressed_tar_are_the_same_delivery(folder: Path, tmp_path: Path) -> None:
    expected = read_scene(str(folder))
    for name, mode in (("a.tar", "w"), ("b.tar.gz", "w:gz")):
        with tarfile.open(tmp_path / name, mode) as tar:  # type: ignore[call-overload]  # the mode is a literal union
            tar.add(folder, ".")
    given = [str(next(folder.glob("*_MTL.txt"))), str(tmp_path / "a.tar"), str(tmp_path / "b.tar.gz")]
    for href in given:
        scene = read_scene(href)
        assert scene.digest == expected.digest
        assert {n: a.grid for n, a in scene.assets.items()} == {n: a.grid for n, a in expected.assets.items()}
    assert not list(tmp_path.glob("*.properties"))


def test_renamed_files_are_matched_by_band(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, stem="my crop")
    for path in folder.glob("my crop_B10.TIF"):
        path.rename(folder / "my cropB10.tif")
    for path in folder.glob("my crop_QA_PIXEL.TIF"):
        path.rename(folder / "my crop_qa_pixel.tif")
    scene = read_scene(str(folder))
    assert list(scene.assets) == [*OLI, "qa_pixel", "qa_radsat"]
    assert scene.assets["lwir11"].href.endswith("my cropB10.tif")
    assert scene.assets["coastal"].href.endswith("my crop_B1.TIF")


def test_a_computed_raster_beside_a_renamed_delivery_is_not_taken_for_a_band(
    write_landsat: WriteLandsat, write_raster: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_landsat(tmp_path, stem="crop")
    write_raster(folder / "reflectance_B1.TIF")
    assert read_scene(str(folder)).assets["coastal"].href.endswith("/crop_B1.TIF")


def test_missing_bands_are_told(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    scene = read_scene(str(write_landsat(tmp_path, without={"B8", "B3", "QA_PIXEL"})))
    assert set(scene.left_out) == {"pan", "green", "qa_pixel"}
    assert scene.left_out["green"] == ("not in the delivery (the metadata names LC09_L1TP_033033_20230716_20230716_02_T1_B3.TIF)")


def test_a_band_without_coefficients_is_told(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    edits = dict.fromkeys(("K1_CONSTANT_BAND_10", "REFLECTANCE_MULT_BAND_4"))
    scene = read_scene(str(write_landsat(tmp_path, edits=edits)))
    assert dict(scene.left_out) == dict.fromkeys(("red", "lwir11"), "the metadata has no calibration for it")


def test_thematic_mapper_metadata_without_reflectance_goes_through_esun(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    edits: dict[str, str | None] = {f"REFLECTANCE_{k}_BAND_{b}": None for k in ("MULT", "ADD") for b in range(1, 10)}
    edits |= {"SPACECRAFT_ID": '"LANDSAT_5"', "SENSOR_ID": '"TM"', "EARTH_SUN_DISTANCE": "1.0100000"}
    scene = read_scene(str(write_landsat(tmp_path, edits=edits, without={"B8", "B9", "B10", "B11"})))
    assert list(scene.assets) == ["blue", "green", "red", "nir08", "swir16", "lwir11", "swir22", "qa_pixel", "qa_radsat"]
    red = scene.assets["red"].calibration
    assert isinstance(red, Reflectance)
    factor = np.pi * 1.01**2 / ESUN["landsat-5"]["B3"]
    assert (red.gain, red.offset) == pytest.approx((0.0125 * factor, -62.5 * factor), rel=1e-12)
    thermal = scene.assets["lwir11"].calibration
    # Chander, Markham and Helder (2009), table 7
    assert isinstance(thermal, Thermal)
    assert (thermal.k1, thermal.k2_k) == (607.76, 1260.56)


def test_both_gains_of_the_etm_thermal_band_are_kept(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, edits={"SPACECRAFT_ID": '"LANDSAT_7"', "SENSOR_ID": '"ETM"'}, without={"B6"})
    mtl = next(folder.glob("*_MTL.txt"))
    text = mtl.read_text()
    for old, new in (
        ("BAND_10", "BAND_6_VCID_1"),
        ("BAND_11", "BAND_6_VCID_2"),
        ("B10.TIF", "B6_VCID_1.TIF"),
        ("B11.TIF", "B6_VCID_2.TIF"),
    ):
        text = text.replace(old, new)
    mtl.write_text(text)
    for old, new in (("B10", "B6_VCID_1"), ("B11", "B6_VCID_2")):
        path = next(folder.glob(f"*_{old}.TIF"))
        path.rename(path.with_name(path.name.replace(old, new)))
    scene = read_scene(str(folder))
    assert scene.assets["lwir11"].band.native_id == "B6_VCID_1"
    assert scene.assets["lwir11_high"].band.native_id == "B6_VCID_2"
    assert scene.family == "landsat-etm"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"dtype": "int16", "nodata": -32768}, (-32768, None)),
        ({"dtype": "uint16", "nodata": 255}, (0, 65535)),
        ({"dtype": "uint16"}, (0, 65535)),
        ({"dtype": "uint16", "nodata": 9999}, (0, 65535)),
        ({"dtype": "uint16", "nodata": 65535}, (0, None)),
        ({"dtype": "float64", "nodata": 65535}, (0, None)),
    ],
)
def test_only_a_negative_nodata_of_a_crop_replaces_fill(
    write_landsat: WriteLandsat, tmp_path: Path, profile: dict[str, Any], expected: tuple[int, int | None]
) -> None:
    red = read_scene(str(write_landsat(tmp_path, rasters={"B4": profile}))).assets["red"]
    assert (red.nodata, red.saturated) == expected


@pytest.mark.parametrize(
    ("profile", "lost"),
    [
        ({"dtype": "uint16", "nodata": 65535}, {0, 65535}),
        ({"dtype": "float64", "nodata": 65535}, {0, 65535}),
        ({"dtype": "uint16", "nodata": 9999}, {0, 9999}),
        ({"dtype": "int16", "nodata": 32767}, {0, 32767}),
        ({"dtype": "uint16", "nodata": 255}, {0}),
        ({"dtype": "uint16"}, {0}),
    ],
)
def test_the_nodata_of_a_crops_own_header_joins_fill(
    write_landsat: WriteLandsat, tmp_path: Path, profile: dict[str, Any], lost: set[int]
) -> None:
    folder = write_landsat(tmp_path, rasters={"B4": profile})
    row = np.array([0, 255, 9999, 32767, 7000, *([] if profile["dtype"] == "int16" else [65535])])
    with rasterio.open(next(folder.glob("*_B4.TIF")), "r+") as band:
        band.write(row[None].astype(profile["dtype"]), 1, window=((0, 1), (0, row.size)))
    scene = read_scene(str(folder))
    with BandReader() as reader:
        layer = reader.read(scene, "red", Window(0, 0, 1, row.size))
    assert layer.valid is not None
    assert set(row[~layer.valid[0]]) == lost
    np.testing.assert_array_equal(layer.values[0][layer.valid[0]], row[layer.valid[0]])


def test_bits_that_a_crop_fills_with_its_nodata_are_fill(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, rasters={"QA_PIXEL": {"dtype": "uint16", "nodata": 65535}})
    with rasterio.open(next(folder.glob("*_QA_PIXEL.TIF")), "r+") as band:
        band.write(np.array([[65535, 21824]], dtype=np.uint16), 1, window=((0, 1), (0, 2)))
    scene = read_scene(str(folder))
    name = next(n for n, a in scene.assets.items() if a.band.native_id == "QA_PIXEL")
    with BandReader() as reader:
        assert reader.read(scene, name, Window(0, 0, 1, 2)).values.tolist() == [[1, 21824]]


@pytest.mark.parametrize(
    ("edits", "scheme"),
    [
        ({"COLLECTION_NUMBER": None}, "landsat-pre-bqa"),
        ({"COLLECTION_NUMBER": "01"}, "landsat-c1-bqa"),
        ({"COLLECTION_NUMBER": "1"}, "landsat-c1-bqa"),
        ({"COLLECTION_NUMBER": "01", "SPACECRAFT_ID": '"LANDSAT_7"', "SENSOR_ID": '"ETM"'}, "landsat-c1-bqa"),
        ({"COLLECTION_NUMBER": "02"}, None),
        ({"COLLECTION_NUMBER": "03"}, None),
        ({"COLLECTION_NUMBER": None, "SPACECRAFT_ID": '"LANDSAT_5"', "SENSOR_ID": '"TM"'}, None),
    ],
)
def test_the_bits_of_a_bqa_are_those_of_its_collection_and_sensor(
    write_landsat: WriteLandsat,
    write_raster: Callable[..., Path],
    tmp_path: Path,
    edits: dict[str, str | None],
    scheme: str | None,
) -> None:
    edits = {"FILE_NAME_QUALITY_L1_RADIOMETRIC_SATURATION": None, "FILE_NAME_QUALITY_L1_PIXEL": '"scene_BQA.TIF"', **edits}
    folder = write_landsat(tmp_path, edits=edits, without={"QA_PIXEL", "QA_RADSAT"})
    mtl = next(folder.glob("*_MTL.txt"))
    mtl.write_text(mtl.read_text().replace("FILE_NAME_QUALITY_L1_PIXEL", "FILE_NAME_BAND_QUALITY"))
    write_raster(folder / "scene_BQA.TIF")
    scene = read_scene(str(folder))
    if scheme is None:
        assert "bqa" not in scene.assets
        assert scene.left_out["bqa"].startswith("the layout of its bits is unknown (collection ")
    else:
        assert scene.assets["bqa"].calibration == Quality(scheme=scheme)  # type: ignore[arg-type]


def test_quality_bands_of_an_unknown_collection_judge_nothing(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    scene = read_scene(str(write_landsat(tmp_path, edits={"COLLECTION_NUMBER": "03"})))
    assert {n: scene.left_out[n] for n in ("qa_pixel", "qa_radsat")} == dict.fromkeys(
        ("qa_pixel", "qa_radsat"), "the layout of its bits is unknown (collection 03, OLI_TIRS): it judges no pixel"
    )
