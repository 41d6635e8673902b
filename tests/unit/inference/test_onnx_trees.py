"""scikit-learn's forests come as ONNX tree ensembles and become the same arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier

from swath.errors import ConfigError
from swath.inference.forest_predictor import ForestPredictor
from swath.inference.onnx_runtime import onnxruntime
from swath.inference.onnx_trees import trees_of_onnx

FEATURES = 5


def taught(classes: int, *, missing: bool = False) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(classes)
    truth = random.integers(0, classes, 1500)
    features = random.uniform(0.0, 0.5, (classes, FEATURES))[truth] + random.normal(0.0, 0.1, (1500, FEATURES))
    if missing:
        features[random.random(features.shape) < 0.08] = np.nan
    return features.astype(np.float32), truth


def rows_for(path: Path, *, missing: bool) -> NDArray[np.float32]:
    random = np.random.default_rng(5)
    (node,) = onnx.load(str(path)).graph.node
    cuts = np.unique(next(np.array(a.floats, dtype=np.float32) for a in node.attribute if a.name == "nodes_values"))
    near = np.concatenate([cuts, np.nextafter(cuts, np.float32(-9)), np.nextafter(cuts, np.float32(9))])
    odd = np.array([0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38, *([np.nan, np.inf, -np.inf] if missing else [])], dtype=np.float32)
    picked = random.choice(np.concatenate([near[np.isfinite(near)], np.repeat(odd, 20)]), (5000, FEATURES))
    return np.concatenate([random.random((5000, FEATURES), dtype=np.float32), picked])


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_forests_of_votes_answer_as_scikit_learn_at_every_threshold(tmp_path: Path, classes: int, kind: type[Any]) -> None:
    """The difference is that of float32 from float64 numbers: 6e-8 at most."""
    model = kind(12, random_state=0, min_samples_leaf=2).fit(*taught(classes))
    path = tmp_path / "forest.onnx"
    path.write_bytes(to_onnx(model, np.zeros((1, FEATURES), dtype=np.float32), options={"zipmap": False}).SerializeToString())
    rows = rows_for(path, missing=False)
    forest = trees_of_onnx(path, features=FEATURES)
    assert forest is not None
    answer = ForestPredictor(forest).predict(np.ascontiguousarray(rows.T)).T
    with np.errstate(all="ignore"):  # scikit-learn adds up all values to find infinities
        expected = model.predict_proba(rows)
    assert np.abs(answer - expected).max() < 1e-7


def boosted(model: HistGradientBoostingClassifier, path: Path) -> None:
    """The ensemble of a fitted model, as skl2onnx lays it out (which itself fails on protobuf 7 for this class)."""
    told: dict[str, Any] = {}

    def add(**values: Any) -> None:
        for name, value in values.items():
            told.setdefault(name, []).append(value)

    for number, (group, grown) in enumerate((g, p) for turn in model._predictors for g, p in enumerate(turn)):
        for place, node in enumerate(grown.nodes):
            mode = "LEAF" if node["is_leaf"] else "BRANCH_LEQ"
            add(nodes_treeids=number, nodes_nodeids=place, nodes_featureids=int(node["feature_idx"]), nodes_modes=mode)
            add(nodes_values=float(np.float32(0.0 if node["is_leaf"] else node["num_threshold"])))
            add(nodes_truenodeids=int(node["left"]), nodes_falsenodeids=int(node["right"]))
            add(nodes_missing_value_tracks_true=int(node["missing_go_to_left"]))
            if node["is_leaf"]:
                add(class_treeids=number, class_nodeids=place, class_ids=group, class_weights=float(node["value"]))
    classes = [int(c) for c in model.classes_]
    post = "LOGISTIC" if len(classes) == 2 else "SOFTMAX"
    base = [float(v) for v in np.ravel(model._baseline_prediction)]
    made = helper.make_node(
        "TreeEnsembleClassifier", ["X"], ["label", "probabilities"], domain="ai.onnx.ml", post_transform=post, base_values=base,
        classlabels_int64s=classes, **told,
    )  # fmt: skip
    ports = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, FEATURES])]
    ends = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, len(classes)]),
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    graph = helper.make_graph([made], "boosted", ports, ends)
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
def test_boosted_trees_answer_as_onnxruntime_and_between_thresholds_as_scikit_learn(
    tmp_path: Path, classes: int, *, missing: bool
) -> None:
    """ONNX keeps float32 thresholds: at the threshold itself the file, and so we, may differ from scikit-learn's float64."""
    features, truth = taught(classes, missing=missing)
    model = HistGradientBoostingClassifier(max_iter=12, random_state=0).fit(features, truth)
    path = tmp_path / "boosted.onnx"
    boosted(model, path)
    rows = rows_for(path, missing=missing)
    forest = trees_of_onnx(path, features=FEATURES)
    assert forest is not None
    answer = ForestPredictor(forest).predict(np.ascontiguousarray(rows.T)).T
    (expected,) = onnxruntime.InferenceSession(str(path)).run(["probabilities"], {"X": rows})
    assert np.abs(answer - expected).max() < 1e-6
    random = ForestPredictor(forest).predict(np.ascontiguousarray(features.T)).T
    assert np.abs(random - model.predict_proba(features)).max() < 1e-6


def test_a_network_is_no_forest(tmp_path: Path) -> None:
    node = helper.make_node("Softmax", ["X"], ["probabilities"])
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, FEATURES]) for n in ("X", "probabilities")]
    path = tmp_path / "network.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([node], "g", ports[:1], ports[1:])).SerializeToString())
    assert trees_of_onnx(path, features=FEATURES) is None
    path.write_bytes(b"\xff\xff none")
    with pytest.raises(ConfigError, match=r"network\.onnx: not an ONNX file"):
        trees_of_onnx(path, features=FEATURES)


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("post_transform", "PROBIT", "post_transform PROBIT of 1 outputs cannot be converted"),
        ("nodes_modes", None, "nodes of mode BRANCH_EQ cannot be converted; compare with <= or <"),
        ("nodes_featureids", [99], "is damaged: KeyError"),
        ("base_values", [0.0, 0.0], "2 base values for 1 outputs"),
    ],
)
def test_ensembles_that_the_arrays_cannot_hold_are_refused(tmp_path: Path, attribute: str, value: Any, said: str) -> None:
    path = tmp_path / "boosted.onnx"
    boosted(HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(*taught(2)), path)
    model = onnx.load(str(path))
    (node,) = model.graph.node
    (found,) = [a for a in node.attribute if a.name == attribute]
    if value is None:
        value = [m.decode().replace("LEQ", "EQ") for m in found.strings]
    value = value * len(found.ints) if attribute == "nodes_featureids" else value
    found.CopyFrom(helper.make_attribute(attribute, value))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConfigError, match=said):
        trees_of_onnx(path, features=FEATURES)


def test_votes_that_are_rounded_beyond_one_are_a_probability_all_the_same(tmp_path: Path) -> None:
    """Three trees that agree: a third each, in float32, sums to more than 1."""
    rows = np.linspace(0.0, 1.0, 200, dtype=np.float32).reshape(-1, 1)
    forest = RandomForestClassifier(3, max_depth=2, random_state=0).fit(rows, rows[:, 0] > 0.5)
    path = tmp_path / "m.onnx"
    path.write_bytes(to_onnx(forest, rows[:1], options={"zipmap": False}).SerializeToString())
    found = trees_of_onnx(path, features=1)
    assert found is not None
    assert found.value[found.value > 0].min() * 3 != 1.0
    answer = ForestPredictor(found).predict(np.ascontiguousarray(rows.T))
    assert (answer.min(), answer.max()) == (0.0, 1.0)
    assert np.abs(answer.T - forest.predict_proba(rows)).max() <= 1e-6
