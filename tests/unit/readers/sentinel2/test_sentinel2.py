import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.readers import registry
from swath.readers.angles import angle_field
from swath.readers.pixels.bands import BandReader
from swath.readers.sentinel2.scene import read_scene
from swath.scene import Reflectance, Scene

COMMON_NAMES = ["coastal", "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "nir09"]
COMMON_NAMES += ["cirrus", "swir16", "swir22"]
WriteSafe = Callable[..., Path]


def images_of(safe: Path) -> Path:
    return next(safe.glob("GRANULE/*/IMG_DATA"))


def test_a_safe_folder_becomes_a_scene_of_thirteen_bands(write_safe: WriteSafe) -> None:
    safe = write_safe()
    scene = read_scene(str(safe))
    assert list(scene.assets) == COMMON_NAMES
    assert [a.band.native_id for a in scene.assets.values()][7:10] == ["B08", "B8A", "B09"]
    assert scene.scene_id == safe.stem
    assert (scene.platform, scene.instrument, scene.family) == ("sentinel-2c", "msi", "sentinel-2-msi")
    assert (scene.reader, scene.baseline, scene.cloud_cover_percent) == ("sentinel2", "05.11", 12.5)
    assert scene.acquired == datetime(2025, 6, 1, 10, 10, 41, 24000, tzinfo=UTC)
    assert scene.angles.sun_elevation_deg == pytest.approx(90 - 28.2)
    assert scene.angles.view_zenith_deg == pytest.approx(6.6)
    assert scene.angles.view_azimuth_deg == pytest.approx(111.0)
    assert scene.angles_href == str(next(safe.glob("GRANULE/*/MTD_TL.xml")))
    assert scene.properties["grid:code"] == "MGRS-32TQM"
    assert scene.left_out == {}
    assert Scene.from_json(scene.to_json()) == scene


def test_the_calibration_applies_each_bands_own_offset_once(write_safe: WriteSafe) -> None:
    scene = read_scene(str(write_safe()))
    for index, asset in enumerate(scene.assets.values()):
        calibration = asset.calibration
        assert isinstance(calibration, Reflectance)
        assert calibration.sun_normalised
        # (DN + offset) / quantification, by hand for DN 3000.
        assert calibration.gain * 3000 + calibration.offset == pytest.approx((3000 - 1000 - index) / 10000, abs=1e-12)
        assert (asset.nodata, asset.saturated, asset.dtype) == (0, 65535, "uint16")


def test_before_baseline_4_nothing_is_added(write_safe: WriteSafe) -> None:
    edits = {"PROCESSING_BASELINE": "03.01", "Radiometric_Offset_List": None}
    calibration = read_scene(str(write_safe(product=edits))).assets["red"].calibration
    assert isinstance(calibration, Reflectance)
    assert (calibration.gain, calibration.offset) == (1e-4, 0.0)


def test_before_baseline_4_only_bands_that_cannot_be_dark_have_residue(write_safe: WriteSafe) -> None:
    scene = read_scene(str(write_safe(product={"PROCESSING_BASELINE": "03.01", "Radiometric_Offset_List": None})))
    assert {n for n, a in scene.assets.items() if a.residue is None} == {"cirrus", "swir16", "swir22"}
    assert {a.residue for a in scene.assets.values()} == {10, None}


def test_another_quantification_value_is_followed(write_safe: WriteSafe) -> None:
    calibration = read_scene(str(write_safe(product={"QUANTIFICATION_VALUE": "1000"}))).assets["blue"].calibration
    assert isinstance(calibration, Reflectance)
    assert (calibration.gain, calibration.offset) == (1e-3, -1.001)


def test_residue_of_compression_is_read_as_no_data(write_safe: WriteSafe) -> None:
    scene = read_scene(str(write_safe()))
    assert {a.residue for a in scene.assets.values()} == {10}
    asset = scene.assets["swir16"]
    with BandReader() as reader:
        layer = reader.read(scene, "swir16", asset.grid.window)
    with rasterio.open(asset.href) as source:
        delivered = source.read(1)
    assert ((delivered > 0) & (delivered <= 10)).any()
    np.testing.assert_array_equal(layer.usable, delivered > 10)
    np.testing.assert_array_equal(layer.values, np.where(delivered > 10, delivered, 0))


def test_grids_are_the_rasters_own(write_safe: WriteSafe) -> None:
    scene = read_scene(str(write_safe()))
    for asset in scene.assets.values():
        with rasterio.open(asset.href) as source:
            assert asset.grid.transform == tuple(source.transform)[:6]
            assert (asset.grid.width, asset.grid.height) == (source.width, source.height)
    assert scene.reference.width == 120


def test_zip_and_folder_are_the_same_scene(write_safe: WriteSafe, zip_folder: Callable[[Path], Path]) -> None:
    safe = write_safe()
    folder, packed = read_scene(str(safe)), read_scene(str(zip_folder(safe)))
    assert packed.digest == folder.digest
    assert packed.scene_id == folder.scene_id
    assert [a.digest for a in packed.assets.values()] == [a.digest for a in folder.assets.values()]
    for name in ("blue", "rededge071", "cirrus"):
        with rasterio.open(packed.assets[name].href) as zipped, rasterio.open(folder.assets[name].href) as plain:
            np.testing.assert_array_equal(zipped.read(1), plain.read(1))


def test_the_folder_around_a_safe_is_the_same_scene(write_safe: WriteSafe) -> None:
    safe = write_safe()
    assert read_scene(str(safe.parent)).digest == read_scene(str(safe)).digest


def test_the_digest_changes_with_any_file_that_is_read(write_safe: WriteSafe) -> None:
    safe = write_safe()
    before = read_scene(str(safe)).digest
    (safe / "notes.txt").write_text("not read")
    assert read_scene(str(safe)).digest == before
    metadata = safe / "MTD_MSIL1C.xml"
    metadata.write_text(metadata.read_text() + "\n")
    assert read_scene(str(safe)).digest != before


def test_a_missing_band_is_left_out_and_named(write_safe: WriteSafe) -> None:
    scene = read_scene(str(write_safe(without=("B10", "B8A"))))
    assert set(scene.left_out) == {"cirrus", "nir08"}
    assert "B10 is not in the delivery" in scene.left_out["cirrus"]
    assert len(scene.assets) == 11


def test_a_picture_is_passed_over_with_its_reason(write_safe: WriteSafe) -> None:
    safe = write_safe()
    images = images_of(safe)
    shutil.copy(next(images.glob("*_B02.jp2")), images / "T32TQM_20250601T101041_TCI.jp2")
    scene = read_scene(str(safe))
    assert len(scene.assets) == 13
    assert "not a measurement" in scene.left_out["visual"]


def test_without_angle_grids_the_scene_says_so(write_safe: WriteSafe) -> None:
    safe = write_safe(tile={"Sun_Angles_Grid": "Sun_Angles_Gone"})
    scene = read_scene(str(safe))
    assert scene.angles_href is None
    assert "mean angles" in scene.left_out["angles"]


def item_over(safe: Path) -> Path:
    """A STAC item of a delivery's own files."""
    native = read_scene(str(safe))
    (granule,) = safe.glob("GRANULE/*/MTD_TL.xml")
    properties = {
        "datetime": native.acquired.isoformat(),
        "platform": native.platform,
        "view:sun_elevation": native.angles.sun_elevation_deg,
        "view:sun_azimuth": native.angles.sun_azimuth_deg,
        "view:off_nadir": native.angles.view_zenith_deg,
        "view:azimuth": native.angles.view_azimuth_deg,
    }
    assets: dict[str, Any] = {"granule_metadata": {"href": str(granule), "type": "application/xml", "roles": ["metadata"]}}
    for name, asset in native.assets.items():
        assert isinstance(asset.calibration, Reflectance)
        told = {"eo:common_name": name, "raster:scale": asset.calibration.gain, "raster:offset": asset.calibration.offset}
        assets[name] = {"href": asset.href, "type": "image/jp2", "bands": [{**told, "nodata": 0}]}
    item = {"type": "Feature", "stac_version": "1.1.0", "id": "a", "properties": properties, "assets": assets}
    path = safe.parent / "item.json"
    path.write_text(json.dumps(item))
    return path


def test_an_items_granule_without_usable_grids_is_said(write_safe: WriteSafe) -> None:
    safe = write_safe()
    (granule,) = safe.glob("GRANULE/*/MTD_TL.xml")
    whole = granule.read_text(encoding="utf-8")
    grids = r'<Viewing_Incidence_Angles_Grids bandId="3".*?</Viewing_Incidence_Angles_Grids>'
    granule.write_text(re.sub(grids, lambda m: re.sub(r"\d+\.\d{4}", "NaN", m[0]), whole), encoding="utf-8")
    scene = registry.read_scene(str(item_over(safe)))
    assert scene.angles_href is not None
    assert "mean direction" in scene.left_out["angles_red"]
    granule.write_text(whole.replace("Sun_Angles_Grid", "Sun_Angles_Gone"), encoding="utf-8")
    scene = registry.read_scene(str(item_over(safe)))
    assert scene.angles_href is None
    assert "mean angles are used everywhere" in scene.left_out["angles"]
    # A download that broke off: the item's own angles are good.
    item = item_over(safe)
    granule.write_text(whole[: len(whole) // 2], encoding="utf-8")
    cut = registry.read_scene(str(item))
    assert (cut.angles_href, cut.angles) == (None, scene.angles)
    assert "granule_metadata" in " ".join(cut.left_out)


def test_an_item_over_a_safes_files_is_corrected_like_the_safe(write_safe: WriteSafe) -> None:
    safe = write_safe()
    native = read_scene(str(safe))
    scene = registry.read_scene(str(item_over(safe)))
    assert (scene.family, scene.instrument, scene.angles) == (native.family, native.instrument, native.angles)
    assert scene.acquired == native.acquired
    for name, asset in native.assets.items():
        assert scene.assets[name] == replace(asset, residue=None)
    theirs, ours = angle_field(scene), angle_field(native)
    assert theirs is ours is not None


def test_names_of_before_2016_are_found(write_safe: WriteSafe) -> None:
    safe = write_safe()
    granule = next((safe / "GRANULE").iterdir())
    (safe / "MTD_MSIL1C.xml").rename(safe / "S2A_OPER_MTD_SAFL1C_PDMC_20151230T202002_R008.xml")
    (granule / "MTD_TL.xml").rename(granule / "S2A_OPER_MTD_L1C_TL_EPA__20151230T202002_A000001_T32TQM.xml")
    for image in images_of(safe).iterdir():
        image.rename(image.with_name(f"S2A_OPER_MSI_L1C_TL_EPA__20151230T202002_A000001_T32TQM_{image.name[-7:]}"))
    assert len(read_scene(str(safe)).assets) == 13


def test_links_that_lead_in_circles_end(write_safe: WriteSafe) -> None:
    safe = write_safe()
    before = read_scene(str(safe)).digest
    (safe / "again").symlink_to(safe)
    (safe / "GRANULE" / "itself").symlink_to("itself")
    assert read_scene(str(safe)).digest == before
