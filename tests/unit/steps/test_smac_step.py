from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance
from swath.algo.smac_table import smac_sensor
from swath.errors import ConfigError, GeometryError, RangeError, UnsupportedSensorError
from swath.grid import Window
from swath.inputs import AngleField, AnglesInput, Inputs
from swath.pipeline import Layer, Recipe, Step
from swath.product import LayerSpec
from swath.scene import Angles, Scene
from swath.steps.smac import Smac
from swath.steps.toa import Toa

WINDOW = Window(10, 20, 40, 50)
Array = NDArray[np.float64]


class Field:
    """Angles that vary smoothly, or are broken."""

    def __init__(self, *, sun: float = 40.0) -> None:
        self.sun = sun
        self.bands: list[str] = []

    def sample(self, *, x: Array, y: Array, band: str) -> tuple[Array, Array, Array, Array]:
        self.bands.append(band)
        across, down = (x[None, :] - 500000.0) / 1e5, (5000000.0 - y[:, None]) / 1e5
        one = np.ones((len(y), len(x)))
        return self.sun + down + across, 150.0 * one, 5.0 + 40.0 * across + 0.0 * down, 100.0 + 3.0 * down * one


def given(scene: Scene) -> Mapping[str, LayerSpec]:
    return {m.name: m for r in Toa().recipes(scene, given={}) for m in r.makes}


def recipe_of(step: Smac, scene: Scene, *, band: str) -> Recipe:
    return next(r for r in step.recipes(scene, given=given(scene)) if r.makes[0].name == f"sr:{band}")


def toa_layer(scene: Scene, *, window: Window = WINDOW) -> Layer:
    row, col = np.mgrid[window.row : window.row_stop, window.col : window.col_stop]
    values = ((row * 977 + col * 131) % 40000).astype(np.uint16)
    recipe = next(r for r in Toa().recipes(scene, given={}) if r.makes[0].name == "toa:red")
    dn = Layer(values=values, grid=scene.assets["red"].grid, window=window, valid=values != 0)
    return Toa().run(recipe, {"dn:red": dn}, window=window, scene=scene, inputs=Inputs())["toa:red"]


def run(step: Smac, scene: Scene, *, angles: AngleField | None = None, window: Window = WINDOW) -> Layer:
    layers = {"toa:red": toa_layer(scene, window=window)}
    inputs = Inputs(given={AnglesInput(digest=scene.digest): angles} if angles is not None else {})
    return step.run(recipe_of(step, scene, band="red"), layers, window=window, scene=scene, inputs=inputs)["sr:red"]


def test_it_is_a_step() -> None:
    assert isinstance(Smac(), Step)


def test_bands_without_ground_or_coefficients_are_left_out(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    made = {m.name for r in Smac().recipes(scene, given=given(scene)) for m in r.makes}
    assert made == {"sr:blue", "sr:red", "sr:nir08", "sr:pan"}
    assert Smac().recipes(scene, given={}) == ()


def test_each_parameter_says_where_it_came_from(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(atmosphere={"ozone_atm_cm": 0.29, "aot550": 0.2})
    facts = recipe_of(Smac(aot550=0.14), scene, band="red").facts
    assert facts["atmosphere"] == {
        "aot550": {"value": 0.14, "source": "parameter"},
        "ozone_atm_cm": {"value": 0.29, "source": "scene"},
        "water_vapour_g_cm2": {"value": 1.42, "source": "default"},
        "pressure_hpa": {"value": 1013.25, "source": "default"},
    }
    assert facts["coefficients"]["platform"] == "landsat-8"
    assert facts["angles_source"] == "scene"


def test_a_low_sun_is_noted(make_scene: Callable[..., Scene]) -> None:
    low = make_scene(angles=Angles(sun_elevation_deg=17.0, sun_azimuth_deg=160.0))
    assert "reduced" in recipe_of(Smac(), low, band="red").facts["accuracy"]
    assert "accuracy" not in recipe_of(Smac(), make_scene(), band="red").facts


def test_a_scene_without_angle_grids_is_corrected_through_its_table(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    made = run(Smac(), scene)
    terms = smac_terms(
        smac_sensor("landsat-8").bands["red"],
        sun_zenith_deg=32.0,
        view_zenith_deg=0.0,
        relative_azimuth_deg=144.0,
        atmosphere=Atmosphere(),
    )
    assert made.table is not None
    expected = surface_reflectance(toa_layer(scene).physical, terms)
    np.testing.assert_array_equal(made.physical, expected)


def test_angle_grids_are_used_where_the_scene_names_them(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(angles_href="/data/MTD_TL.xml")
    field = Field()
    made = run(Smac(), scene, angles=field)
    grid = scene.assets["red"].grid
    sun, sun_azimuth, view, view_azimuth = field.sample(
        x=grid.left + (np.arange(20.0, 70.0) + 0.5) * 30.0, y=grid.top - (np.arange(10.0, 50.0) + 0.5) * 30.0, band="red"
    )
    terms = smac_terms(
        smac_sensor("landsat-8").bands["red"],
        sun_zenith_deg=sun,
        view_zenith_deg=view,
        relative_azimuth_deg=sun_azimuth - view_azimuth,
        atmosphere=Atmosphere(),
    )
    expected = surface_reflectance(toa_layer(scene).physical, terms)
    np.testing.assert_allclose(made.physical, expected, rtol=0, atol=2e-6)
    assert set(field.bands) == {"red"}
    assert recipe_of(Smac(), scene, band="red").facts["angles_digest"] == scene.digest


def test_cutting_changes_no_bit(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(angles_href="/data/MTD_TL.xml")
    angles = Field()
    whole = run(Smac(), scene, angles=angles, window=scene.reference.window)
    for part in (Window(0, 0, 1, 1), Window(17, 33, 29, 11), Window(79, 0, 1, 90)):
        found = run(Smac(), scene, angles=angles, window=part)
        np.testing.assert_array_equal(found.physical, whole.crop(part).physical)


def test_angles_out_of_range_are_the_scenes_fault(make_scene: Callable[..., Scene]) -> None:
    low = make_scene(angles=Angles(sun_elevation_deg=12.0, sun_azimuth_deg=160.0))
    with pytest.raises(RangeError, match="sun zenith"):
        Smac().recipes(low, given=given(low))
    scene = make_scene(angles_href="/data/MTD_TL.xml")
    with pytest.raises(RangeError, match="sun zenith"):
        run(Smac(), scene, angles=Field(sun=80.0))
    with pytest.raises(GeometryError, match="sun zenith angle is unusable"):
        run(Smac(), scene, angles=Field(sun=float("nan")))


def test_haze_under_a_low_sun_is_refused_before_a_pixel_is_read(make_scene: Callable[..., Scene]) -> None:
    low = make_scene(angles=Angles(sun_elevation_deg=18.0, sun_azimuth_deg=160.0))
    assert Smac(aot550=0.2).recipes(low, given=given(low))
    with pytest.raises(RangeError, match="haze is too thick"):
        Smac(aot550=0.9).recipes(low, given=given(low))


def test_a_sensor_without_a_table_is_the_scenes_fault(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(platform="landsat-5")
    with pytest.raises(UnsupportedSensorError, match="no SMAC coefficients"):
        Smac().recipes(scene, given=given(scene))


def test_an_atmosphere_that_came_with_the_scene_is_checked(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(atmosphere={"ozone_atm_cm": 290.0})
    with pytest.raises(RangeError, match=r"LC09_L1TP_190025.*ozone_atm_cm is outside"):
        Smac().recipes(scene, given=given(scene))


@pytest.mark.parametrize("changes", [{"aot550": 3.0}, {"pressure_hpa": "1013"}, {"ozone_atm_cm": True}])
def test_parameters_are_checked_before_anything_runs(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=f"smac.{name} must be a number from"):
        Smac(**changes)


def test_aerosol_below_the_fits_is_corrected_as_the_least_and_said(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    recipe = recipe_of(Smac(aot550=0.0), scene, band="red")
    assert recipe.facts["atmosphere"]["aot550"] == {"value": 0.05, "source": "parameter", "asked": 0.0}
    assert Smac(aot550=0.0).atmosphere(scene) == Smac(aot550=0.05).atmosphere(scene)
    assert recipe_of(Smac(aot550=0.05), scene, band="red").facts["atmosphere"]["aot550"] == {"value": 0.05, "source": "parameter"}


def test_reduced_accuracy_is_told_by_band_and_is_no_fact_of_the_key(make_scene: Callable[..., Scene]) -> None:
    hazy = recipe_of(Smac(aot550=0.5), make_scene(angles=Angles(sun_elevation_deg=26.0, sun_azimuth_deg=150.0)), band="blue")
    assert hazy.makes[0].accuracy.startswith("reduced: errs by -0.0")
    assert "errs by" not in str(hazy.facts)
    assert recipe_of(Smac(aot550=0.1), make_scene(), band="blue").makes[0].accuracy == ""
