"""What stands behind an asset, and when a picture is still that of the version before."""

import json
from typing import Any

import pytest

from swath.engine.descent import layers_behind, same_pictures
from swath.engine.product_plan import ProductPlan, plan_product

COLOURS = ("red", "green", "blue")


@pytest.fixture
def plan(make: Any) -> ProductPlan:
    fine = make.grid(10.0, height=64, width=64)
    scene = make.scene(dict.fromkeys((*COLOURS, "nir"), fine))
    pipeline = {
        "name": "mine",
        "steps": [{"name": "toa"}, {"name": "ndvi"}],
        "assets": [{"layers": "toa", "required": True}, {"layers": "ndvi", "required": False}],
    }
    return plan_product(scene.to_json(), json.dumps(pipeline))


def test_everything_on_the_way_stands_behind_an_asset(plan: ProductPlan) -> None:
    assert layers_behind(plan.graph, "red") == {"toa:red"}
    assert layers_behind(plan.graph, "ndvi") >= {"ndvi", "toa:red", "toa:nir"}
    assert "toa:blue" not in layers_behind(plan.graph, "ndvi")


def test_a_picture_stays_when_each_of_its_layers_feeds_an_unchanged_asset(plan: ProductPlan) -> None:
    assert same_pictures(plan, {"ndvi", "green", "blue"})
    assert same_pictures(plan, set(COLOURS))
    assert not same_pictures(plan, {"ndvi", "green"})
    assert not same_pictures(plan, set())
