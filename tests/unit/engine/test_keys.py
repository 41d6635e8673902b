"""Asset keys change with what an asset is made of, and with nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from swath.engine.graph import Graph, resolve
from swath.engine.keys import asset_keys
from swath.pipeline import Need
from swath.plain import canonical, digest_of
from swath.product import TEMPERATURE, ModelRef
from swath.scene import Asset, Scene
from swath.steps.toa import Toa


def _graph(make: Any, scene: Scene, *, halo: int = 1, **changes: Any) -> Graph:
    """``toa:red`` of red alone, and ``mix`` of red and swir16."""
    on = scene.assets["red"].grid
    red = make.step(name="toa", makes={"toa:red": on}, needs={"dn:red": Need()}, **changes.get("toa", {}))
    mix = make.step(
        name="mix", makes={"mix": on}, needs={"toa:red": Need(halo_px=halo), "dn:swir16": Need(on=on)}, **changes.get("mix", {})
    )
    return resolve(make.pipeline(red, mix, assets=("toa", "mix")), scene)


def _changed(make: Any, scene: Scene, **changes: Any) -> set[str]:
    before, after = asset_keys(_graph(make, scene)), asset_keys(_graph(make, scene, **changes))
    assert before.keys() == after.keys() == {"toa_red", "mix"}
    return {name for name in before if before[name] != after[name]}


def _with_band(scene: Scene, band: str, **changes: Any) -> Scene:
    return replace(scene, assets={**scene.assets, band: replace(scene.assets[band], **changes)})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"toa": {"version": 2}}, {"toa_red", "mix"}),
        ({"toa": {"parameters": {"aot550": 0.2}}}, {"toa_red", "mix"}),
        ({"mix": {"version": 2}}, {"mix"}),
        ({"mix": {"parameters": {"size": 3}}}, {"mix"}),
        ({"mix": {"encoding": TEMPERATURE}}, {"mix"}),
        ({"toa": {"encoding": TEMPERATURE}}, {"toa_red"}),
        ({"mix": {"title": "Another title stands in the file"}}, {"mix"}),
        ({"halo": 2}, {"mix"}),
        ({}, set()),
    ],
)
def test_a_change_of_a_step_changes_what_it_feeds(make: Any, scene: Scene, changes: dict[str, Any], expected: set[str]) -> None:
    assert _changed(make, scene, **changes) == expected


@pytest.mark.parametrize(
    ("band", "change", "expected"),
    [
        ("red", {"digest": "0" * 64}, {"toa_red", "mix"}),
        ("swir16", {"digest": "0" * 64}, {"mix"}),
        ("nir", {"digest": "0" * 64}, set()),
        ("red", {"nodata": 5}, {"toa_red", "mix"}),
        ("red", {"residue": 3}, {"toa_red", "mix"}),
        ("red", {"band_index": 2}, {"toa_red", "mix"}),
        ("red", {"href": "s3://elsewhere/red.tif"}, set()),
    ],
)
def test_a_change_of_a_band_changes_what_it_feeds(
    make: Any, scene: Scene, band: str, change: dict[str, Any], expected: set[str]
) -> None:
    before = asset_keys(_graph(make, scene))
    after = asset_keys(_graph(make, _with_band(scene, band, **change)))
    assert {name for name in before if before[name] != after[name]} == expected


@pytest.mark.parametrize("change", [{"scene_id": "other"}, {"source_href": "x"}, {"cloud_cover_percent": 3.0}, {"digest": "e"}])
def test_what_does_not_reach_the_pixels_changes_nothing(make: Any, scene: Scene, change: dict[str, Any]) -> None:
    assert asset_keys(_graph(make, replace(scene, **change))) == asset_keys(_graph(make, scene))


def test_a_models_digest_changes_the_key(make: Any, scene: Scene) -> None:
    def with_model(digest: str) -> str:
        graph = _graph(make, scene)
        call = graph.calls[-1]
        spec = replace(call.recipe.makes[0], model=ModelRef(name="m", version="1", digest=digest))
        changed = replace(call, recipe=replace(call.recipe, makes=(spec,)))
        return asset_keys(replace(graph, calls=(*graph.calls[:-1], changed)))["mix"]

    assert with_model("a") != with_model("b")
    assert with_model("a") == with_model("a")


@pytest.mark.parametrize("field", ["gain", "offset"])
def test_calibration_numbers_of_the_metadata_change_the_key(scene: Scene, make: Any, field: str) -> None:
    def key(asset: Asset) -> str:
        changed = replace(scene, assets={**scene.assets, "red": asset})
        return asset_keys(resolve(make.pipeline(Toa(), assets=("toa:red",)), changed))["red"]

    red = scene.assets["red"]
    changed: Any = replace(red.calibration, **{field: 0.5})  # type: ignore[arg-type]
    assert key(red) != key(replace(red, calibration=changed))


def test_keys_are_stable_over_releases(make: Any, scene: Scene) -> None:
    """A changed key makes every product anew at every site: raise ``ENGINE`` or a step's version, and change this."""
    assert asset_keys(_graph(make, scene))["toa_red"][:12] == GOLDEN


GOLDEN = "326713034e40"


def test_canonical_json_knows_no_order_and_no_nan() -> None:
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert canonical({"b": 1.5, "a": None}) == '{"a":null,"b":1.5}'
    with pytest.raises(ValueError, match="Out of range float values"):
        canonical({"a": float("nan")})
