import json
from collections.abc import Callable
from math import cos, radians
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance
from swath.algo.smac_table import smac_sensor
from swath.readers.landsat.scene import read_scene
from swath.scene import Reflectance, Thermal
from swath.simulator.landcover import CODE_OF
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import Kind

Again = Callable[[Path, Kind, int], SimulatedScene]
FilesBelow = Callable[[Path], dict[str, bytes]]


def _read(path: Path | str) -> NDArray[Any]:
    with rasterio.open(path) as source:
        values: NDArray[Any] = source.read(1)
    return values


def test_reader_accepts_the_delivery(clear_landsat: SimulatedScene) -> None:
    scene = read_scene(str(clear_landsat.delivery))
    assert (scene.scene_id, scene.platform) == (clear_landsat.scene_id, "landsat-9")
    assert set(scene.assets) == set(clear_landsat.rasters)
    assert scene.acquired.isoformat() == "2024-08-05T10:02:11+00:00"


def test_rasters_have_the_layout_of_real_ones(clear_landsat: SimulatedScene) -> None:
    with rasterio.open(clear_landsat.rasters["red"]) as red, rasterio.open(clear_landsat.rasters["pan"]) as pan:
        assert red.crs.to_epsg() == pan.crs.to_epsg() == 32633
        assert red.shape == (260, 260)
        assert pan.shape == (519, 519)
        assert red.block_shapes == pan.block_shapes == [(256, 256)]
        assert (pan.transform.c - red.transform.c, red.transform.f - pan.transform.f) == (7.5, 7.5)
        assert (red.transform.c + 15.0) % 30.0 == 0.0


@pytest.mark.parametrize("suffix", ["txt", "json", "xml"])
def test_metadata_is_the_same_in_three_spellings(clear_landsat: SimulatedScene, suffix: str) -> None:
    expected = read_scene(str(clear_landsat.metadata))
    found = read_scene(str(clear_landsat.metadata.with_suffix(f".{suffix}")))
    assert found.angles == expected.angles
    assert {b: a.calibration for b, a in found.assets.items()} == {b: a.calibration for b, a in expected.assets.items()}


@pytest.mark.parametrize("band", ["coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "pan"])
def test_correction_gives_back_the_true_reflectance(clear_landsat: SimulatedScene, band: str) -> None:
    scene = read_scene(str(clear_landsat.delivery))
    asset, truth = scene.assets[band], clear_landsat.truth
    assert isinstance(asset.calibration, Reflectance)
    assert truth is not None
    dn, expected = _read(asset.href), _read(truth.surface_reflectance[band])
    sun_zenith = 90.0 - scene.angles.sun_elevation_deg
    toa = (asset.calibration.gain * dn + asset.calibration.offset) / cos(radians(sun_zenith))
    terms = smac_terms(
        smac_sensor("landsat-9").bands[band],
        sun_zenith_deg=sun_zenith,
        view_zenith_deg=0.0,
        relative_azimuth_deg=scene.angles.sun_azimuth_deg,
        atmosphere=Atmosphere(),
    )
    usable = (dn > 0) & (dn < 65535)
    assert usable.sum() > 0.9 * dn.size
    off = np.abs(np.asarray(surface_reflectance(toa, terms)) * 1e4 - expected)[usable]
    assert float(off.max()) <= 2.0


def test_temperature_is_the_true_one(clear_landsat: SimulatedScene) -> None:
    scene, truth = read_scene(str(clear_landsat.delivery)), clear_landsat.truth
    assert truth is not None
    for band in ("lwir11", "lwir12"):
        numbers = scene.assets[band].calibration
        assert isinstance(numbers, Thermal)
        dn, expected = _read(clear_landsat.rasters[band]), _read(truth.temperature[band])
        seen = dn > 0
        radiance = numbers.gain * dn[seen] + numbers.offset
        kelvin = numbers.k2_k / np.log(numbers.k1 / radiance + 1.0)
        np.testing.assert_allclose(kelvin, expected[seen] * 0.01, atol=0.01)


def test_swath_leans_and_fill_is_the_same_in_all_bands(clear_landsat: SimulatedScene) -> None:
    fill = _read(clear_landsat.rasters["red"]) == 0
    assert 0.02 < float(fill.mean()) < 0.12
    assert fill[0, 0]
    assert fill[-1, -1]
    for band in ("blue", "lwir11", "cirrus"):
        np.testing.assert_array_equal(_read(clear_landsat.rasters[band]) == 0, fill)
    np.testing.assert_array_equal(_read(clear_landsat.rasters["qa_pixel"]) == 1, fill)


def test_quality_band_tells_the_true_clouds_shadows_and_water(cloudy_landsat: SimulatedScene) -> None:
    truth = cloudy_landsat.truth
    assert truth is not None
    qa, state, code = _read(cloudy_landsat.rasters["qa_pixel"]), _read(truth.clouds), _read(truth.landcover)
    np.testing.assert_array_equal((qa >> 3) & 1, state == 1)
    np.testing.assert_array_equal((qa >> 4) & 1, state == 2)
    np.testing.assert_array_equal((qa >> 7) & 1, (code == CODE_OF["water"]) & (state != 1) & (state != 255))
    # Values that real scenes have: clear land, clear water, cloud, shadow on land, beside a cloud on land.
    assert {1, 21762, 21824, 21952, 22280, 23888} <= set(np.unique(qa).tolist())
    scene = read_scene(str(cloudy_landsat.delivery))
    seen = state != 255
    assert scene.cloud_cover_percent == pytest.approx(100.0 * float((state == 1).sum() / seen.sum()), abs=0.005)
    assert scene.cloud_cover_percent is not None
    assert 15.0 < scene.cloud_cover_percent < 45.0


def test_clouds_are_bright_and_cold_and_shadows_dark(cloudy_landsat: SimulatedScene) -> None:
    truth = cloudy_landsat.truth
    assert truth is not None
    state, red = _read(truth.clouds), _read(cloudy_landsat.rasters["nir08"])
    warm = _read(cloudy_landsat.rasters["lwir11"])
    clear, cloud, shadow = (np.median(red[state == k]) for k in (0, 1, 2))
    assert shadow < clear < cloud
    assert np.median(warm[state == 1]) < np.percentile(warm[state == 0], 1)


def test_saturated_pixels_are_flagged(clear_landsat: SimulatedScene) -> None:
    flags = _read(clear_landsat.rasters["qa_radsat"])
    for band, bit in (("blue", 1), ("green", 2), ("red", 3), ("nir08", 4)):
        np.testing.assert_array_equal(_read(clear_landsat.rasters[band]) == 65535, (flags >> bit) & 1)


def test_same_arguments_write_the_same_bytes(
    clear_landsat: SimulatedScene, tmp_path: Path, again: Again, files_below: FilesBelow
) -> None:
    second = again(tmp_path, "landsat9", 260)
    assert files_below(second.delivery) == files_below(clear_landsat.delivery)


def test_truth_lies_outside_the_delivery_and_names_its_files(clear_landsat: SimulatedScene) -> None:
    truth = clear_landsat.truth
    assert truth is not None
    assert not truth.folder.is_relative_to(clear_landsat.delivery.parent)
    record = json.loads(truth.record.read_text())
    assert record["atmosphere"]["aot550"] == 0.1
    assert all((truth.folder / name).is_file() for name in record["surface_reflectance"]["files"].values())


def test_clear_in_the_truth_means_untouched_by_clouds_and_shadows(cloudy_landsat: SimulatedScene) -> None:
    scene, truth = read_scene(str(cloudy_landsat.delivery)), cloudy_landsat.truth
    assert truth is not None
    dn, expected, state = (_read(p) for p in (scene.assets["blue"].href, truth.surface_reflectance["blue"], truth.clouds))
    sun_zenith = 90.0 - scene.angles.sun_elevation_deg
    terms = smac_terms(
        smac_sensor("landsat-9").bands["blue"],
        sun_zenith_deg=sun_zenith,
        view_zenith_deg=0.0,
        relative_azimuth_deg=scene.angles.sun_azimuth_deg,
        atmosphere=Atmosphere(),
    )
    toa = (2e-5 * dn - 0.1) / cos(radians(sun_zenith))
    off = np.abs(np.asarray(surface_reflectance(toa, terms)) * 1e4 - expected)
    assert float(off[(state == 0) & (expected != -9999)].max()) <= 2.0
    assert float(np.median(off[state == 3])) > 10.0
