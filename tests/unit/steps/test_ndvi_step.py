from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Step
from swath.product import LayerSpec
from swath.scene import Scene
from swath.steps.ndvi import Ndvi
from swath.steps.smac import Smac
from swath.steps.toa import Toa

RNG = np.random.default_rng(11)
RED = RNG.uniform(0.02, 0.3, (80, 90))
NIR = RNG.uniform(0.1, 0.6, (80, 90))
RED[30:40, 50:53] = np.nan


def given(scene: Scene, *, smac: bool = True) -> Mapping[str, LayerSpec]:
    toa = {m.name: m for r in Toa().recipes(scene, given={}) for m in r.makes}
    return toa | ({m.name: m for r in Smac().recipes(scene, given=toa) for m in r.makes} if smac else {})


def run(scene: Scene, *, window: Window, size: int = 5) -> Layer:
    step = Ndvi(size=size)
    (recipe,) = step.recipes(scene, given=given(scene))
    held = window.pad(size // 2).clip(recipe.grid.window)

    def layer(values: NDArray[np.float64]) -> Layer:
        part = values[held.row : held.row_stop, held.col : held.col_stop]
        return Layer(values=part, grid=recipe.grid, window=held, valid=~np.isnan(part))

    layers = {"sr:red": layer(RED), "sr:nir08": layer(NIR)}
    return step.run(recipe, layers, window=window, scene=scene, inputs=Inputs())["ndvi"]


def test_it_is_a_step() -> None:
    assert isinstance(Ndvi(), Step)


def test_surface_reflectance_is_preferred(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    (recipe,) = Ndvi().recipes(scene, given=given(scene))
    assert list(recipe.needs) == ["sr:red", "sr:nir08"]
    assert {n.halo_px for n in recipe.needs.values()} == {2}
    (raw,) = Ndvi().recipes(scene, given=given(scene, smac=False))
    assert list(raw.needs) == ["toa:red", "toa:nir08"]
    (asked,) = Ndvi(of="toa", size=1).recipes(scene, given=given(scene))
    assert list(asked.needs) == ["toa:red", "toa:nir08"]
    assert Ndvi().recipes(scene, given={}) == ()


def test_the_middle_of_the_scene_is_a_mean_of_25(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    index = (NIR - RED) / (NIR + RED)
    found = run(scene, window=scene.reference.window)
    assert found.physical[10, 10] == pytest.approx(index[8:13, 8:13].mean(), abs=1e-14)


def test_edges_and_holes_average_what_is_there(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    index = (NIR - RED) / (NIR + RED)
    found = run(scene, window=scene.reference.window)
    assert found.physical[0, 0] == pytest.approx(index[:3, :3].mean(), abs=1e-14)
    assert found.physical[79, 89] == pytest.approx(index[77:, 87:].mean(), abs=1e-14)
    assert found.physical[35, 49] == pytest.approx(index[33:38, 47:50].mean(), abs=1e-14)
    assert np.array_equal(found.usable, ~np.isnan(RED))


def test_cutting_changes_no_bit(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    whole = run(scene, window=scene.reference.window)
    for part in (Window(0, 0, 1, 1), Window(0, 40, 80, 13), Window(28, 45, 15, 20), Window(77, 88, 3, 2)):
        np.testing.assert_array_equal(run(scene, window=part).physical, whole.crop(part).physical)


def test_without_smoothing_it_is_the_index_itself(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    found = run(scene, window=scene.reference.window, size=1)
    np.testing.assert_array_equal(found.physical, (NIR - RED) / (NIR + RED))


@pytest.mark.parametrize(
    ("changes", "told"), [({"size": 4}, "odd"), ({"size": 0}, "odd"), ({"size": "5"}, "odd"), ({"of": "boa"}, "sr, toa")]
)
def test_unusable_parameters_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Ndvi(**changes)
