"""The forest against LightGBM itself, and against files that are no forest."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference import forest as forest_module
from swath.inference import forest_build, forest_kernel, forest_predictor, forest_visits
from swath.inference.forest import Forest
from swath.inference.forest_pack import MAX_LEAVES, cuts_of, leaves_of, link_of, scan_of, walk_of
from swath.inference.forest_predictor import ForestPredictor
from swath.inference.lightgbm_text import parse_lightgbm

FEATURES = 5


def samples(count: int, *, classes: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, count)
    centres = np.random.default_rng(99).uniform(-0.1, 0.5, (classes, FEATURES))
    return (centres[truth] + random.normal(0.0, 0.08, (count, FEATURES))).astype(np.float32), truth


def booster(classes: int, **changes: Any) -> lightgbm.Booster:
    features, truth = samples(1500, classes=classes, seed=1)
    parameters: dict[str, Any] = {"num_leaves": 15, "num_threads": 1, "deterministic": True, "verbose": -1, "seed": 0}
    parameters |= {"objective": "multiclass", "num_class": classes} if classes > 2 else {"objective": "binary"}
    return lightgbm.train(parameters | changes, lightgbm.Dataset(features, truth), 12)


def by_lightgbm(model: lightgbm.Booster, features: NDArray[np.float32]) -> NDArray[np.float64]:
    answer = np.asarray(model.predict(features, num_threads=1))
    return (np.stack([1.0 - answer, answer], axis=1) if answer.ndim == 1 else answer).T


@pytest.fixture(scope="module")
def four() -> lightgbm.Booster:
    return booster(4)


@pytest.fixture(scope="module")
def forest(four: lightgbm.Booster) -> Forest:
    return parse_lightgbm(four.model_to_string())


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("leaves", "words"), [(15, np.uint16), (16, np.uint16), (17, np.uint32), (32, np.uint32)])
def test_probabilities_of_small_trees_are_those_of_lightgbm(classes: int, leaves: int, words: type[np.unsignedinteger]) -> None:
    model = booster(classes, num_leaves=leaves, min_data_in_leaf=5)
    made = parse_lightgbm(model.model_to_string())
    assert scan_of(made).asked.kept.dtype == words
    features, _ = samples(3001, classes=classes, seed=2)
    mine = ForestPredictor(made).predict(features.T)
    assert mine.shape == (classes, 3001)
    assert np.abs(mine - by_lightgbm(model, features)).max() < 1e-6


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_of_large_trees_are_those_of_lightgbm(classes: int) -> None:
    model = booster(classes, num_leaves=120, min_data_in_leaf=2)
    made = parse_lightgbm(model.model_to_string())
    assert leaves_of(made) > MAX_LEAVES
    features, _ = samples(3001, classes=classes, seed=2)
    assert np.abs(ForestPredictor(made).predict(features.T) - by_lightgbm(model, features)).max() < 1e-6


def test_walking_and_scanning_give_equal_answers(forest: Forest) -> None:
    features, _ = samples(3001, classes=4, seed=2)
    scanned = ForestPredictor(forest).predict(features.T)
    assert np.array_equal(ForestPredictor(forest, scanned_leaves=0).predict(features.T), scanned)


def test_probabilities_agree_at_every_threshold_and_one_step_beside_it(four: lightgbm.Booster, forest: Forest) -> None:
    cuts = forest.cut
    near = np.concatenate([cuts, np.nextafter(cuts, np.float32(-9)), np.nextafter(cuts, np.float32(9))])
    features = np.stack([np.roll(near, shift) for shift in range(FEATURES)], axis=1)
    mine = ForestPredictor(forest).predict(features.T)
    assert np.abs(mine - by_lightgbm(four, features)).max() < 1e-6


def test_absurd_values_go_where_lightgbm_sends_them(four: lightgbm.Booster, forest: Forest) -> None:
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38]
    random = np.random.default_rng(5)
    features = random.choice(np.array(odd, dtype=np.float32), (500, FEATURES))
    mine = ForestPredictor(forest).predict(features.T)
    assert np.abs(mine - by_lightgbm(four, features)).max() < 1e-6


def test_values_as_small_as_lightgbms_zero_are_zero() -> None:
    random = np.random.default_rng(8)
    taught = random.choice(np.array([-0.5, 0.0, 0.5], dtype=np.float32), (900, FEATURES))
    truth = (taught == 0.0).sum(axis=1) % 2
    parameters = {"objective": "binary", "num_threads": 1, "verbose": -1, "seed": 0}
    model = lightgbm.train(parameters, lightgbm.Dataset(taught, truth), 12)
    assert " -1.0000000180025095e-35 " in model.model_to_string()
    zero = np.float32(1e-35)
    near = [zero, np.nextafter(zero, np.float32(0)), np.nextafter(zero, np.float32(1)), np.float32(1e-45), np.float32(0)]
    features = random.choice(np.array([*near, *(-v for v in near)], dtype=np.float32), (4000, FEATURES))
    expected = by_lightgbm(model, features).astype(np.float32)
    assert np.unique(expected).size > 2
    made = parse_lightgbm(model.model_to_string())
    assert np.array_equal(ForestPredictor(made).predict(features.T), expected)
    assert np.array_equal(ForestPredictor(made, scanned_leaves=0).predict(features.T), expected)


@pytest.fixture(scope="module")
def deep() -> lightgbm.Booster:
    """Trees of 200 leaves and some 40 levels: few pixels are split off at a time, by noise."""
    random = np.random.default_rng(3)
    features = random.lognormal(-1.5, 0.7, (6000, FEATURES)).astype(np.float32)
    features[:, 1] -= 0.3
    truth = random.integers(0, 2, 6000)
    parameters = {"objective": "binary", "num_leaves": 200, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0.0}
    parameters |= {"num_threads": 1, "deterministic": True, "verbose": -1, "seed": 0}
    return lightgbm.train(parameters, lightgbm.Dataset(features, truth), 10)


def odd_and_usual_values(forest: Forest) -> NDArray[np.float32]:
    """Features, (feature, pixel): of the trained kind, any bits (NaN, infinities, denormal ones), thresholds and beside."""
    random = np.random.default_rng(4)
    usual = random.lognormal(-1.5, 0.7, (20_000, FEATURES)).astype(np.float32)
    bits = random.integers(0, 1 << 32, (20_000, FEATURES), dtype=np.uint64).astype(np.uint32).view(np.float32)
    near = np.concatenate([forest.cut, np.nextafter(forest.cut, np.float32(-9)), np.nextafter(forest.cut, np.float32(9))])
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 1e-35, -1e-35, 1e-39, 3e38], dtype=np.float32)
    picked = random.choice(np.concatenate([near, np.tile(special, 40)]), (40_000, FEATURES))
    return np.ascontiguousarray(np.concatenate([usual, bits, picked]).T)


def test_deep_unbalanced_trees_give_lightgbms_probabilities_to_the_last_bit(deep: lightgbm.Booster) -> None:
    made = parse_lightgbm(deep.model_to_string())
    features = odd_and_usual_values(made)
    assert features.shape[1] >= forest_predictor.LEARN_PX
    expected = by_lightgbm(deep, features.T).astype(np.float32)
    predictor = ForestPredictor(made)
    before = predictor.predict(features[:, :60_001])
    learned = predictor.predict(features)
    assert np.array_equal(learned, expected)
    assert np.array_equal(before, expected[:, :60_001])


def test_answers_do_not_depend_on_which_crown_is_chosen(deep: lightgbm.Booster) -> None:
    made = parse_lightgbm(deep.model_to_string())
    features, cuts = odd_and_usual_values(made), cuts_of(made)
    by_leaves = walk_of(made)
    visits = forest_visits.visits_of(features, cuts=cuts, walk=by_leaves)
    assert (visits[made.tree_offset[:-1]] == forest_kernel.BLOCK_PX).all()
    inner = np.flatnonzero(made.child != node_numbers(made))
    left = inner - node_numbers(made)[inner] + made.child[inner]
    assert np.array_equal(visits[left] + visits[left + 1], visits[inner])
    crowns = [by_leaves, walk_of(made, passing=visits), walk_of(made, passing=-visits)]
    assert len({w.crown.feature.tobytes() + w.entry.tobytes() for w in crowns}) == 3
    answers = [np.empty((2, features.shape[1]), dtype=np.float32) for _ in crowns]
    for walk, answer in zip(crowns, answers, strict=True):
        scores = np.empty((1, forest_kernel.BLOCK_PX))
        forest_kernel.predict_by_walk(features, cuts, walk, link_of(made), scores, answer)
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


def node_numbers(forest: Forest) -> NDArray[np.int64]:
    """The number of each node within its tree."""
    return np.arange(forest.value.size) - np.repeat(forest.tree_offset[:-1], np.diff(forest.tree_offset))


def test_probabilities_sum_to_one(forest: Forest) -> None:
    features, _ = samples(400, classes=4, seed=3)
    assert np.abs(ForestPredictor(forest).predict(features.T).sum(axis=0) - 1.0).max() < 1e-6


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 2599), max_size=6), shift=st.integers(0, 40))
def test_a_pixel_has_the_same_answer_wherever_it_lies(forest: Forest, cuts: list[int], shift: int) -> None:
    features, _ = samples(2600, classes=4, seed=4)
    predictor = ForestPredictor(forest)
    whole = predictor.predict(features.T)
    edges = [0, *sorted(set(cuts)), 2600]
    parts = [predictor.predict(features[a:b].T) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    moved = predictor.predict(np.roll(features, shift, axis=0).T)
    assert np.array_equal(np.roll(moved, -shift, axis=1), whole)


def test_no_pixels_give_no_probabilities(forest: Forest) -> None:
    assert ForestPredictor(forest).predict(np.empty((FEATURES, 0), dtype=np.float32)).shape == (4, 0)


def test_a_tree_without_a_split_still_counts() -> None:
    model = booster(4, min_data_in_leaf=800)
    text = model.model_to_string()
    assert "num_leaves=1\n" in text
    features, _ = samples(200, classes=4, seed=6)
    mine = ForestPredictor(parse_lightgbm(text)).predict(features.T)
    assert np.abs(mine - by_lightgbm(model, features)).max() < 1e-6


def test_features_of_another_number_or_type_are_refused(forest: Forest) -> None:
    with pytest.raises(ValueError, match=r"expected float32 \(5, pixels\), got float32 \(4, 3\)"):
        ForestPredictor(forest).predict(np.zeros((4, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="got float64"):
        ForestPredictor(forest).predict(np.zeros((5, 3)))  # type: ignore[arg-type]


def test_a_forest_survives_its_file_and_the_same_forest_gives_the_same_bytes(forest: Forest, tmp_path: Path) -> None:
    path = tmp_path / "forest.npz"
    path.write_bytes(forest.to_bytes())
    again = Forest.from_file(path)
    assert again.to_bytes() == forest.to_bytes()
    features, _ = samples(300, classes=4, seed=7)
    assert np.array_equal(ForestPredictor(again).predict(features.T), ForestPredictor(forest).predict(features.T))


def test_a_pickle_in_the_file_is_not_loaded(tmp_path: Path, forest: Forest) -> None:
    path = tmp_path / "forest.npz"
    np.savez(path, child=np.array([{"code": 1}], dtype=object))
    with pytest.raises(ConfigError, match="no forest in it"):
        Forest.from_file(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "forest.npz"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="no forest in it"):
        Forest.from_file(path)


def test_a_file_that_grows_too_large_is_refused_before_it_is_unpacked(
    tmp_path: Path, forest: Forest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "forest.npz"
    path.write_bytes(forest.to_bytes())
    monkeypatch.setattr(forest_module, "MAX_FOREST_BYTES", 1000)
    with pytest.raises(ConfigError, match="when unpacked; expected forest of at most 1000 bytes"):
        Forest.from_file(path)


def test_an_array_of_another_type_is_refused(tmp_path: Path, forest: Forest) -> None:
    path = tmp_path / "forest.npz"
    path.write_bytes(forest.to_bytes())
    with np.load(path) as stored:
        arrays = dict(stored) | {"value": stored["value"].astype(np.float32)}
    np.savez(path, **arrays)
    with pytest.raises(ConfigError, match="array value has type float32"):
        Forest.from_file(path)


def broken(name: str, forest: Forest) -> Forest:
    """A forest with one array led astray."""
    array = getattr(forest, name).copy()
    inner = int(np.flatnonzero(forest.threshold != 255)[0])
    leaf = int(np.flatnonzero(forest.threshold == 255)[0])
    changes: dict[str, Any] = {
        "child": {inner: 60_000},
        "feature": {inner: FEATURES},
        "threshold": {inner: 254},
        "value": {leaf: np.nan},
        "tree_offset": {-1: forest.value.size + 1},
        "cut": {0: np.inf},
        "cut_offset": {1: forest.cut.size + 7},
    }
    for index, value in changes[name].items():
        array[index] = value
    return replace(forest, **{name: array})


@pytest.mark.parametrize("name", ["child", "feature", "threshold", "value", "tree_offset", "cut", "cut_offset"])
def test_arrays_that_would_lead_the_kernel_astray_are_refused(forest: Forest, name: str) -> None:
    with pytest.raises(ConfigError, match="arrays contradict each other"):
        broken(name, forest)


def test_trees_that_do_not_fill_the_outputs_are_refused(forest: Forest) -> None:
    with pytest.raises(ConfigError, match="arrays contradict each other"):
        replace(forest, outputs=5)


@pytest.mark.parametrize("leaves", [15, 120])
@pytest.mark.parametrize("zero_as_missing", [False, True])
def test_missing_values_go_where_lightgbm_sends_them_to_the_last_bit(*, zero_as_missing: bool, leaves: int) -> None:
    features, truth = samples(3000, classes=4, seed=1)
    features[::7, 2] = np.nan
    features[::5, 3] = 0.0
    parameters = {"objective": "multiclass", "num_class": 4, "verbose": -1, "num_threads": 1, "min_data_in_leaf": 3}
    parameters |= {"zero_as_missing": zero_as_missing, "num_leaves": leaves}
    model = lightgbm.train(parameters, lightgbm.Dataset(features, truth), 8)
    made = parse_lightgbm(model.model_to_string())
    assert made.rule.size
    asked = odd_and_usual_values(made)
    assert np.array_equal(ForestPredictor(made).predict(asked), by_lightgbm(model, asked.T).astype(np.float32))


@pytest.fixture(scope="module")
def fine() -> lightgbm.Booster:
    """Some 300 thresholds of each feature."""
    features, truth = samples(4000, classes=4, seed=1)
    parameters = {"objective": "multiclass", "num_class": 4, "verbose": -1, "num_threads": 1, "max_bin": 4000}
    parameters |= {"num_leaves": 200, "min_data_in_leaf": 1}
    return lightgbm.train(parameters, lightgbm.Dataset(features, truth, params={"max_bin": 4000}), 12)


def test_a_feature_with_more_thresholds_than_a_byte_counts_has_several_columns(fine: lightgbm.Booster) -> None:
    made = parse_lightgbm(fine.model_to_string())
    assert made.columns > made.features == FEATURES
    asked = odd_and_usual_values(made)
    assert np.array_equal(ForestPredictor(made).predict(asked), by_lightgbm(fine, asked.T).astype(np.float32))


def test_categorical_splits_are_refused() -> None:
    features, truth = samples(900, classes=4, seed=1)
    features[:, 0] = truth
    parameters = {"objective": "multiclass", "num_class": 4, "verbose": -1, "num_threads": 1, "min_data_per_group": 1}
    model = lightgbm.train(parameters, lightgbm.Dataset(features, truth, categorical_feature=[0]), 3)
    with pytest.raises(ConfigError, match="categorical splits"):
        parse_lightgbm(model.model_to_string())


def test_another_objective_is_refused() -> None:
    model = booster(2, objective="regression")
    with pytest.raises(ConfigError, match=r"objective 'regression' cannot be converted"):
        parse_lightgbm(model.model_to_string())


def test_averaged_forests_are_refused() -> None:
    model = booster(4, boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    with pytest.raises(ConfigError, match="random-forest averaging"):
        parse_lightgbm(model.model_to_string())


def test_too_many_thresholds_are_refused_with_the_setting_to_change(
    fine: lightgbm.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forest_build, "MAX_FEATURES", FEATURES)
    said = r"its 5 features fill \d+ columns of 254, at most 5 are possible: train with fewer thresholds \(max_bin <= 255\)"
    with pytest.raises(ConfigError, match=said):
        parse_lightgbm(fine.model_to_string())


def test_text_that_is_no_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="not the text of a LightGBM model"):
        parse_lightgbm("tree\nversion=v4\n")


@pytest.mark.parametrize("leaves", [2, 16, 17, 32, 33, 200])
def test_a_comb_gives_each_value_its_own_leaf(leaves: int) -> None:
    comb = forest_predictor._comb(leaves, outputs=1)
    features = np.arange(0.5, leaves, dtype=np.float32)
    answer = ForestPredictor(comb).predict(features[None])[1]
    # The k-th leaf lies at node 2k + 1, the last one at the end, and its score is its node's number.
    scores = np.minimum(2 * np.arange(leaves) + 1, 2 * leaves - 2).astype(np.float64)
    assert np.abs(answer - 1.0 / (1.0 + np.exp(-scores))).max() < 1e-6


def test_warming_up_compiles_what_forests_of_all_sizes_need(forest: Forest) -> None:
    forest_predictor.warm_up()
    kernels: tuple[Any, ...] = (forest_kernel.predict_by_scan, forest_kernel.predict_by_walk, forest_visits.count_visits)
    before = [len(k.signatures) for k in kernels]
    ForestPredictor(forest).predict(np.zeros((FEATURES, 9), dtype=np.float32))
    ForestPredictor(parse_lightgbm(booster(4, num_leaves=120, min_data_in_leaf=2).model_to_string())).predict(
        np.zeros((FEATURES, 9), dtype=np.float32)
    )
    # By words of 16 and 32 bits, and sums in float64 and float32.
    assert before == [4, 2, 1]
    assert [len(k.signatures) for k in kernels] == before
