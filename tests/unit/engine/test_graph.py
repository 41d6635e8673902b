"""What a pipeline makes of a scene, what it leaves out, and what it says about that."""

from dataclasses import replace
from typing import Any

import pytest

from swath.engine.graph import resolve
from swath.engine.offer import _named
from swath.errors import GeometryError, MissingBandError, RangeError, UnsupportedSensorError
from swath.pipeline import AssetRule, Need
from swath.scene import Scene


def _band(make: Any, scene: Scene, kind: str, band: str, **more: Any) -> Any:
    """``<kind>:<band>`` from ``dn:<band>``."""
    on = scene.assets[band].grid if band in scene.assets else scene.reference
    return make.step(name=kind, makes={f"{kind}:{band}": on}, needs={f"dn:{band}": Need()}, **more)


def test_calls_that_nothing_written_needs_are_left_away(make: Any, scene: Scene) -> None:
    red, nir = (_band(make, scene, "toa", b) for b in ("red", "nir"))
    index = make.step(name="index", makes={"index": scene.reference}, needs={"toa:red": Need()})
    graph = resolve(make.pipeline(nir, red, index, assets=("index",)), scene)
    assert [c.step for c in graph.calls] == [red, index]
    assert list(graph.outputs) == ["index"]
    assert graph.grid_of("dn:coastal").dx == 60.0
    assert graph.grid_of("index") == scene.reference
    with pytest.raises(KeyError, match="toa:nir"):
        graph.maker_of("toa:nir")


def test_a_kind_means_every_layer_of_it(make: Any, scene: Scene) -> None:
    steps = [_band(make, scene, "toa", b) for b in ("red", "nir", "swir16")]
    graph = resolve(make.pipeline(*steps, assets=("toa",)), scene)
    assert list(graph.outputs) == ["toa_red", "toa_nir", "toa_swir16"]
    assert graph.left_out == {}


def test_a_missing_required_layer_refuses_the_scene(make: Any, scene: Scene) -> None:
    pipeline = make.pipeline(_band(make, scene, "toa", "red"), assets=(), required=("toa:pan",))
    expected = "S1: no toa:pan can be made: expected band pan; got bands coastal, nir, red, swir16. Deliver the missing band"
    with pytest.raises(MissingBandError, match=expected):
        resolve(pipeline, scene)


def test_the_delivery_own_words_on_a_missing_band_are_the_remedy(make: Any, scene: Scene) -> None:
    told = replace(scene, left_out={"pan": "the file pan.tif is not in the folder"})
    with pytest.raises(MissingBandError, match=r"expected band pan; .*the file pan\.tif is not in the folder"):
        resolve(make.pipeline(_band(make, scene, "toa", "red"), assets=(), required=("toa:pan",)), told)


def test_a_missing_optional_layer_is_left_out_and_said(make: Any, scene: Scene) -> None:
    graph = resolve(make.pipeline(_band(make, scene, "toa", "red"), assets=("toa:red", "toa:pan", "bt")), scene)
    assert list(graph.outputs) == ["toa_red"]
    assert graph.left_out["toa:pan"].startswith("no toa:pan can be made: expected band pan;")
    assert graph.left_out["bt"] == "the scene has no bands that bt is made of: got bands coastal, nir, red, swir16"


def test_a_scene_that_gives_nothing_is_refused(make: Any, scene: Scene) -> None:
    pipeline = make.pipeline(_band(make, scene, "toa", "pan"), assets=("toa:pan", "bt"))
    with pytest.raises(
        MissingBandError, match=r"the scene gives nothing that test writes: expected toa:pan, bt; got bands coastal"
    ):
        resolve(pipeline, scene)


def test_a_stand_in_is_taken_under_its_own_name(make: Any, scene: Scene) -> None:
    toa = make.step(name="toa", makes={"toa:red": scene.reference}, needs={"dn:red": Need()})
    smac = _band(make, scene, "smac", "red", kinds=("sr",), refuses=UnsupportedSensorError("no coefficients for test-1"))
    graph = resolve(make.pipeline(toa, smac, assets=("sr|toa",)), scene)
    assert list(graph.outputs) == ["toa_toa_red"]
    assert graph.outputs["toa_toa_red"].name == "toa:red"
    assert graph.left_out == {"sr": "no coefficients for test-1"}


def test_the_first_kind_is_taken_where_it_can_be_made(make: Any, scene: Scene) -> None:
    toa, sr = _band(make, scene, "toa", "red"), _band(make, scene, "sr", "red")
    graph = resolve(make.pipeline(toa, sr, assets=("sr|toa",)), scene)
    assert list(graph.outputs) == ["sr_red"]
    assert graph.left_out == {}


def test_the_reason_of_a_step_is_the_reason_of_its_kinds(make: Any, scene: Scene) -> None:
    smac = _band(make, scene, "smac", "red", kinds=("sr",), refuses=UnsupportedSensorError("no coefficients for test-1"))
    with pytest.raises(UnsupportedSensorError, match="no coefficients for test-1"):
        resolve(make.pipeline(_band(make, scene, "toa", "red"), smac, assets=("toa",), required=("sr:red",)), scene)


@pytest.mark.parametrize("error", [RangeError("haze"), GeometryError("no sun")])
def test_other_reasons_refuse_the_scene_even_for_optional_layers(make: Any, scene: Scene, error: Any) -> None:
    pipeline = make.pipeline(
        _band(make, scene, "toa", "red"), _band(make, scene, "sr", "red", refuses=error), assets=("toa", "sr")
    )
    with pytest.raises(type(error), match=str(error)):
        resolve(pipeline, scene)


def test_optional_needs_are_read_where_they_are(make: Any, scene: Scene) -> None:
    def wanting(*names: str) -> Any:
        needs = {"dn:red": Need(), **{n: Need() for n in names}}
        return make.step(name="qa", makes={"qa": scene.reference}, needs=needs, optional=frozenset(names))

    with_nir = resolve(make.pipeline(wanting("dn:nir"), assets=("qa",)), scene)
    without = resolve(make.pipeline(wanting("dn:pan"), assets=("qa",)), scene)
    assert with_nir.calls[0].reads == ("dn:red", "dn:nir")
    assert without.calls[0].reads == ("dn:red",)


def test_two_layers_that_want_one_key_are_told_apart(make: Any, scene: Scene) -> None:
    specs = {}
    for kind in ("toa", "sr"):
        (recipe,) = _band(make, scene, kind, "red").recipes(scene, given={})
        specs[f"{kind}:red"] = replace(recipe.makes[0], asset="red")
    named = _named(specs)
    assert {key: spec.name for key, spec in named.items()} == {"toa_red": "toa:red", "red": "sr:red"}
    assert {key: spec.asset for key, spec in named.items()} == {"toa_red": "toa_red", "red": "red"}


def test_a_step_makes_its_layers_in_the_system_that_it_reads_in(make: Any, scene: Scene) -> None:
    other = replace(scene.reference, crs="EPSG:32634")
    asking = make.step(name="a", makes={"a": scene.reference}, needs={"dn:red": Need(on=other)})
    told = r"step a reads dn:red in another coordinate system .* expected a grid in EPSG:32633, .* got a grid in EPSG:32634"
    with pytest.raises(GeometryError, match=told):
        resolve(make.pipeline(asking, assets=("a",)), scene)
    making = make.step(name="b", makes={"b": other}, needs={"dn:red": Need()})
    with pytest.raises(GeometryError, match=r"Let the step ask for the layer on the grid that it makes \(Need.on\)"):
        resolve(make.pipeline(making, assets=("b",)), scene)


def test_a_promised_layer_is_missed_only_where_the_delivery_names_its_band(make: Any, scene: Scene) -> None:
    pipeline = make.pipeline(_band(make, scene, "toa", "red"), assets=("toa",))
    promising = replace(pipeline, assets=(AssetRule(layers="toa:pan", promised=True), *pipeline.assets))
    graph = resolve(promising, scene)
    assert list(graph.outputs) == ["toa_red"]
    assert graph.left_out["toa:pan"].startswith("no toa:pan can be made")
    with pytest.raises(MissingBandError, match=r"expected band pan; .*the file pan\.tif is not in the folder"):
        resolve(promising, replace(scene, left_out={"pan": "the file pan.tif is not in the folder"}))
