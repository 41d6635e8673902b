"""TOA reflectance, temperatures and solar numbers against what other people computed."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.algo.ndvi import ndvi
from swath.algo.solar import earth_sun_distance_au
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer
from swath.readers.landsat.scene import read_scene
from swath.scene import Scene
from swath.steps.toa import Toa

LC8 = "sat_image/image_test/lc8_image"


def pixels(path: Path, *, band: int = 1) -> NDArray[Any]:
    with rasterio.open(path) as dataset:
        values: NDArray[Any] = dataset.read(band)
    return values


def calibrated(scene: Scene, *, band: str) -> Layer:
    """One band as the step ``toa`` makes it, whole."""
    asset = scene.assets[band]
    with rasterio.open(asset.href) as dataset:
        values = dataset.read(asset.band_index)
    dn = Layer(values=values, grid=asset.grid, window=asset.grid.window, valid=values != asset.nodata)
    recipe = next(r for r in Toa().recipes(scene, given={}) if r.makes[0].asset == band)
    made = Toa().run(recipe, {f"dn:{band}": dn}, window=asset.grid.window, scene=scene, inputs=Inputs())
    return made[recipe.makes[0].name]


def test_reflectance_equals_the_reference_within_a_count(scenes: Path) -> None:
    scene = read_scene(str(scenes / LC8))
    rho = calibrated(scene, band="coastal").physical
    expected = pixels(scenes / LC8 / "LC8_reflct_B1.TIF").astype(np.int64)
    counts = np.trunc(65535.0 * np.where(np.isnan(rho), 0.0, rho)).astype(np.int64)
    assert np.abs(counts - expected).max() <= 1
    assert (counts == expected)[expected > 0].mean() > 0.999


def test_temperature_equals_the_reference(scenes: Path) -> None:
    scene = read_scene(str(scenes / LC8))
    found = calibrated(scene, band="lwir11").physical
    expected = pixels(scenes / LC8 / "LC8_brightemp_B10.TIF").astype(np.float64)
    seen = expected > 0
    assert np.array_equal(np.isfinite(found), seen)
    assert np.abs(found - expected)[seen].max() < 1e-3


def test_landsat_5_points(scenes: Path, oracles: dict[str, Any]) -> None:
    point = oracles["toa_points"][0]
    scene = read_scene(str(scenes / "sat_image/image_test/lt5_image"))
    row, col = point["pixel_rc"]
    at = Window(row, col, 1, 1)
    assert calibrated(scene, band="blue").crop(at).physical[0, 0] == pytest.approx(point["toa_b1"], abs=point["tol"][0])
    assert calibrated(scene, band="lwir11").crop(at).physical[0, 0] == pytest.approx(point["bt_b6_K"], abs=point["tol"][1])


def test_landsat_7_point(scenes: Path, oracles: dict[str, Any]) -> None:
    point = oracles["toa_points"][1]
    scene = read_scene(str(scenes / "sat_image/image_test/le7_image"))
    row, col = point["pixel_rc"]
    found = calibrated(scene, band="lwir11").physical[row, col]
    assert found == pytest.approx(point["bt_b6_vcid1_K"], abs=point["tol"])


def test_distance_of_the_sun(oracles: dict[str, Any]) -> None:
    told = oracles["solar"][1]
    for day in ("2015-01-01", "2015-07-01"):
        when = datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
        assert earth_sun_distance_au(when) == pytest.approx(told[day], abs=told["tol"])


def test_ndvi_equals_the_reference(scenes: Path) -> None:
    folder = scenes / "sen2r/out"
    red, nir = (pixels(folder / "S2A2A_20170703_022_Barbellino_BOA_10.tif", band=b) / 10000.0 for b in (4, 8))
    expected = pixels(folder / "S2A2A_20170703_022_Barbellino_NDVI_10.tif")
    seen = expected != -32768
    assert seen.mean() > 0.5
    found = ndvi(red=red, nir=nir)
    assert np.abs(found[seen] - expected[seen] / 10000.0).max() <= 1e-4
