"""Reference rows: what a model was trained with, and what its trainer answered, decide whether it is taken."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from tests.tiny_model import BANDS, RECIPE, samples
from tests.unit.inference.test_onnx_predictor import BIAS, WEIGHTS, network

from swath.errors import ConfigError
from swath.inference.admission import admit, findings_of
from swath.inference.forest import Forest
from swath.inference.loader import predictor_of
from swath.inference.manifest import Manifest, read_manifest
from swath.inference.reference import Reference, read_reference
from swath.product import Category
from swath.training.fit import fit_booster
from swath.training.train import judge, write_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("reference") / "tiny"
    drawn = samples({"low": 0.1, "high": 0.4}, seed=0)
    judged = judge(drawn, recipe=RECIPE)
    write_model(directory, drawn, recipe=RECIPE, manifest=RECIPE.manifest(metrics=judged.flat()), judgement=judged)
    return directory


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "tiny"))


def reference(model: Path) -> Reference:
    found = read_reference(model)
    assert found is not None
    return found


def test_training_keeps_rows_of_the_data_and_of_the_edges_with_lightgbms_own_answers(trained: Path) -> None:
    kept, drawn = reference(trained), samples({"low": 0.1, "high": 0.4}, seed=0)
    data = drawn[BANDS].to_numpy()
    real = (kept.features[:, None, :] == data[None, :, :]).all(axis=2).any(axis=1)
    assert real.sum() >= 64
    assert np.isnan(kept.features).any()
    assert np.isinf(kept.features).any()
    forest = Forest.from_file(trained / "forest.npz")
    below, above = (np.nextafter(forest.cut[0], np.float32(s)) for s in (-np.inf, np.inf))
    assert {float(below), float(forest.cut[0]), float(above)} <= set(kept.features[:, 0].tolist()) | set(
        kept.features[:, 1].tolist()
    )
    booster = lightgbm.Booster(model_str=fit_booster(drawn, recipe=RECIPE).model_to_string())
    assert np.array_equal(kept.probabilities[:, 1], np.asarray(booster.predict(kept.features)).astype(np.float32))
    assert np.allclose(kept.percentiles, np.percentile(data.astype(np.float64), [0.1, 50, 99.9], axis=0))
    assert admit(trained).name == "tiny"


def test_rows_are_kept_as_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    again.write_bytes(reference(trained).to_bytes())
    assert again.read_bytes() == (trained / "reference.npz").read_bytes()


def _manifest(**changes: object) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        plain = json.loads((model / "manifest.json").read_text())
        (model / "manifest.json").write_text(json.dumps({**plain, **changes}))

    return change


def _swapped_classes(model: Path) -> None:
    _manifest(classes=json.loads((model / "manifest.json").read_text())["classes"][::-1])(model)


def _swapped_features(model: Path) -> None:
    forest = Forest.from_file(model / "forest.npz")
    order = np.concatenate([forest.cut[slice(*forest.cut_offset[i : i + 2])] for i in (1, 0)])
    sizes = np.diff(forest.cut_offset)[::-1]
    leaf = forest.threshold == 255
    other = replace(
        forest,
        feature=np.where(leaf, 0, 1 - forest.feature).astype(np.uint8),
        cut=order,
        cut_offset=np.array([0, *np.cumsum(sizes)]),
    )
    (model / "forest.npz").write_bytes(other.to_bytes())


def _last_bit(model: Path) -> None:
    forest = Forest.from_file(model / "forest.npz")
    (model / "forest.npz").write_bytes(replace(forest, value=forest.value * (1 + 1e-6)).to_bytes())


def _no_npz(model: Path) -> None:
    (model / "reference.npz").write_bytes(b"\x80\x04.")


def _pickled(model: Path) -> None:
    np.savez(model / "reference.npz", of=np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_manifest(bands=BANDS[::-1]), "trained with bands red, nir08, the manifest says nir08, red; correct the manifest"),
        (_manifest(bands=["red", "swir16"]), "trained with bands red, nir08, the manifest says red, swir16"),
        (_manifest(scale=100.0), r"trained with scale 1\.0, the manifest says 100\.0"),
        (_manifest(offset=-0.1), r"trained with offset 0\.0, the manifest says -0\.1"),
        (_manifest(of="sr"), "trained with of toa, the manifest says sr"),
        (_swapped_classes, "trained with classes low, high, the manifest says high, low"),
        (
            _swapped_features,
            r"\d+ of \d+ reference rows differ from the trainer's by more than 0: row \d+ expected \(.*found",
        ),
        (_last_bit, r"\d+ of \d+ reference rows differ from the trainer's by more than 0"),
        (_no_npz, r"reference\.npz: no reference rows in it"),
        (_pickled, r"reference\.npz: no reference rows in it"),
    ],
)
def test_what_is_not_as_it_was_trained_is_refused(model: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(model)
    with pytest.raises(ConfigError, match=f"models:/tiny@production: reference: {said}"):
        admit(model, called="models:/tiny@production")


def test_a_model_without_rows_is_taken_with_a_warning_unless_the_site_demands_them(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model / "reference.npz").unlink()
    (found,) = findings_of(model)
    assert (found.check, found.grave) == ("reference", False)
    assert "nothing proves the order and the scale of its bands" in str(found)
    monkeypatch.setenv("SWATH_MODEL_DEMANDS", "reference")
    with pytest.raises(ConfigError, match=r"it has no reference\.npz: nothing proves the order"):
        admit(model)
    monkeypatch.setenv("SWATH_MODEL_DEMANDS", "references")
    with pytest.raises(ConfigError, match="SWATH_MODEL_DEMANDS: references is not a demand; known: reference"):
        admit(model)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A network of an outer trainer: softmax(x W + b), computed here in float64."""
    directory = tmp_path / "net"
    directory.mkdir()
    classes = tuple(Category(value=i, name=n, title=n) for i, n in enumerate("abc"))
    manifest = Manifest(
        name="net",
        kind="onnx",
        weights="net.onnx",
        bands=("blue", "green", "red", "nir08"),
        of="sr",
        classes=classes,
        licence="MIT",
    )
    features = np.random.default_rng(3).normal(0.2, 0.1, (64, 4)).astype(np.float32)
    scores = features.astype(np.float64) @ WEIGHTS.astype(np.float64) + BIAS
    answers = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    rows = Reference(
        bands=manifest.bands, classes=("a", "b", "c"), of="sr", scale=1.0, offset=0.0, features=features,
        probabilities=answers.astype(np.float32), percentiles=np.percentile(features.astype(np.float64), [0.1, 50, 99.9], axis=0),
    )  # fmt: skip
    (directory / "manifest.json").write_text(manifest.to_json())
    (directory / "card.md").write_text("# Net\n")
    (directory / "net.onnx").write_bytes(network())
    (directory / "reference.npz").write_bytes(rows.to_bytes())
    return directory


def test_a_network_answers_within_what_kernels_differ(net: Path) -> None:
    assert findings_of(net) == ()
    rows = reference(net)
    answer = predictor_of(net, read_manifest(net)).predict(np.ascontiguousarray(rows.features.T))
    assert 0 < np.abs(answer.T - rows.probabilities).max() <= 1e-5
    shifted = replace(rows, probabilities=(rows.probabilities + 3e-5).astype(np.float32))
    (net / "reference.npz").write_bytes(shifted.to_bytes())
    with pytest.raises(ConfigError, match="64 of 64 reference rows differ from the trainer's by more than 1e-05: row 0 expected"):
        admit(net)


def test_a_network_whose_answers_are_no_probabilities_is_refused_without_rows_too(net: Path) -> None:
    (net / "reference.npz").unlink()
    (net / "net.onnx").write_bytes(network(last="Relu"))
    with pytest.raises(ConfigError, match="expected probabilities that sum to 1 over the classes, found values 0 to"):
        admit(net)
