from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance
from swath.algo.smac_table import smac_sensor
from swath.readers.stac.scene import read_scene
from swath.scene import Reflectance
from swath.simulator import stac_scene
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import Kind

Again = Callable[[Path, Kind, int], SimulatedScene]
FilesBelow = Callable[[Path], dict[str, bytes]]


def test_reader_accepts_the_item(clear_stac: SimulatedScene) -> None:
    scene = read_scene(str(clear_stac.metadata))
    assert set(scene.assets) == {"blue", "green", "red", "nir"}
    assert scene.platform == "sentinel-2a"
    assert scene.atmosphere["aot550"] == 0.1


def test_rasters_are_tiled_geotiffs(clear_stac: SimulatedScene) -> None:
    with rasterio.open(clear_stac.rasters["nir"]) as source:
        assert source.block_shapes == [(512, 512)]
        assert source.compression.name == "deflate"
        assert (source.nodata, source.dtypes[0], source.shape) == (0, "uint16", (600, 600))


@pytest.mark.parametrize("band", ["blue", "green", "red", "nir"])
def test_correction_gives_back_the_true_reflectance(clear_stac: SimulatedScene, band: str) -> None:
    scene = read_scene(str(clear_stac.metadata))
    asset, truth = scene.assets[band], clear_stac.truth
    assert isinstance(asset.calibration, Reflectance)
    assert truth is not None
    with rasterio.open(asset.href) as source, rasterio.open(truth.surface_reflectance[band]) as expected_source:
        dn, expected = source.read(1), expected_source.read(1)
    terms = smac_terms(
        smac_sensor(scene.platform).bands[band],
        sun_zenith_deg=90.0 - scene.angles.sun_elevation_deg,
        view_zenith_deg=scene.angles.view_zenith_deg,
        relative_azimuth_deg=scene.angles.sun_azimuth_deg - scene.angles.view_azimuth_deg,
        atmosphere=Atmosphere(**scene.atmosphere),
    )
    toa = asset.calibration.gain * dn + asset.calibration.offset
    off = np.abs(np.asarray(surface_reflectance(toa, terms)) * 1e4 - expected)[dn > 0]
    assert float(off.max()) <= 2.0


def test_pixels_do_not_depend_on_how_the_scene_was_cut(
    clear_stac: SimulatedScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: Again, files_below: FilesBelow
) -> None:
    monkeypatch.setattr(stac_scene, "PIECE_PIXELS", 600 * 37)
    second = again(tmp_path, "stac", 600)
    assert files_below(second.delivery) == files_below(clear_stac.delivery)
