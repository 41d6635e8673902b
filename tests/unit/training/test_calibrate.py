"""Calibrated probabilities: the temperature is found again, the error falls, and nothing else of a model changes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]
from tests.tiny_model import RECIPE, samples

from swath.errors import ConfigError
from swath.inference.admission import admit, findings_of
from swath.inference.calibration import Calibration, calibrated
from swath.inference.loader import predictor_of, raw_predictor_of
from swath.inference.manifest import Manifest, read_manifest
from swath.training.calibrate import Calibrated, HeldOut, temperature_of
from swath.training.reliability import Reliability
from swath.training.train import judge, write_model

CALIBRATING = replace(RECIPE, calibration="temperature")


def overconfident(pixels: int = 40_000, *, by: float = 2.5) -> HeldOut:
    """Answers whose scores are ``by`` times too large."""
    random = np.random.default_rng(11)
    scores = random.normal(0.0, 1.5, (3, pixels))
    true = softmax(scores)
    truth = (random.random(pixels) > true.cumsum(axis=0)).sum(axis=0)
    return HeldOut(
        probabilities=softmax(scores * by).astype(np.float32),
        truth=np.minimum(truth, 2),
        polygons=np.array([f"p{i // 100}" for i in range(pixels)]),
    )


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(scores - scores.max(axis=0))
    made: NDArray[np.float64] = raised / raised.sum(axis=0)
    return made


def test_a_calibrated_probability_is_the_softmax_of_the_scores_by_the_temperature() -> None:
    scores = np.random.default_rng(5).normal(0.0, 3.0, (4, 1000))
    found = calibrated(softmax(scores).astype(np.float32), temperature=1.7)
    assert np.abs(found - softmax(scores / 1.7)).max() < 1e-6
    assert (calibrated(np.array([[1.0], [0.0]], dtype=np.float32), temperature=3.0) == [[1.0], [0.0]]).all()


def test_the_temperature_is_that_of_a_second_optimiser_and_undoes_the_overconfidence() -> None:
    held = overconfident()

    def loss(temperature: float) -> float:
        made = softmax(np.log(held.probabilities.astype(np.float64)) / temperature)
        return float(-np.log(made[held.truth, np.arange(held.truth.size)]).mean())

    found = temperature_of(held)
    assert found == pytest.approx(minimize_scalar(loss, bounds=(0.1, 10.0), method="bounded").x, abs=1e-3)
    assert found == pytest.approx(2.5, rel=0.03)
    both = Calibrated.of([held])
    assert both.before.error > 0.1
    assert both.after.error < 0.02


def test_the_error_is_that_of_the_definition() -> None:
    confidence = np.array([0.55, 0.56, 0.95, 0.99], dtype=np.float32)
    right = np.array([True, False, True, True])
    # Bins of 1/15: .55 and .56 share one, .95 and .99 the last.
    expected = (2 * abs(0.555 - 0.5) + 2 * abs(0.97 - 1.0)) / 4
    assert Reliability.of(confidence, right).error == pytest.approx(expected)


def test_a_calibrated_model_carries_its_temperature_and_confusion_and_is_admitted(tmp_path: Path) -> None:
    drawn = samples({"low": 0.38, "high": 0.46}, seed=2, polygons=8)
    judgement = judge(drawn, recipe=CALIBRATING)
    manifest = CALIBRATING.manifest(metrics=judgement.flat(), training={}, **judgement.stated)
    write_model(tmp_path / "m", drawn, recipe=CALIBRATING, manifest=manifest, judgement=judgement)
    assert admit(tmp_path / "m") == manifest == Manifest.from_plain(manifest.to_plain())
    assert manifest.calibration is not None
    assert manifest.error_matrix is not None
    assert np.array(manifest.error_matrix.confusion).tolist() == judgement.pooled.confusion.tolist()
    assert max(manifest.error_matrix.polygons) <= 16
    card = (tmp_path / "m" / "card.md").read_text(encoding="utf-8")
    assert f"temperature {manifest.calibration.temperature:.4f}" in card
    assert "| mean confidence | accuracy | pixels |" in card
    features = np.random.default_rng(3).uniform(0.2, 0.6, (2, 500)).astype(np.float32)
    raw, stated = (f(tmp_path / "m", manifest).predict(features) for f in (raw_predictor_of, predictor_of))
    assert np.array_equal(stated, calibrated(raw, temperature=manifest.calibration.temperature))
    assert not np.array_equal(stated, raw)


def test_a_recipe_without_calibration_makes_the_same_manifest_as_before(tmp_path: Path) -> None:
    drawn = samples({"low": 0.2, "high": 0.6}, seed=2)
    judgement = judge(drawn, recipe=RECIPE)
    manifest = RECIPE.manifest(metrics=judgement.flat(), training={"recipe": RECIPE.plain()}, **judgement.stated)
    write_model(tmp_path / "m", drawn, recipe=RECIPE, manifest=manifest, judgement=judgement)
    told = json.loads((tmp_path / "m" / "manifest.json").read_text(encoding="utf-8"))
    assert not {"calibration", "error_matrix"} & {*told, *told["training"]["recipe"]}
    assert read_manifest(tmp_path / "m").calibration is None


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("calibration", {"temperature": 0.0}, "calibration.temperature must be in 0.01..100, got 0.0"),
        ("calibration", {"temperature": 1.0, "method": "isotonic"}, "calibration.method must be temperature, got 'isotonic'"),
        ("error_matrix", {"confusion": [[1]], "polygons": [1]}, "error_matrix must have 2 rows and columns"),
        ("error_matrix", {"confusion": [[1, 0], [-1, 2]], "polygons": [1, 1]}, "error_matrix must hold counts"),
    ],
)
def test_a_manifest_with_a_wrong_calibration_is_refused(key: str, value: object, told: str, tmp_path: Path) -> None:
    plain = RECIPE.manifest().to_plain() | {key: value}
    (tmp_path / "manifest.json").write_text(json.dumps(plain), encoding="utf-8")
    assert told in str(findings_of(tmp_path)[0])


def test_a_recipe_names_a_calibration_that_there_is() -> None:
    with pytest.raises(ConfigError, match="calibration must be none or temperature, got 'isotonic'"):
        replace(RECIPE, calibration=cast("Any", "isotonic"))
    assert list(Calibration(temperature=1.0).problems()) != []
