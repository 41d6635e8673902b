from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance
from swath.algo.smac_table import smac_sensor
from swath.errors import ConfigError
from swath.grid import Window
from swath.readers.angles import angle_field
from swath.readers.sentinel2.scene import read_scene
from swath.scene import Reflectance
from swath.simulator.forward import centres
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate


def _read(path: Path | str) -> NDArray[Any]:
    with rasterio.open(path) as source:
        values: NDArray[Any] = source.read(1)
    return values


def test_reader_accepts_the_delivery(clear_sentinel: SimulatedScene) -> None:
    scene = read_scene(str(clear_sentinel.delivery))
    assert (scene.scene_id, scene.platform, scene.baseline) == (clear_sentinel.scene_id, "sentinel-2a", "05.10")
    assert set(scene.assets) == set(clear_sentinel.rasters)
    assert {(a.calibration.gain, a.calibration.offset) for a in scene.assets.values()} == {(1e-4, -0.1)}  # type: ignore[union-attr]


def test_images_are_tiled_jpeg_2000_on_the_grid_of_the_tile(clear_sentinel: SimulatedScene) -> None:
    for band, side, tile in (("red", 1044, 1024), ("swir16", 522, 522), ("coastal", 174, 174)):
        with rasterio.open(clear_sentinel.rasters[band]) as source:
            assert source.driver == "JP2OpenJPEG"
            assert source.crs.to_epsg() == 32633
            assert source.shape == (side, side)
            assert source.block_shapes == [(tile, tile)]
            assert (source.transform.c, source.transform.f) == (403_980.0, 5_997_000.0)


@pytest.mark.parametrize("band", ["coastal", "blue", "red", "rededge075", "nir", "nir08", "nir09", "swir22"])
def test_correction_with_angle_grids_gives_back_the_true_reflectance(clear_sentinel: SimulatedScene, band: str) -> None:
    scene, truth = read_scene(str(clear_sentinel.delivery)), clear_sentinel.truth
    assert truth is not None
    field = angle_field(scene)
    assert field is not None
    asset = scene.assets[band]
    assert isinstance(asset.calibration, Reflectance)
    dn, expected = _read(asset.href)[:400], _read(truth.surface_reflectance[band])[:400]
    x, y = centres(asset.grid, Window(0, 0, *dn.shape))
    sun_zenith, sun_azimuth, view_zenith, view_azimuth = field.sample(x=x, y=y, band=band)
    terms = smac_terms(
        smac_sensor("sentinel-2a").bands[band],
        sun_zenith_deg=sun_zenith,
        view_zenith_deg=view_zenith,
        relative_azimuth_deg=sun_azimuth - view_azimuth,
        atmosphere=Atmosphere(),
    )
    toa = asset.calibration.gain * dn + asset.calibration.offset
    usable = (dn > 0) & (dn < 65535)
    assert usable.sum() > 0.8 * dn.size
    off = np.abs(np.asarray(surface_reflectance(toa, terms)) * 1e4 - expected)[usable]
    assert float(off.max()) <= 2.0


def test_coarse_bands_are_means_of_the_same_place(clear_sentinel: SimulatedScene) -> None:
    truth = clear_sentinel.truth
    assert truth is not None
    fine, coarse = _read(truth.surface_reflectance["nir"]), _read(truth.surface_reflectance["nir08"])
    blocks = fine.astype(float).reshape(522, 2, 522, 2).mean(axis=(1, 3))
    seen = (coarse > 0) & (fine.reshape(522, 2, 522, 2).min(axis=(1, 3)) > 0)
    # Neighbouring bands: the same picture with slightly other numbers.
    assert float(np.corrcoef(blocks[seen], coarse[seen])[0, 1]) > 0.999


def test_angle_grids_differ_by_detector_and_join(clear_sentinel: SimulatedScene) -> None:
    text = next(Path(clear_sentinel.delivery).rglob("MTD_TL.xml")).read_text()
    assert text.count('bandId="3" detectorId') >= 4
    assert "NaN" in text


def test_clouds_and_shadows_take_their_share(tmp_path: Path) -> None:
    scene = simulate(kind="sentinel2", folder=tmp_path, size=480, clouds=0.25)
    assert scene.truth is not None
    state = _read(scene.truth.clouds)
    assert 0.15 < float((state == 1).mean()) < 0.35
    assert 0.03 < float((state == 2).mean()) < 0.35
    assert np.median(_read(scene.rasters["blue"])[state == 1]) > 5000


def test_a_size_that_60_m_pixels_do_not_fill_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="multiple of 6"):
        simulate(kind="sentinel2", folder=tmp_path, size=500)


def test_a_share_of_clouds_over_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="share of cloud is 8"):
        simulate(kind="stac", folder=tmp_path, size=500, clouds=8.0)
