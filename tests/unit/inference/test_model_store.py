"""Models in a store, by digest."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from swath.cli.models import models_group
from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.loader import load_predictor
from swath.inference.model_store import ModelStore, shared_models, worker_cache
from swath.inference.pinned import PinnedModel, pin
from swath.inference.registry import Registry


@pytest.fixture
def pinned(small_model: Path, tmp_path: Path) -> PinnedModel:
    return pin(small_model, cache=tmp_path / "driver", version="3")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore.at(str(tmp_path / "store"), create=True)


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("SWATH_MODELS", raising=False)


def test_a_worker_loads_from_the_store_what_the_driver_lost(pinned: PinnedModel, store: ModelStore) -> None:
    features = np.linspace(0.0, 0.6, len(pinned.manifest.bands) * 5, dtype=np.float32).reshape(-1, 5)
    expected = load_predictor(pinned.path, pinned.digest).predict(features)
    store.put(pinned.path, digest=pinned.digest)
    shutil.rmtree(pinned.path)
    found = load_predictor(f"file://{store.store.root}", pinned.digest).predict(features)
    assert np.array_equal(found, expected)
    assert model_digest(worker_cache() / pinned.digest) == pinned.digest


def test_a_copy_that_somebody_changed_is_fetched_anew(pinned: PinnedModel, store: ModelStore, tmp_path: Path) -> None:
    store.put(pinned.path, digest=pinned.digest)
    home = store.fetch(pinned.digest, cache=tmp_path / "cache")
    (home / "card.md").write_text("other", encoding="utf-8")
    assert model_digest(store.fetch(pinned.digest, cache=tmp_path / "cache")) == pinned.digest


def test_a_name_and_an_alias_mean_what_was_exported(pinned: PinnedModel, store: ModelStore, tmp_path: Path) -> None:
    name = pinned.name
    store.export(pinned, aliases=("production",))
    for reference in (f"models:/{name}@production", f"{name}/3"):
        found = store.resolve(reference, cache=tmp_path / "cache")
        assert (found.name, found.version, found.digest, found.manifest) == (name, "3", pinned.digest, pinned.manifest)
    assert [(m.name, m.version, m.aliases) for m in store.list()] == [(name, "3", ("production",))]
    with pytest.raises(ConfigError, match=rf"holds no model '{name}@staging'; it holds: {name}/3"):
        store.resolve(f"{name}@staging", cache=tmp_path / "cache")


def test_a_version_means_one_model_for_good(pinned: PinnedModel, store: ModelStore, tmp_path: Path) -> None:
    store.export(pinned)
    other = Path(shutil.copytree(pinned.path, tmp_path / "other"))
    (other / "card.md").write_text("other", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"this version has digest .* register a new one"):
        store.export(pin(other, cache=tmp_path / "driver", version="3"))


def test_a_damaged_store_is_told_and_not_used(pinned: PinnedModel, store: ModelStore, tmp_path: Path) -> None:
    store.export(pinned)
    weights = Path(store.store.root) / pinned.digest / pinned.manifest.weights
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ConfigError, match="the model's files have digest"):
        store.fetch(pinned.digest, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    ((_, wrong),) = store.verify()
    assert "export it again" in wrong
    weights.unlink()
    with pytest.raises(ConfigError, match="has no such file any more"):
        store.fetch(pinned.digest, cache=tmp_path / "cache")


@pytest.mark.parametrize("name", ["../outside", "/outside"])
def test_a_list_that_leaves_the_model_is_refused(store: ModelStore, tmp_path: Path, name: str) -> None:
    store.store.write(f"{'0' * 64}.json", json.dumps({"files": [name]}).encode())
    with pytest.raises(ConfigError, match="not the list of a model's files"):
        store.fetch("0" * 64, cache=tmp_path / "cache")
    with pytest.raises(ConfigError, match="holds no model with digest"):
        store.fetch("../names", cache=tmp_path / "cache")


def test_workers_of_a_folder_see_the_folder() -> None:
    models = {"m": {"path": "/out/models/pinned/0", "digest": "0"}}
    assert shared_models(models, output="/out") == models


def test_a_site_without_a_registry_runs_what_was_exported_to_it(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here, store = tmp_path / "there", tmp_path / "here", str(tmp_path / "exported")

    def swath(*words: str) -> str:
        done = CliRunner().invoke(models_group, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    registry = Registry.beside(there)
    made = registry.register(small_model)
    registry.promote(made.name, version="1", alias="production")
    swath("export", f"{made.name}@production", "--to", store, "--output", str(there))
    assert "as its digest says" in swath("verify", store)
    monkeypatch.setenv("SWATH_MODELS", store)
    found = Registry.beside(here).resolve(f"models:/{made.name}@production")
    assert (found.version, found.digest) == ("1", made.digest)
    (listed,) = json.loads(swath("list", "--json"))
    assert (listed["digest"], listed["aliases"]) == (made.digest, ["production"])
    monkeypatch.delenv("SWATH_MODELS")
    swath("import", f"{made.name}@production", "--from", store, "--output", str(here), "--alias", "production")
    assert Registry.beside(here).resolve(f"{made.name}@production").digest == made.digest


def test_a_product_is_traced_to_what_its_model_was_trained_on(pinned: PinnedModel, tmp_path: Path) -> None:
    ModelStore.at(str(tmp_path / "out" / "models" / "pinned"), create=True).put(pinned.path, digest=pinned.digest)
    folder = tmp_path / "out" / "products" / "c" / "2024" / "08" / "06" / "P"
    folder.mkdir(parents=True)
    models = [{"name": n, "version": "3", "digest": d} for n, d in ((pinned.name, pinned.digest), ("gone", "0" * 64))]
    item = {"id": "P", "properties": {"swath:models": models}, "assets": {"map": {"swath:model": pinned.digest}, "red": {}}}
    (folder / "P.json").write_text(json.dumps(item), encoding="utf-8")
    done = CliRunner().invoke(models_group, ["trace", str(folder / "P.json")], catch_exceptions=False)
    first, second = json.loads(done.output)["models"]
    assert (first["assets"], first["licence"], first["metrics"]) == (
        ["map"],
        pinned.manifest.licence,
        dict(pinned.manifest.metrics),
    )
    assert (second["assets"], second["training"]) == ([], None)
