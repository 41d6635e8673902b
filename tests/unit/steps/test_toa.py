from collections.abc import Callable
from dataclasses import replace
from math import radians, sin
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Recipe, Step
from swath.product import REFLECTANCE, TEMPERATURE
from swath.scene import Reflectance, Scene
from swath.steps.toa import Toa, calibrate, calibration_table

WINDOW = Window(3, 5, 4, 6)


def dn_layer(scene: Scene, *, band: str, values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> Layer:
    return Layer(values=values, grid=scene.assets[band].grid, window=WINDOW, valid=valid)


def run(scene: Scene, *, band: str, layer: Layer) -> Layer:
    recipe = next(r for r in Toa().recipes(scene, given={}) if r.makes[0].asset == band)
    made = Toa().run(recipe, {f"dn:{band}": layer}, window=WINDOW, scene=scene, inputs=Inputs())
    assert list(made) == [recipe.makes[0].name]
    return made[recipe.makes[0].name]


def test_it_is_a_step() -> None:
    assert isinstance(Toa(), Step)


def test_each_band_that_measures_has_a_recipe_on_its_own_grid(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    recipes: dict[str, Recipe] = {r.makes[0].name: r for r in Toa().recipes(scene, given={})}
    assert set(recipes) == {"toa:blue", "toa:red", "toa:nir08", "toa:cirrus", "toa:pan", "bt:lwir11"}
    assert recipes["toa:red"].makes[0].encoding == REFLECTANCE
    assert recipes["bt:lwir11"].makes[0].encoding == TEMPERATURE
    assert recipes["toa:pan"].grid.dx == 15.0
    assert list(recipes["toa:red"].needs) == ["dn:red"]
    assert recipes["toa:red"].facts["sun_elevation_deg"] == 58.0
    assert "sun_elevation_deg" not in recipes["bt:lwir11"].facts


def test_a_coded_layer_holds_what_calibrating_each_pixel_gives(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    values = np.random.default_rng(1).integers(0, 65536, WINDOW.shape).astype(np.uint16)
    values[0, 0] = 0
    made = run(scene, band="red", layer=dn_layer(scene, band="red", values=values, valid=values != 0))
    assert made.table is not None
    expected = (2e-5 * values.astype(np.float64) - 0.1) / sin(radians(58.0))
    assert np.array_equal(made.physical[values != 0], expected[values != 0])
    assert np.isnan(made.physical[values == 0]).all()
    assert np.array_equal(made.usable, values != 0)


def test_signed_numbers_find_their_place_in_the_table(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    numbers = np.arange(-12, 12, dtype=np.int16).reshape(WINDOW.shape)
    made = run(scene, band="red", layer=dn_layer(scene, band="red", values=numbers, valid=numbers != 0))
    assert made.table is not None
    expected = (2e-5 * numbers.astype(np.float64) - 0.1) / sin(radians(58.0))
    assert np.array_equal(made.physical[numbers != 0], expected[numbers != 0])
    assert np.isnan(made.physical[numbers == 0]).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_tables_are_shared_and_cannot_be_spoilt(dtype: str) -> None:
    calibration = Reflectance(gain=0.01, offset=0.0, sun_normalised=True)
    table = calibration_table(dtype, nodata=3, calibration=calibration, sun_elevation_deg=30.0)
    assert table is calibration_table(dtype, nodata=3, calibration=calibration, sun_elevation_deg=30.0)
    assert np.flatnonzero(np.isnan(table)).tolist() == [3]
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1.0


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_wide_types_are_calibrated_pixel_by_pixel(make_scene: Callable[..., Scene], dtype: str) -> None:
    scene = make_scene()
    values = (np.arange(24).reshape(WINDOW.shape) * 1000).astype(dtype)
    made = run(scene, band="red", layer=dn_layer(scene, band="red", values=values, valid=values != 0))
    assert made.table is None
    calibration = scene.assets["red"].calibration
    assert isinstance(calibration, Reflectance)
    expected = calibrate(values, calibration=calibration, sun_elevation_deg=58.0)
    assert np.array_equal(made.physical[values != 0], expected[values != 0])
    assert np.array_equal(made.usable, values != 0)


def test_pixels_invalid_without_a_nodata_number_stay_invalid(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    scene = replace(scene, assets={"red": replace(scene.assets["red"], nodata=None)})
    valid = np.ones(WINDOW.shape, dtype=bool)
    valid[1, 1] = False
    made = run(scene, band="red", layer=dn_layer(scene, band="red", values=np.full(WINDOW.shape, 7, np.uint16), valid=valid))
    assert np.array_equal(made.usable, valid)


def test_temperatures_are_those_of_the_handbook(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    values = np.full(WINDOW.shape, 25000, np.uint16)
    made = run(scene, band="lwir11", layer=dn_layer(scene, band="lwir11", values=values, valid=values != 0))
    radiance = 3.342e-4 * 25000 + 0.1
    assert made.physical[0, 0] == pytest.approx(1321.08 / np.log(774.89 / radiance + 1.0), abs=1e-9)
