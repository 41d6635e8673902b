"""Land cover of a real Landsat 5 scene with polygons that people drew."""

from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import resolve
from swath.engine.supplies import Supplies
from swath.grid import Window
from swath.inference.digest import model_digest
from swath.inference.loader import load_predictor
from swath.inference.step_model import StepModel
from swath.pipeline import AssetRule, Layer, Pipeline
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.steps.landcover import Landcover
from swath.steps.toa import Toa
from swath.training.draw import Drawn, draw
from swath.training.polygons import Polygons, read_polygons
from swath.training.recipe import TrainingRecipe
from swath.training.train import judge, write_model

pytestmark = pytest.mark.real
RECIPE = TrainingRecipe.read(Path(__file__).resolve().parents[2] / "models" / "landcover-tm" / "recipe.yaml")


@pytest.fixture(scope="module")
def expected(oracles: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in _every(oracles) if str(o.get("files", "")).startswith("rstoolbox"))
    return found


def _every(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [d for v in value for d in _every(v)]
    return [value, *(d for v in value.values() for d in _every(v))] if isinstance(value, dict) else []


@pytest.fixture(scope="module")
def folder(scenes: Path) -> Path:
    return scenes / "rstoolbox" / "inst" / "external" / "landsat"


@pytest.fixture(scope="module")
def polygons(scenes: Path) -> Polygons:
    return read_polygons(str(scenes / "rstoolbox" / "converted" / "trainingPolygons_lsat.geojson"))


@pytest.fixture(scope="module")
def drawn(folder: Path, polygons: Polygons) -> Drawn:
    return draw([str(folder)], polygons, request=RECIPE.features)


def test_the_pixels_under_the_polygons_are_those_that_were_counted(drawn: Drawn, expected: dict[str, Any]) -> None:
    assert drawn.refused == {}
    assert len(drawn.samples) == expected["pixels"]
    assert drawn.samples.groupby("label")["polygon_id"].nunique().to_dict() == expected["classes"]


def test_held_out_polygons_are_classified_with_95_percent_accuracy(drawn: Drawn) -> None:
    judgement = judge(drawn.samples, recipe=RECIPE)
    assert len(judgement.splits) == 5
    assert fmean(m.accuracy for m in judgement.splits) >= 0.95
    assert judgement.pooled.kappa >= 0.93


def test_probabilities_are_calibrated_on_polygons_that_nothing_has_seen(drawn: Drawn) -> None:
    judgement = judge(drawn.samples, recipe=RECIPE)
    assert judgement.calibrated is not None
    assert judgement.calibrated.after.error <= 0.05
    assert judgement.calibrated.after.error <= judgement.calibrated.before.error + 0.002
    assert judgement.calibrated.after.pixels.sum() == judgement.pooled.confusion.sum()


def test_the_map_of_the_scene_agrees_with_the_polygons(folder: Path, drawn: Drawn, tmp_path: Path) -> None:
    manifest = RECIPE.manifest(metrics={"accuracy": 0.0, "accuracy_min": 0.0, "kappa": 0.0})
    model = tmp_path / "model"
    write_model(model, drawn.samples, recipe=RECIPE, manifest=manifest, judgement=judge(drawn.samples, recipe=RECIPE))
    digest, scene = model_digest(model), read_scene(str(folder))
    step = Landcover(model=StepModel(name=manifest.name, version="1", digest=digest, manifest=manifest))
    pipeline = Pipeline(name="p", title="P", steps=(Toa(), step), assets=(AssetRule(layers="landcover", required=True),))
    supplies = Supplies(models={manifest.name: load_predictor(model, digest)})
    with BandReader() as reader:

        def read(band: str, window: Window) -> Layer:
            return reader.read(scene, band, window)

        graph = resolve(pipeline, scene)
        targets = {"landcover": scene.reference.window}
        land = evaluate(graph, targets, read=read, supplies=supplies, clock=Clock())["landcover"]
    codes = {c.name: c.value for c in manifest.classes}
    truth = np.array([codes[label] for label in drawn.samples["label"]])
    mapped = land.values[drawn.samples["row"], drawn.samples["col"]]
    # These pixels taught the model, so this is no measure of quality: it shows that training and mapping are one path.
    assert np.mean(mapped == truth) > 0.99
    assert land.usable.mean() > 0.99
