"""The step that `swath template step` writes works: its pixels are the mean that it names."""

from collections.abc import Callable

import numpy as np

from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Step
from swath.scene import Scene
from swath.steps.toa import Toa
from swath.templates.step import Brightness


def test_the_template_of_a_step_makes_the_mean_of_its_bands(make_scene: Callable[..., Scene]) -> None:
    scene, step = make_scene(), Brightness(bands=("blue", "red"))
    given = {m.name: m for r in Toa().recipes(scene, given={}) for m in r.makes}
    (recipe,) = step.recipes(scene, given=given)
    window = Window(10, 20, 30, 40)
    values = np.random.default_rng(3).uniform(0.0, 0.5, (2, *window.shape))
    values[0, 5, 6] = np.nan
    layers = {
        name: Layer(values=v, grid=recipe.grid, window=window, valid=~np.isnan(v))
        for name, v in zip(("toa:blue", "toa:red"), values, strict=True)
    }

    made = step.run(recipe, layers, window=window, scene=scene, inputs=Inputs())["brightness"]

    np.testing.assert_array_equal(made.values, (values[0] + values[1]) / 2)
    assert not made.usable[5, 6]
    assert np.count_nonzero(~made.usable) == 1
    assert isinstance(step, Step)


def test_the_template_of_a_step_makes_nothing_without_its_bands(make_scene: Callable[..., Scene]) -> None:
    assert Brightness().recipes(make_scene(), given={}) == ()
