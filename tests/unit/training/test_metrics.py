"""Metrics against scikit-learn, a second implementation, and against a published table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, cohen_kappa_score, precision_recall_fscore_support

from swath.training.metrics import ModelMetrics

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=60)


def test_kappa_of_a_matrix_worked_by_hand() -> None:
    # 50 cases, 35 agreed on; chance agrees on (25 * 30 + 25 * 20) / 50^2 = .5, so kappa = (.7 - .5) / (1 - .5).
    metrics = ModelMetrics(names=("yes", "no"), confusion=np.array([[20, 5], [10, 15]]))
    assert metrics.accuracy == pytest.approx(0.7)
    assert metrics.kappa == pytest.approx(0.4)


@given(pairs=PAIRS)
def test_numbers_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(x, dtype=np.int64) for x in zip(*pairs, strict=True))
    metrics = ModelMetrics.of(truth, predicted, names=("a", "b", "c", "d"))
    expected = precision_recall_fscore_support(truth, predicted, labels=[0, 1, 2, 3], zero_division=0.0)
    assert np.allclose([metrics.precision, metrics.recall, metrics.f1], expected[:3])
    assert metrics.confusion.sum(axis=1).tolist() == expected[3].tolist()
    assert metrics.accuracy == pytest.approx(accuracy_score(truth, predicted))
    if len(set(truth) | set(predicted)) > 1:
        assert metrics.kappa == pytest.approx(cohen_kappa_score(truth, predicted))


def test_rows_are_the_truth() -> None:
    metrics = ModelMetrics.of(np.array([0, 0, 1]), np.array([1, 1, 1]), names=("a", "b"))
    assert metrics.confusion.tolist() == [[0, 2], [0, 1]]


def test_pooling_adds_pixels() -> None:
    one = ModelMetrics(names=("a", "b"), confusion=np.array([[1, 2], [3, 4]]))
    assert ModelMetrics.pooled([one, one]).confusion.tolist() == [[2, 4], [6, 8]]


def test_flat_names_every_class() -> None:
    flat = ModelMetrics(names=("a", "b"), confusion=np.array([[8, 2], [0, 10]])).flat()
    assert flat["accuracy"] == pytest.approx(0.9)
    assert [flat["recall.a"], flat["precision.a"]] == pytest.approx([0.8, 1.0])
    assert set(flat) == {"accuracy", "kappa", *(f"{k}.{n}" for k in ("precision", "recall", "f1") for n in "ab")}
