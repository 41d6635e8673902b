"""Who judges clouds, and what is never clear."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.steps.conftest import GRID, asset

from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import Graph, resolve
from swath.engine.supplies import Supplies
from swath.errors import ConfigError, MissingBandError, ModelContractError
from swath.grid import Window
from swath.inference.manifest import Manifest
from swath.inference.network import Decision
from swath.inference.step_model import StepModel
from swath.pipeline import AssetRule, Layer, Pipeline
from swath.place import Place
from swath.product import Category
from swath.scene import Reflectance, Scene
from swath.steps.clouds import Clouds
from swath.steps.toa import Toa

BANDS = ("blue", "green", "red", "nir08", "swir16", "swir22")
#: Reflectance of vegetation, of a cloud, and of the vegetation in its shadow, by band.
LEAVES = (0.08, 0.09, 0.07, 0.35, 0.2, 0.1)
WHITE = (0.5, 0.5, 0.5, 0.55, 0.5, 0.4)
SHADED = (0.05, 0.05, 0.04, 0.15, 0.08, 0.04)
CALIBRATION = Reflectance(gain=1e-4, offset=0.0, sun_normalised=True)
OTHERS = tuple(Category(value=n, name=f"c{n}", title="") for n in range(2))
SETTINGS: dict[str, Any] = {"highest_m": 800.0}


class Whiteness:
    """Cloud where the first band is bright."""

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        assert place is not None
        cloud = np.nan_to_num(features[0])[place.given.slices_of(place.wanted)] * np.float32(1.6)
        return np.stack([1 - cloud, cloud])


def model(**changes: Any) -> StepModel:
    fields: dict[str, Any] = {
        "name": "white", "kind": "forest", "weights": "forest.npz", "bands": ("blue",), "of": "toa", "licence": "MIT",
        "classes": (Category(value=0, name="clear", title="Clear"), Category(value=1, name="cloud", title="Cloud")),
        "pixel_m": (20.0, 40.0), "decision": Decision(threshold=0.4, average_px=1, dilation_px=1),
    }  # fmt: skip
    return StepModel(name="white", version="1", digest="c" * 64, manifest=Manifest(**{**fields, **changes}))


@pytest.fixture
def scene(make_scene: Callable[..., Scene]) -> Scene:
    """Six bands, no quality band; the sun in the south-east, half way up."""
    made = make_scene()
    bands = {n: asset(n, calibration=CALIBRATION) for n in BANDS}
    return replace(made, assets=bands, angles=replace(made.angles, sun_elevation_deg=45.0, sun_azimuth_deg=180.0))


def numbers() -> dict[str, NDArray[np.uint16]]:
    """A cloud, 20 pixels north of it darker leaves, one pixel without data, one saturated."""
    found = {}
    for band, leaves, white, shaded in zip(BANDS, LEAVES, WHITE, SHADED, strict=True):
        values = np.full(GRID.window.shape, leaves)
        values[60:66, 30:40], values[40:46, 30:40] = white, shaded
        counts = np.rint(values * 1e4).astype(np.uint16)
        found[band] = counts
    found["red"][10, 10], found["swir22"][12, 12] = 0, 65535
    return found


def graph_of(scene: Scene, step: Clouds) -> Graph:
    return resolve(Pipeline(name="c", title="", steps=(Toa(), step), assets=(AssetRule(layers="cloud", required=True),)), scene)


def made(scene: Scene, step: Clouds, window: Window, *, also: dict[str, NDArray[Any]] | None = None) -> Layer:
    held = {**numbers(), **(also or {})}

    def read(band: str, part: Window) -> Layer:
        values = held[band][GRID.window.slices_of(part)]
        nodata = scene.assets[band].nodata
        return Layer(values=values, grid=GRID, window=part, valid=None if nodata is None else values != nodata)

    supplies = Supplies(models={"white": Whiteness()})
    return evaluate(graph_of(scene, step), {"cloud": window}, read=read, supplies=supplies, clock=Clock())["cloud"]


def test_the_rule_finds_a_cloud_and_its_shadow(scene: Scene) -> None:
    found = made(scene, Clouds(by="rule", **SETTINGS), GRID.window)
    assert (found.values[60:66, 30:40] == 1).all()
    assert (found.values[40:46, 30:40] == 2).all()
    assert np.count_nonzero(found.values) == 120


def test_no_data_and_saturated_numbers_are_never_clear(scene: Scene) -> None:
    for step in (Clouds(by="rule"), Clouds(by="model", model=model(bands=("blue", "red", "swir22")))):
        usable = made(scene, step, GRID.window).usable
        assert (~usable).sum() == 2
        assert not usable[10, 10]
        assert not usable[12, 12]


def test_numbers_that_are_none_are_never_clear(scene: Scene) -> None:
    held: dict[str, NDArray[Any]] = {band: values.astype(np.float32) for band, values in numbers().items()}
    held["green"][20, 20] = np.nan
    held["swir16"][62, 35] = np.nan  # within the cloud
    assets = {n: replace(a, dtype="float32", nodata=None, saturated=None) for n, a in scene.assets.items()}
    floats = replace(scene, assets=assets)
    for step in (Clouds(by="rule"), Clouds(by="model", model=model(bands=("blue", "green", "swir16")))):
        found = made(floats, step, GRID.window, also=held)
        assert not found.usable[20, 20]
        assert not found.usable[62, 35]
        assert (~found.usable).sum() == 2


@pytest.mark.parametrize("step", [Clouds(by="rule", dilate_m=60.0, **SETTINGS), Clouds(model=model(), **SETTINGS)])
def test_pieces_have_the_map_of_the_whole(scene: Scene, step: Clouds) -> None:
    whole = made(scene, step, GRID.window)
    for rows, cols in ((1, 90), (37, 23)):
        for row in range(0, GRID.height, rows):
            for col in range(0, GRID.width, cols):
                window = Window(row, col, rows, cols).clip(GRID.window)
                part = made(scene, step, window)
                assert np.array_equal(part.values, whole.crop(window).values)
                assert np.array_equal(part.usable, whole.crop(window).usable)


def test_a_mask_is_grown_in_metres(scene: Scene) -> None:
    found = made(scene, Clouds(by="rule", dilate_m=60.0, highest_m=0.0), GRID.window)
    assert np.count_nonzero(found.values == 1) > 60
    assert found.values[58, 35] == 1
    assert found.values[57, 35] == 0


def quality(scene: Scene, make_scene: Callable[..., Scene]) -> Scene:
    return replace(scene, assets={**scene.assets, "qa_pixel": make_scene().assets["qa_pixel"]})


def test_the_first_judge_that_can_is_taken_and_recorded(scene: Scene, make_scene: Callable[..., Scene]) -> None:
    delivered = quality(scene, make_scene)
    coarse = replace(GRID, dx=900.0, dy=900.0)
    decimated = replace(scene, assets={n: replace(a, grid=coarse) for n, a in scene.assets.items()})
    for judged, step, by, because in (
        (delivered, Clouds(model=model()), "model", ""),
        (delivered, Clouds(), "delivered", "no model is pinned"),
        (scene, Clouds(), "rule", "no band of the delivery judges clouds"),
        (decimated, Clouds(model=model()), "rule", "made for pixels of 20 to 40 m"),
        (delivered, Clouds(by="rule"), "rule", "asked for"),
    ):
        (call,) = [c for c in graph_of(judged, step).calls if c.step.name == "clouds"]
        assert call.recipe.facts["by"] == by
        assert because in call.recipe.facts["because"]
        assert (call.recipe.makes[0].model is not None) == (by == "model")
        json.dumps(dict(call.step.parameters))


def test_the_delivered_judgement_is_copied(scene: Scene, make_scene: Callable[..., Scene]) -> None:
    bits = np.full(GRID.window.shape, 21824, dtype=np.uint16)
    bits[5, 5], bits[6, 6], bits[7, 7] = 22280, 23888, 1
    found = made(quality(scene, make_scene), Clouds(by="delivered"), GRID.window, also={"qa_pixel": bits})
    assert (found.values[5, 5], found.values[6, 6], found.values[8, 8]) == (1, 2, 0)
    assert not found.usable[7, 7]


def test_a_finer_scene_is_judged_at_the_models_pixels(scene: Scene) -> None:
    fine = replace(GRID, dx=10.0, dy=10.0)
    sharp = replace(scene, assets={n: replace(a, grid=fine) for n, a in scene.assets.items()})
    calls = [c for c in graph_of(sharp, Clouds(model=model(resolution_m=30.0))).calls if c.step.name == "clouds"]
    assert [c.recipe.grid.resolution_m for c in calls] == [30.0, 10.0]
    assert (calls[0].recipe.grid.width, calls[0].recipe.grid.height) == (30, 27)


def test_what_cannot_judge_says_why(scene: Scene) -> None:
    without = replace(scene, assets={n: a for n, a in scene.assets.items() if n != "swir22"})
    with pytest.raises(MissingBandError, match=r"clouds cannot be distinguished from the ground.*no toa:swir22"):
        graph_of(without, Clouds())
    with pytest.raises(ModelContractError, match=r"the scene lacks bands of model white.*no toa:coastal"):
        graph_of(scene, Clouds(by="model", model=model(bands=("coastal",))))
    with pytest.raises(MissingBandError, match="no band of the delivery judges clouds"):
        graph_of(scene, Clouds(by="delivered"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"by": "fmask"}, "by must be auto, model, rule or delivered"),
        ({"by": "model"}, r"needs a model.*swath models fetch csmask"),
        ({"dilate_m": -1.0}, r"dilate_m must be in 0\.\.3000 m"),
        ({"model": model(classes=OTHERS)}, "is not a cloud model"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Clouds(**given)
