"""Versions that MLflow's own flavours logged become models of swath, and models of swath load with MLflow's own flavours."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnx
import pandas as pd
import pytest
import xgboost
import yaml
from lightgbm import Booster, Dataset, LGBMClassifier
from lightgbm import train as fit_lightgbm
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from tests.tiny_model import BANDS, RECIPE, samples
from tests.tiny_model import swath_models as swath

from swath.errors import ConfigError
from swath.inference.loader import load_predictor
from swath.inference.reference import read_reference
from swath.inference.registry import Registry
from swath.training.adopting.signature import refuse_other_signature
from swath.training.draw import Drawn
from swath.training.train import Trained, train

STATED = {
    "name": "theirs",
    "bands": BANDS,
    "of": "toa",
    "licence": "Apache-2.0",
    "classes": [{"value": 1, "name": "low", "title": "Low"}, {"value": 2, "name": "high", "title": "High"}],
}

CODE = """
import mlflow

class Code(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[float]) -> list[float]:
        return model_input

mlflow.models.set_model(Code())
"""
THREE = [*STATED["classes"], {"value": 3, "name": "x", "title": "X"}]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adopt")


@pytest.fixture(scope="module")
def registry(home: Path) -> Registry:
    made = Registry.beside(home, uri=f"sqlite:///{home / 'models' / 'mlflow.db'}")
    made.experiment_id()
    return made


@pytest.fixture(autouse=True)
def _their_client(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's fluent functions, as whoever logs a model there uses them."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)
    mlflow.set_tracking_uri(registry.uri)
    mlflow.set_experiment("swath")


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, NDArray[np.int64]]:
    drawn = samples({"low": 0.1, "high": 0.4}, seed=0)
    return drawn[BANDS], (drawn["label"] == "high").to_numpy().astype(np.int64)


def logged(log: Callable[..., Any], model: Any, *, name: str, **more: Any) -> str:
    with mlflow.start_run(), warnings.catch_warnings():
        # MLflow warns of its own deprecations while it logs.
        warnings.simplefilter("ignore")
        log(model, name="model", registered_model_name=name, pip_requirements=[], **more)
    return str(mlflow.MlflowClient().search_model_versions(f"name = '{name}'")[0].version)


def boosted(table: tuple[pd.DataFrame, NDArray[np.int64]]) -> Booster:
    rows, truth = table
    return fit_lightgbm({"objective": "binary", "verbose": -1, "num_leaves": 4, "num_threads": 1}, Dataset(rows, truth), 5)


def stated(folder: Path, **other: Any) -> Path:
    path = folder / "m.yaml"
    path.write_text(yaml.safe_dump({**STATED, **other}), encoding="utf-8")
    return path


def linear(*, dtype: int = onnx.TensorProto.FLOAT) -> onnx.ModelProto:
    """Softmax of one layer: (pixel, 2) to (pixel, 2)."""
    kind = np.float32 if dtype == onnx.TensorProto.FLOAT else np.float64
    weights = numpy_helper.from_array(np.array([[-4.0, 4.0], [-4.0, 4.0]], dtype=kind), "w")
    bias = numpy_helper.from_array(np.array([2.0, -2.0], dtype=kind), "b")
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"]), helper.make_node("Softmax", ["y"], ["probabilities"], axis=1)]
    ports = [helper.make_tensor_value_info(n, dtype, [None, 2]) for n in ("x", "probabilities")]
    graph = helper.make_graph(nodes, "linear", [ports[0]], [ports[1]], [weights, bias])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_a_lightgbm_booster_is_adopted_with_proof_and_a_link_to_where_it_comes_from(
    home: Path, registry: Registry, table: tuple[pd.DataFrame, NDArray[np.int64]], tmp_path: Path
) -> None:
    booster = boosted(table)
    version = logged(mlflow.lightgbm.log_model, booster, name="boosted", input_example=table[0][:70])
    with pytest.raises(ConfigError, match=r"model boosted/1: logged by MLflow 3\.") as told:
        registry.resolve(f"models:/boosted/{version}")
    assert "swath models adopt models:/boosted/1 --manifest m.yaml" in str(told.value)
    assert swath("adopt", "models:/boosted/1", "--manifest", stated(tmp_path), "--output", home).startswith("theirs 1: sha256")
    pinned = registry.resolve("theirs/1")
    rows = table[0].to_numpy()
    answer = load_predictor(pinned.path, pinned.digest).predict(np.ascontiguousarray(rows.T))
    assert np.array_equal(answer[1], np.asarray(booster.predict(rows, num_threads=1), dtype=np.float32))
    reference = read_reference(pinned.path)
    assert reference is not None
    assert len(reference.features) > 70
    assert np.array_equal(reference.features[:70], rows[:70])
    assert np.isnan(reference.features).any()
    assert reference.ranges == {}
    tags = registry.client().get_model_version("theirs", "1").tags
    run_id = registry.client().get_model_version("boosted", version).run_id
    assert (tags["source.name"], tags["source.version"], tags["source.run"]) == ("boosted", "1", run_id)
    assert pinned.manifest.training["adopted"] == "boosted/1"
    again = mlflow.lightgbm.load_model("models:/theirs/1")
    assert np.array_equal(again.predict(rows), booster.predict(rows))


def test_an_xgboost_booster_and_trees_and_networks_of_onnx_are_adopted(
    home: Path, registry: Registry, table: tuple[pd.DataFrame, NDArray[np.int64]], tmp_path: Path
) -> None:
    rows, truth = table
    matrix = xgboost.DMatrix(rows, truth)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, matrix, 4)
    logged(mlflow.xgboost.log_model, booster, name="xg", input_example=rows[:64])
    forest = RandomForestClassifier(5, max_depth=3, random_state=0).fit(rows.to_numpy(), truth)
    trees = to_onnx(forest, rows.to_numpy()[:1], options={"zipmap": False})
    pixels = rows.to_numpy()[:64]
    answers = np.asarray(forest.predict_proba(pixels), dtype=np.float32)
    signature = infer_signature(pixels, {"probabilities": answers})
    logged(mlflow.onnx.log_model, trees, name="trees", input_example=pixels, signature=signature)
    logged(mlflow.onnx.log_model, linear(), name="layer", input_example=pixels, signature=infer_signature(pixels))
    every = np.ascontiguousarray(rows.to_numpy().T)
    wanted = {"xg": booster.predict(matrix), "trees": forest.predict_proba(rows.to_numpy())[:, 1]}
    for name, kind in (("xg", "forest"), ("trees", "forest"), ("layer", "onnx")):
        swath("adopt", f"models:/{name}/1", "--manifest", stated(tmp_path, name=f"our-{name}"), "--output", home)
        pinned = registry.resolve(f"our-{name}/1")
        assert pinned.manifest.kind == kind
        assert read_reference(pinned.path) is not None
        answer = load_predictor(pinned.path, pinned.digest).predict(every)[1]
        if name in wanted:
            assert np.abs(answer - wanted[name]).max() <= (0 if name == "xg" else 1e-6)
    loaded = mlflow.xgboost.load_model("models:/our-xg/1")
    assert np.array_equal(loaded.predict(matrix), booster.predict(matrix))
    assert onnx.load_from_string(mlflow.onnx.load_model("models:/our-layer/1").SerializeToString()).graph.name == "linear"
    given = mlflow.pyfunc.load_model("models:/our-layer/1").predict(rows)
    assert np.array_equal(given[:, 1], answer)


@pytest.fixture(scope="module")
def trained(registry: Registry) -> Trained:
    return train(Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=0), refused={}), recipe=RECIPE, registry=registry)


def _tensors(kind: type[np.floating[Any]], shape: tuple[int, ...], *, classes: int = 2) -> ModelSignature:
    outputs = Schema([TensorSpec(np.dtype(np.float32), (-1, classes))])
    return ModelSignature(inputs=Schema([TensorSpec(np.dtype(kind), shape)]), outputs=outputs)


def _columns(*names: str, kind: DataType = DataType.float) -> ModelSignature:
    return ModelSignature(inputs=Schema([ColSpec(kind, n) for n in names]))


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        (_columns("nir08", "red"), "has the columns nir08, red, the manifest in another order: the bands red, nir08"),
        (_columns("red", "swir16"), "the columns red, swir16, the manifest the bands red, nir08"),
        (_columns("red", "nir08", kind=DataType.long), "red is long, nir08 is long; the manifest's features are float32"),
        (_tensors(np.float64, (-1, 2)), "the tensor of the signature is float64, .* features are float32; export it as float32"),
        (_tensors(np.float32, (-1, 5)), r"the tensor of the signature has the shape \(-1, 5\), the manifest says \(-1, 2\)"),
        (_tensors(np.float32, (-1, 2), classes=4), r"output of the signature has the shape \(-1, 4\), the manifest 2 classes"),
        (None, "logged without a signature: nothing says what it takes; log it with input_example="),
    ],
)
def test_a_signature_that_differs_is_refused_with_both_sides(
    trained: Trained, registry: Registry, signature: Any, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        refuse_other_signature(signature, registry.resolve("tiny/1").manifest)


def test_a_manifest_that_differs_is_refused_with_both_sides(
    home: Path, registry: Registry, table: tuple[pd.DataFrame, NDArray[np.int64]], tmp_path: Path
) -> None:
    example, reverse = table[0][:64], _columns("nir08", "red")
    logged(mlflow.lightgbm.log_model, boosted(table), name="differs", input_example=example)
    logged(mlflow.lightgbm.log_model, boosted(table), name="differs", input_example=example, signature=reverse)
    others: list[tuple[int, dict[str, Any], str]] = [
        (1, {"bands": ["nir08", "red"]}, "trained with the features red, nir08, the manifest says nir08, red"),
        (1, {"bands": "red"}, r"m.yaml: bands must list the common band names .* got 'red'"),
        (1, {"kind": "onnx"}, "m.yaml: kind is 'onnx', the weights become 'forest'; leave kind out"),
        (1, {"license": "MIT"}, r"m.yaml: unknown key 'license' in a model manifest; did you mean 'licence'"),
        (1, {"classes": THREE}, "model.lgb answers 2 classes, the manifest says 3: low, high, x"),
        (2, {}, "model differs/2: the signature has the columns nir08, red, the manifest in another order"),
    ]
    for version, other, told in others:
        with pytest.raises(ConfigError, match=told):
            swath("adopt", f"models:/differs/{version}", "--manifest", stated(tmp_path, **other), "--output", home)
    assert not [m for m in registry.list() if m.source_name == "differs"]


def test_flavours_that_need_code_are_refused_by_name_with_the_way_out(
    home: Path, registry: Registry, table: tuple[pd.DataFrame, NDArray[np.int64]], tmp_path: Path
) -> None:
    rows, truth = table
    classifier = LGBMClassifier(n_estimators=3, verbose=-1).fit(rows, truth)
    logged(mlflow.lightgbm.log_model, classifier, name="pickled", serialization_format="cloudpickle")
    logged(mlflow.lightgbm.log_model, classifier, name="skopsed", serialization_format="skops")
    forest = RandomForestClassifier(2).fit(rows, truth)
    logged(mlflow.sklearn.log_model, forest, name="scikit", serialization_format="cloudpickle")
    code = tmp_path / "code.py"
    code.write_text(CODE, encoding="utf-8")
    with mlflow.start_run(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.pyfunc.log_model(name="model", python_model=str(code), registered_model_name="code", pip_requirements=[])
    run = registry.client().create_run(registry.experiment_id()).info
    registry.client().log_text(run.run_id, "flavors: {pytorch: {model_data: data}, python_function: {}}", "model/MLmodel")
    registry.client().create_registered_model("torch")
    registry.client().create_model_version("torch", f"{run.artifact_uri}/model", run.run_id)
    for name, told in (
        ("pickled", r"lightgbm \(model.pkl\); log its booster, which is text: mlflow.lightgbm.log_model\(model.booster_"),
        ("skopsed", r"lightgbm \(model.skops\); log its booster"),
        ("scikit", r"sklearn; convert it with skl2onnx and log that"),
        ("code", r"python_function; export the weights to ONNX and log that"),
        ("torch", r"pytorch; export it with torch.onnx.export\(..., opset_version=17\)"),
    ):
        with pytest.raises(ConfigError, match=f"model {name}/1: its flavours need code to load: {told}"):
            swath("adopt", f"models:/{name}/1", "--manifest", stated(tmp_path), "--output", home)
        with pytest.raises(ConfigError, match=f"model {name}/1: logged by MLflow.*need code to load: {told}"):
            registry.resolve(f"{name}/1")


def test_a_model_that_swath_trains_loads_with_mlflow_and_its_run_names_data_code_and_recipe(
    registry: Registry, trained: Trained, table: tuple[pd.DataFrame, NDArray[np.int64]]
) -> None:
    rows = table[0]
    pinned = registry.resolve("tiny/1")
    assert sorted(p.name for p in pinned.path.iterdir()) == ["card.md", "forest.npz", "manifest.json", "reference.npz"]
    ours = load_predictor(pinned.path, pinned.digest).predict(np.ascontiguousarray(rows.to_numpy().T)).T
    loaded = mlflow.pyfunc.load_model("models:/tiny/1")
    assert loaded.metadata.signature.inputs.input_names() == BANDS
    assert np.array_equal(loaded.predict(rows), ours)
    with pytest.raises(mlflow.MlflowException, match="missing inputs"):
        loaded.predict(rows[["red"]])
    theirs = mlflow.lightgbm.load_model("models:/tiny/1").predict(rows)
    assert np.array_equal(np.float32(theirs), ours[:, 1])
    run = registry.client().get_run(trained.run_id)
    assert run.inputs is not None
    (data,) = run.inputs.dataset_inputs
    assert pinned.manifest.training["samples_sha256"].startswith(data.dataset.digest)
    assert {t.key: t.value for t in data.tags}["mlflow.data.context"] == "training"
    assert len(run.data.tags["mlflow.source.git.commit"]) == 40
    assert len(run.data.tags["swath.recipe_sha256"]) == 64
    assert run.data.metrics["accuracy"] > 0.99


def test_what_is_ours_is_not_adopted_and_without_examples_nothing_is_proven(
    home: Path, registry: Registry, trained: Trained, table: tuple[pd.DataFrame, NDArray[np.int64]], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"model tiny/1: it has a manifest.json and is a model of swath already"):
        swath("adopt", "models:/tiny/1", "--manifest", stated(tmp_path), "--output", home)
    with pytest.raises(ConfigError, match=r"'somewhere' names no version of a registry: expected models:/<name>/<version>"):
        swath("adopt", "somewhere", "--manifest", stated(tmp_path), "--output", home)
    logged(mlflow.lightgbm.log_model, boosted(table), name="bare", signature=infer_signature(table[0]))
    told = swath("adopt", "models:/bare/1", "--manifest", stated(tmp_path, name="ours-bare"), "--output", home)
    assert "bare/1: it came without example rows: nothing proves the order and the scale of its bands" in told
    with pytest.raises(ConfigError, match=r"ours-bare 1 has no reference\.npz"):
        swath("promote", "ours-bare", 1, "--output", home)
