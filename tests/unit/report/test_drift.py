"""Drift of a model: counts add up exactly, thresholds are named when they are passed, unknown ones are refused."""

from dataclasses import asdict
from typing import Any

import pytest

from swath.errors import ConfigError
from swath.product import ModelRef
from swath.report.drift import DriftCounts, DriftTerms, ModelDrift, TrainingCounts, counts_of_plain, together

MODEL = ModelRef(name="m", version="2", digest="d" * 64)
TRAINING = TrainingCounts(features={"sr:red": (1, 49, 49, 1)}, classes={"low": 50, "high": 50})
ONE = DriftCounts(features={"sr:red": (0, 40, 40, 20), "sr:nir08": (5, 5, 90)}, classes={"low": 90, "high": 10}, sure=(7200, 100))


def drift(counts: DriftCounts = ONE) -> ModelDrift:
    return ModelDrift.of(MODEL, counts, training=TRAINING)


def test_numbers_are_those_of_the_counts() -> None:
    found = drift()
    assert [f.layer for f in found.features] == ["sr:nir08", "sr:red"]
    assert found.features[0].psi is None  # training kept no histogram of it
    assert found.psi == found.features[1].psi
    assert found.psi is not None
    assert found.psi > 0.25
    assert (found.outside, found.class_change, found.confidence) == pytest.approx((0.95, 0.4, 0.72))


def test_products_add_up_whatever_their_order() -> None:
    other = DriftCounts(features={"sr:red": (1, 1, 1, 1)}, classes={"high": 4}, sure=(100, 4))
    assert ONE + other == other + ONE
    plain = [counts_of_plain(asdict(drift(c))) for c in (ONE, other)]
    assert together({}, plain) == {MODEL.digest: ONE + other}


def test_thresholds_that_are_passed_are_named() -> None:
    assert drift().beyond(DriftTerms()) == (f"PSI of 1 features above 0.25, up to {drift().psi:.2f} (sr:red)",)
    every = drift().beyond(DriftTerms(psi=None, outside=0.1, class_change=0.3, confidence=0.8))
    assert every == (
        "95.0% of sr:nir08 beyond the training data, allowed 10.0%",
        "class shares changed by 0.40, allowed 0.3",
        "mean confidence 0.72, least 0.8",
    )
    assert drift().beyond(DriftTerms(psi=None)) == ()


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"pis": 0.3}, r"unknown threshold drift.pis; did you mean 'psi'\?"),
        ({"psi": "much"}, "drift.psi must be a number of at least 0 or null, got 'much'"),
        ({"outside": -1}, "drift.outside must be a number of at least 0 or null, got -1"),
    ],
)
def test_what_is_no_threshold_is_refused(plain: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        DriftTerms.of(plain)
