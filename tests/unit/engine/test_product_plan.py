"""What is to be made of a scene: names, folder, keys, previews, cut, and what is left out."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from swath.engine.product_plan import ProductPlan, plan_product, product_of
from swath.errors import ConfigError, MissingBandError
from swath.product import AssetRecord, Statistics
from swath.scene import Scene


def _pipeline(*steps: str, assets: tuple[str, ...], **more: Any) -> str:
    plain = {
        "name": "mine",
        "steps": [{"name": s, "parameters": {}} for s in steps],
        "assets": [{"layers": a, "required": False} for a in assets],
        **more,
    }
    return json.dumps(plain)


@pytest.fixture
def coloured(make: Any) -> Scene:
    """True colour at 10 m, and the shortest wavelength at 60 m."""
    fine, coarse = make.grid(10.0, height=1200, width=600), make.grid(60.0, height=200, width=100)
    return make.scene({"red": fine, "green": fine, "blue": fine, "coastal": coarse})  # type: ignore[no-any-return]


def _plan(scene: Scene, **more: Any) -> ProductPlan:
    return plan_product(scene.to_json(), _pipeline("toa", assets=("toa",), **more))


def test_a_product_is_named_after_scene_pipeline_and_day(coloured: Scene) -> None:
    scene = replace(coloured, acquired=datetime.fromisoformat("2024-05-07T01:30:00+02:00"))
    plan = _plan(scene)
    assert (plan.product_id, plan.collection) == ("S1.mine", "mine-test")
    # The day is UTC's: half past one in Paris is still yesterday.
    assert plan.folder == "products/mine-test/2024/05/06/S1.mine"
    assert plan.href("red") == f"S1.mine.red.{plan.keys['red'][:12]}.tif"


def test_pictures_need_all_three_colours(coloured: Scene, scene: Scene) -> None:
    assert _plan(coloured).previews == ("toa:red", "toa:green", "toa:blue")
    assert _plan(scene).previews == ()


def test_colours_on_different_grids_make_no_picture(coloured: Scene, make: Any) -> None:
    green = replace(coloured.assets["green"], grid=make.grid(20.0, height=600, width=300))
    plan = _plan(replace(coloured, assets={**coloured.assets, "green": green}))
    assert "green" in plan.keys
    assert plan.previews == ()


def test_the_product_key_follows_the_asset_keys(coloured: Scene) -> None:
    other = replace(coloured, assets={**coloured.assets, "red": replace(coloured.assets["red"], digest="0" * 64)})
    assert _plan(coloured).product_key == _plan(replace(coloured, source_href="elsewhere")).product_key
    assert _plan(coloured).product_key != _plan(other).product_key


def test_strips_keep_the_blocks_of_every_asset(coloured: Scene) -> None:
    assert _plan(coloured).cut(rows=None, split=True).strips == 1
    with pytest.raises(ConfigError, match=r"1024 rows .* legal here: multiples of 3072, or 1200 \(the whole scene\)"):
        _plan(coloured).cut(rows=1024, split=True)
    without = replace(coloured, assets={n: a for n, a in coloured.assets.items() if n != "coastal"})
    assert _plan(without).cut(rows=512, split=True).strips == 3


def test_what_the_configuration_lacked_is_told_with_what_the_scene_lacks(coloured: Scene) -> None:
    told = replace(coloured, left_out={"pan": "not delivered"})
    left_out = _plan(told, absent={"landcover": "no model m could be resolved"}).graph.left_out
    assert left_out == {"pan": "not delivered", "landcover": "no model m could be resolved"}


def test_a_scene_without_the_required_band_is_refused(coloured: Scene) -> None:
    pipeline = _pipeline("toa", assets=()).replace('"assets": []', '"assets": [{"layers": "toa:nir08", "required": true}]')
    with pytest.raises(MissingBandError, match="S1: no toa:nir08 can be made: expected band nir08"):
        plan_product(coloured.to_json(), pipeline)


def test_the_product_says_how_it_was_made(coloured: Scene) -> None:
    pipeline = _pipeline("toa", "ndvi", assets=("toa:red",), version=3)
    plan = plan_product(coloured.to_json(), pipeline)
    record = AssetRecord(name="red", layer="toa:red", href="x", key="k", bytes=1, digest="d", statistics=Statistics(count=1))
    product = product_of(plan, pipeline, records=[record])
    assert product.assets == (record,)
    assert (product.pipeline, product.pipeline_version, product.product_id) == ("mine", 3, "S1.mine")
    # NDVI is not made for what is written, so it is no part of the history.
    assert [(s.name, s.version) for s in product.steps] == [("toa", 1)]
    assert product.facts["toa"]["calibration"]["gain"] == 1e-4
    assert product.scene.acquired == datetime(2024, 5, 6, tzinfo=UTC)
