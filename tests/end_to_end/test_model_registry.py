"""Models from samples to a resolved alias, through a real MLflow registry in an SQLite file."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny_model import RECIPE, samples

from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.loader import load_predictor
from swath.inference.registry import Registry
from swath.inference.registry_file import list_of_file
from swath.inference.signature import SignatureError
from swath.inference.version_file import version_of_file
from swath.training.draw import Drawn
from swath.training.train import Trained, train


def drawn(seed: int = 0) -> Drawn:
    """Two classes around .1 and .4, five polygons of each."""
    return Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=seed), refused={"bad": "why"})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    home = tmp_path_factory.mktemp("output")
    return Registry.beside(home, uri=f"sqlite:///{home / 'models' / 'mlflow.db'}")


@pytest.fixture(scope="module")
def trained(registry: Registry) -> Trained:
    return train(drawn(), recipe=RECIPE, registry=registry, alias="production")


def test_training_registers_a_version_with_its_digest_and_alias(trained: Trained) -> None:
    assert (trained.model.name, trained.model.version, trained.model.aliases) == ("tiny", "1", ("production",))
    assert len(trained.model.digest) == 64
    assert trained.model.metrics["accuracy"] > 0.99
    assert trained.refused == {"bad": "why"}
    json.dumps(trained.plain())


def test_the_run_holds_parameters_metrics_and_the_confusion_matrix(trained: Trained, registry: Registry) -> None:
    client = registry.client()
    run = client.get_run(trained.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["forest.trees"] == "5"
    assert run.data.metrics["accuracy"] == pytest.approx(trained.model.metrics["accuracy"])
    assert len(client.get_metric_history(trained.run_id, "split_accuracy")) == 2
    assert {a.path for a in client.list_artifacts(trained.run_id)} == {
        "confusion.json", "confusion.png", "model", "promotions", "recipe.json",
    }  # fmt: skip


@pytest.mark.parametrize("reference", ["models:/tiny@production", "tiny@production", "models:/tiny/1", "tiny/1"])
def test_every_way_to_name_a_model_pins_the_same_files(trained: Trained, registry: Registry, reference: str) -> None:
    pinned = registry.resolve(reference)
    assert (pinned.name, pinned.version, pinned.digest) == ("tiny", "1", trained.model.digest)
    assert pinned.path.name == pinned.digest
    assert sorted(p.name for p in pinned.path.iterdir()) == ["card.md", "forest.npz", "manifest.json", "reference.npz"]


def test_the_resolved_model_predicts(registry: Registry) -> None:
    pinned = registry.resolve("tiny@production")
    answer = load_predictor(pinned.path, pinned.digest).predict(np.array([[0.1, 0.4], [0.1, 0.4]], dtype=np.float32))
    assert answer.argmax(axis=0).tolist() == [0, 1]


def test_the_same_samples_give_the_same_model_and_an_alias_moves(trained: Trained, registry: Registry) -> None:
    again = train(drawn(), recipe=RECIPE, registry=registry)
    assert (again.model.version, again.model.digest) == ("2", trained.model.digest)
    other = train(drawn(1), recipe=RECIPE, registry=registry)
    assert other.model.digest != trained.model.digest
    registry.promote("tiny", version=other.model.version, alias="candidate")
    assert registry.resolve("tiny@candidate").digest == other.model.digest
    assert registry.resolve("tiny@production").digest == trained.model.digest
    assert [m.version for m in registry.list("tiny")][:2] == ["3", "2"]


def test_the_list_of_a_file_is_what_mlflow_lists(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MLflow, and without what was deleted; a file of another layout is MLflow's."""
    for _ in range(2):
        train(drawn(5), recipe=RECIPE, registry=registry, name="deleted-in-part", alias="production")
    registry.client().delete_model_version("deleted-in-part", "2")
    file = Path(registry.uri.removeprefix("sqlite:///"))
    ours = {name: list_of_file(file, name=name) for name in ("", "tiny", "deleted-in-part", "of-nobody")}
    assert ours[""]
    assert ours["of-nobody"] == ()
    assert [m.version for m in ours["deleted-in-part"] or ()] == ["1"]
    with monkeypatch.context() as without:
        without.setattr("swath.inference.registry.list_of_file", lambda *_, **__: None)
        assert {name: registry.list(name) for name in ours} == ours
    monkeypatch.setattr("swath.inference.registry_file.LAYOUT", "another")
    assert list_of_file(file) is None


def test_a_version_in_a_file_is_resolved_without_mlflow_as_mlflow_resolves_it(
    trained: Trained, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = ("tiny@production", "models:/tiny/1", "tiny/2")
    program = (
        "import sys; from pathlib import Path; from swath.inference.registry import Registry; "
        f"r = Registry(uri={registry.uri!r}, artifacts=Path(), cache=Path({str(tmp_path)!r})); "
        f"print(*(r.resolve(n).digest for n in {references!r}), 'mlflow' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    monkeypatch.setattr("swath.inference.registry.version_of_file", lambda *_, **__: None)
    by_mlflow = [registry.resolve(name) for name in references]
    assert told == [*(m.digest for m in by_mlflow), "False"]
    assert by_mlflow[0].digest == trained.model.digest
    monkeypatch.undo()
    assert [registry.resolve(name) for name in references] == by_mlflow


def test_what_a_file_cannot_answer_is_left_to_mlflow(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(registry.uri.removeprefix("sqlite:///"))
    assert version_of_file(file, name="tiny", alias="nothing", version=None) is None
    assert version_of_file(file, name="tiny", alias=None, version="77") is None
    assert version_of_file(file, name="tiny", alias=None, version="1") is not None
    monkeypatch.setattr("swath.inference.registry_file.LAYOUT", "another")
    assert version_of_file(file, name="tiny", alias=None, version="1") is None


def test_a_version_whose_files_were_exchanged_is_refused_as_mlflow_would_hand_them_out(
    registry: Registry, tmp_path: Path
) -> None:
    train(drawn(5), recipe=RECIPE, registry=registry, name="exchanged", alias="production")
    file = Path(registry.uri.removeprefix("sqlite:///"))
    version = version_of_file(file, name="exchanged", alias="production", version=None)
    assert version is not None
    assert version.artifacts is not None
    signed = replace(version, tags={**version.tags, "signature": "a key"})
    with pytest.raises(SignatureError, match=r"exchanged/1: registered with a signature: expected one file .* got 0"):
        signed.pinned(cache=tmp_path, source=registry.uri)
    card = version.folder / "card.md"
    card.rename(tmp_path / "card.md")
    card.symlink_to(tmp_path / "card.md")
    with pytest.raises(ConfigError, match="may hold plain files only, no links"):
        registry.resolve("exchanged@production")
    card.unlink()
    os.mkfifo(card)
    with pytest.raises(ConfigError, match=r"exchanged/1: its files in .* cannot be copied: expected plain files"):
        registry.resolve("exchanged@production")


def test_a_folder_is_a_model_too(trained: Trained, registry: Registry) -> None:
    folder = registry.resolve("tiny/1").path
    pinned = registry.resolve(str(folder))
    assert (pinned.name, pinned.version, pinned.digest) == ("tiny", "local", trained.model.digest)


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (lambda c, n: c.delete_model_version_tag(n, "1", "digest"), "registered with digest {0}, its tag `digest` is gone"),
        (
            lambda c, n: c.set_model_version_tag(n, "1", "digest", "0" * 64),
            "registered with digest {0}, its tag `digest` says 0",
        ),
    ],
)
@pytest.mark.parametrize("act", ["resolve", "promote"])
def test_a_tag_that_was_changed_does_not_let_other_files_in(registry: Registry, tamper: Any, told: str, act: str) -> None:
    name = f"tagged{abs(hash((told, act)))}"
    made = train(drawn(3), recipe=RECIPE, registry=registry, name=name)
    tamper(registry.client(), name)
    with pytest.raises(ConfigError, match=f"{name}/1: {told.format(made.model.digest)}"):
        registry.resolve(f"{name}/1") if act == "resolve" else registry.promote(name, version="1", alias="production")
    assert registry.list(name)[0].aliases == ()


@pytest.mark.parametrize("act", ["resolve", "promote", "check"])
def test_a_version_that_plain_mlflow_registered_needs_admission_too(registry: Registry, tmp_path: Path, act: str) -> None:
    client = registry.client()
    directory = tmp_path / "model"
    shutil.copytree(registry.resolve("tiny/1").path, directory)
    (directory / "code.pkl").write_bytes(b"\x80\x04.")
    run = client.create_run(registry.experiment_id()).info
    client.log_artifacts(run.run_id, str(directory), artifact_path="model")
    name = f"beside{act}"
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id, tags={"digest": model_digest(directory)})
    if act == "check":
        (found,) = registry.check(f"{name}/1")
        assert (found.check, found.grave, found.remedy) == ("files", True, "remove code.pkl")
        return
    with pytest.raises(ConfigError, match=rf"{name}/1: files: a model holds .* and nothing else; remove code\.pkl"):
        registry.resolve(f"{name}/1") if act == "resolve" else registry.promote(name, version="1", alias="production")


def test_a_version_without_any_digest_is_not_taken(registry: Registry, tmp_path: Path) -> None:
    client = registry.client()
    run = client.create_run(registry.experiment_id()).info
    client.log_artifacts(run.run_id, str(registry.resolve("tiny/1").path), artifact_path="model")
    client.create_registered_model("silent")
    client.create_model_version("silent", f"{run.artifact_uri}/model", run.run_id)
    with pytest.raises(ConfigError, match="silent/1: neither its tag `digest` nor its run records a digest"):
        registry.resolve("silent/1")


def test_a_model_that_mlflow_logged_itself_is_told_with_its_flavours(registry: Registry) -> None:
    client = registry.client()
    run = client.create_run(registry.experiment_id()).info
    flavours = "flavors:\n  lightgbm: {data: model.lgb}\n  python_function: {loader_module: mlflow.lightgbm}\n"
    client.log_text(run.run_id, flavours, "model/MLmodel")
    client.create_registered_model("plain")
    client.create_model_version("plain", f"{run.artifact_uri}/model", run.run_id)
    with pytest.raises(
        ConfigError, match=r"plain/1: logged by MLflow with the flavours lightgbm, python_function, without mani"
    ) as told:
        registry.resolve("plain/1")
    assert "/tmp" not in str(told.value)


def test_files_that_changed_in_the_registry_are_not_taken(registry: Registry) -> None:
    made = train(drawn(2), recipe=RECIPE, registry=registry, name="changed")
    (card,) = [p for p in registry.artifacts.rglob("card.md") if made.run_id in str(p)]
    card.write_text("something else", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"changed/1: registered with digest {made.model.digest}, its files now have"):
        registry.resolve("changed/1")


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("tiny@producton", r"has no tiny@producton: .*; did you mean 'production'\?; tiny has the aliases"),
        ("Tinny@production", r"has no Tinny@production: .*; did you mean 'tiny'\?; it holds .*tiny"),
        ("tiny@nobody", r"has no tiny@nobody: .*; tiny has the aliases: .*production \(version 1\); the versions: .*1$"),
        ("tiny/99", r"has no tiny/99: .*production \(version 1\); the versions: .*1$"),
        ("models:/unknown@production", "has no unknown@production: .*; it holds .*tiny"),
        ("no-such-folder", "names no model: expected models:/<name>@<alias>"),
    ],
)
def test_what_is_not_registered_is_told(trained: Trained, registry: Registry, reference: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        registry.resolve(reference)


def test_an_alias_for_a_version_that_is_not_there_is_refused(trained: Trained, registry: Registry) -> None:
    with pytest.raises(ConfigError, match="has no tiny/77"):
        registry.promote("tiny", version="77", alias="production")


def test_no_samples_say_why(registry: Registry) -> None:
    nothing: dict[str, Any] = {"samples": drawn().samples.iloc[:0]}
    with pytest.raises(ConfigError, match="no samples to train on: S is broken"):
        train(Drawn(**nothing, refused={"S": "S is broken"}), recipe=RECIPE, registry=registry)
