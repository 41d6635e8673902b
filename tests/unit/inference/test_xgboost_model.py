"""XGBoost's files become the same arrays: every answer is XGBoost's own, to the last bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.forest import Forest
from swath.inference.forest_predictor import ForestPredictor
from swath.inference.xgboost_model import parse_xgboost

FEATURES = 5
BOOSTERS = Path(__file__).with_name("boosters")


def taught(classes: int, *, missing: bool) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(classes)
    truth = random.integers(0, classes, 1500)
    features = random.uniform(0.0, 0.5, (classes, FEATURES))[truth] + random.normal(0.0, 0.1, (1500, FEATURES))
    if missing:
        features[random.random(features.shape) < 0.08] = np.nan
    return features.astype(np.float32), truth


def booster(classes: int, *, missing: bool = False, **more: Any) -> xgboost.Booster:
    features, truth = taught(classes, missing=missing)
    settings = {"objective": "multi:softprob", "num_class": classes} if classes > 2 else {"objective": "binary:logistic"}
    return xgboost.train({**settings, "nthread": 1, **more}, xgboost.DMatrix(features, truth), 8)


def rows_for(forest: Forest, *, count: int = 20_000) -> NDArray[np.float32]:
    """Usual values, NaN, tiny ones, both zeros, and every threshold with its neighbours; XGBoost itself refuses infinities."""
    random = np.random.default_rng(5)
    near = np.concatenate([forest.cut, np.nextafter(forest.cut, np.float32(-9)), np.nextafter(forest.cut, np.float32(9))])
    odd = np.array([np.nan, 0.0, -0.0, 1e-45, -1e-45, 1e-35, -1e-35, 3e38, -3e38], dtype=np.float32)
    picked = random.choice(np.concatenate([near, np.repeat(odd, near.size // 40 + 1)]), (count // 2, FEATURES))
    return np.concatenate([random.random((count // 2, FEATURES), dtype=np.float32), picked])


def by_xgboost(model: xgboost.Booster, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    answer = model.predict(xgboost.DMatrix(rows, nthread=1))
    return np.stack([np.float32(1.0) - answer, answer]) if answer.ndim == 1 else answer.T


@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(
    ("missing", "more"),
    [
        (False, {}),
        (True, {"tree_method": "exact"}),
        (True, {"max_depth": 9, "min_child_weight": 0}),
        (False, {"num_parallel_tree": 3, "subsample": 0.6}),
        (False, {"base_score": 0.3}),
    ],
)
def test_answers_are_xgboosts_to_the_last_bit(classes: int, *, missing: bool, more: dict[str, Any], form: str) -> None:
    model = booster(classes, missing=missing, **more)
    forest = parse_xgboost(bytes(model.save_raw(form))).forest
    rows = rows_for(forest)
    answer = ForestPredictor(forest).predict(np.ascontiguousarray(rows.T))
    assert np.array_equal(answer, by_xgboost(model, rows))
    assert np.array_equal(ForestPredictor(forest, scanned_leaves=0).predict(np.ascontiguousarray(rows.T)), answer)


def test_one_number_is_the_start_of_every_class_in_files_of_before_version_3_1() -> None:
    """Version 2.1 writes ``5E-1``; 3.1 and later a list with a number for each class."""
    plain = json.loads(booster(4, base_score=0.5).save_raw("json"))
    assert plain["learner"]["learner_model_param"]["base_score"] == "[5E-1,5E-1,5E-1,5E-1]"
    now = parse_xgboost(json.dumps(plain).encode()).forest
    plain["learner"]["learner_model_param"]["base_score"] = "5E-1"
    assert parse_xgboost(json.dumps(plain).encode()).forest.to_bytes() == now.to_bytes()


def test_a_forest_with_sides_for_missing_values_survives_its_file(tmp_path: Path) -> None:
    forest = parse_xgboost(bytes(booster(4, missing=True).save_raw("ubj"))).forest
    assert forest.columns > forest.features == FEATURES
    (tmp_path / "forest.npz").write_bytes(forest.to_bytes())
    again = Forest.from_file(tmp_path / "forest.npz")
    rows = np.ascontiguousarray(rows_for(forest, count=200).T)
    assert np.array_equal(ForestPredictor(again).predict(rows), ForestPredictor(forest).predict(rows))


def test_names_of_features_are_kept() -> None:
    features, truth = taught(2, missing=False)
    data = xgboost.DMatrix(features, truth, feature_names=["blue", "green", "red", "nir08", "swir16"])
    model = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 2)
    assert parse_xgboost(bytes(model.save_raw("ubj"))).names == ("blue", "green", "red", "nir08", "swir16")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"objective": "multi:softmax"}, "objective 'multi:softmax' of XGBoost cannot be converted; .* multi:softprob"),
        ({"objective": "reg:squarederror", "num_class": 0}, "objective 'reg:squarederror' of XGBoost cannot be converted"),
    ],
)
def test_what_the_arrays_cannot_hold_is_refused_by_its_name(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_xgboost(bytes(booster(3, **more).save_raw("ubj")))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("dart.json", "booster 'dart' of XGBoost cannot be converted; train a gbtree"),
        ("gblinear.json", "booster 'gblinear' of XGBoost cannot be converted; train a gbtree"),
        ("dropout-3.4.json", r"dropout \(DART, weighted trees\) of XGBoost cannot be converted; train a gbtree"),
    ],
)
def test_boosters_that_are_no_gbtree_are_refused_by_their_name(file: str, said: str) -> None:
    """Files of XGBoost 3.2, and of 3.4.1, which calls dart a gbtree: whichever is installed makes one of the two kinds alone."""
    with pytest.raises(ConfigError, match=said):
        parse_xgboost((BOOSTERS / file).read_bytes())


@pytest.mark.parametrize("weights", [[1.0, 0.5, 1.0], [1.0, 1.0, 1.0], []])
def test_a_gbtree_whose_trees_have_weights_is_refused(weights: list[float]) -> None:
    """XGBoost 3.4 saves dropout like that; without the weights the answers were wrong by a quarter."""
    plain = json.loads(bytes(booster(3, missing=False).save_raw("json")))
    plain["learner"]["gradient_booster"]["model"]["weight_drop"] = weights
    saved = json.dumps(plain).encode()
    if set(weights) <= {1.0}:
        assert parse_xgboost(saved).forest.features == FEATURES
        return
    with pytest.raises(ConfigError, match=r"dropout \(DART, weighted trees\) of XGBoost cannot be converted; train a gbtree"):
        parse_xgboost(saved)


def test_categorical_splits_are_refused() -> None:
    _, truth = taught(2, missing=False)
    kinds = truth.astype(np.float32)[:, np.newaxis] * 3 + np.random.default_rng(0).integers(0, 3, (truth.size, 1))
    data = xgboost.DMatrix(kinds, truth, feature_types=["c"], enable_categorical=True)
    model = xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_cat_to_onehot": 1}, data, 2)
    with pytest.raises(ConfigError, match="categorical splits of XGBoost cannot be converted; train on numbers"):
        parse_xgboost(bytes(model.save_raw("json")))


def test_rounds_beyond_the_best_are_refused_because_callers_differ_about_them() -> None:
    features, truth = taught(2, missing=False)
    random = np.random.default_rng(1)
    held_out = xgboost.DMatrix(features, random.permutation(truth))
    settings = {"objective": "binary:logistic", "nthread": 1}
    model = xgboost.train(
        settings,
        xgboost.DMatrix(features, truth),
        60,
        evals=[(held_out, "aside")],
        early_stopping_rounds=3,
        verbose_eval=False,
    )
    with pytest.raises(ConfigError, match=r"training stopped early, and the file has \d+ rounds of which \d+ are the best"):
        parse_xgboost(bytes(model.save_raw("json")))
    assert parse_xgboost(bytes(model[: model.best_iteration + 1].save_raw("json"))).forest.trees == model.best_iteration + 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"binf\x00\x00\x00\x3f" * 20, "older binary form and pickles are not read; save it again with XGBoost >= 1.6"),
        (b"\x80\x04\x95pickled", "older binary form and pickles are not read"),
        (b"{}", "not a model in JSON or UBJ"),
        (b'{"learner": {}}', "not a complete XGBoost model: KeyError 'gradient_booster'"),
        (b'{"learner"', "not a complete XGBoost model: JSONDecodeError"),
        (b"{L\x00\x00\x00\x00\x00\x00\x00\x07lear", "not Universal Binary JSON, or truncated: 7 bytes are promised"),
        (b"{L\x00\x00\x00\x00\x00\x00\x00\x01a" * 90, "nested deeper than 64 levels"),
    ],
)
def test_other_files_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_xgboost(data)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(share: float) -> None:
    whole = bytes(booster(2).save_raw("ubj"))
    with pytest.raises(ConfigError, match=r"truncated|not a complete"):
        parse_xgboost(whole[: int(len(whole) * share)])
