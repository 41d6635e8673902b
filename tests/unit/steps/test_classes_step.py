from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from swath.errors import ConfigError
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Step
from swath.product import REFLECTANCE, LayerSpec
from swath.scene import Scene
from swath.steps.classes import Classes
from swath.steps.registry import step

WINDOW = Window(0, 0, 1, 5)


def test_it_is_a_step() -> None:
    assert isinstance(Classes(), Step)


def test_values_fall_into_classes(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    spec = LayerSpec(name="ndvi", asset="ndvi", title="NDVI", grid=scene.reference, encoding=REFLECTANCE)
    step = Classes(thresholds=(0.0, 0.5), names=("water", "bare_soil", "green"))
    (recipe,) = step.recipes(scene, given={"ndvi": spec})
    values = np.array([[-0.2, 0.0, 0.4999, 0.5, np.nan]])
    layer = Layer(values=values, grid=scene.reference, window=WINDOW, valid=~np.isnan(values))
    made = step.run(recipe, {"ndvi": layer}, window=WINDOW, scene=scene, inputs=Inputs())["classes"]
    assert made.values.tolist() == [[0, 1, 1, 2, 0]]
    assert made.values.dtype == np.uint8
    assert made.usable.tolist() == [[True, True, True, True, False]]
    categories = recipe.makes[0].encoding.categories
    assert [(c.value, c.name, c.title) for c in categories] == [
        (0, "water", "Water"),
        (1, "bare_soil", "Bare soil"),
        (2, "green", "Green"),
    ]
    assert len({c.rgb for c in categories}) == 3


def test_without_the_layer_there_is_nothing_to_make(make_scene: Callable[..., Scene]) -> None:
    assert Classes().recipes(make_scene(), given={}) == ()


def test_lists_of_a_file_are_taken() -> None:
    assert step("classes", {"thresholds": [0.1], "names": ["a", "b"]}) == Classes(thresholds=(0.1,), names=("a", "b"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"thresholds": (0.5, 0.2)}, "ascending"),
        ({"thresholds": (0.2, 0.2)}, "ascending"),
        ({"thresholds": ()}, "ascending"),
        ({"thresholds": ("0.2",)}, "ascending"),
        ({"thresholds": (float("nan"),)}, "ascending"),
        ({"names": ("a",)}, "needs 4 names for 3 thresholds, got 1"),
        ({"names": ("a", "a", "b", "c")}, "different"),
    ],
)
def test_unusable_parameters_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Classes(**changes)
