"""The items of a run's models in its output."""

import json
from pathlib import Path

import pytest
from tests.tiny_model import RECIPE, STUMPS

from swath.inference.digest import model_digest
from swath.runs.model_items import write_model_items
from swath.stores.registry import open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "manifest.json").write_text(RECIPE.manifest(training={"code": "swath"}).to_json(), encoding="utf-8")
    (folder / "forest.npz").write_bytes(STUMPS.to_bytes())
    return folder


def test_each_model_has_its_item_and_one_that_is_gone_stops_no_run(folder: Path, tmp_path: Path) -> None:
    store, digest = open_store(str(tmp_path / "out"), create=True), model_digest(folder)
    models = {"tiny": {"path": str(folder), "digest": digest}, "gone": {"path": str(tmp_path / "no"), "digest": "ab" * 32}}
    write_model_items(models, store=store)
    assert sorted(store.list("models")) == [f"models/{digest}.json"]
    item = json.loads(store.read(f"models/{digest}.json") or b"")
    assert item["assets"]["weights"]["href"] == str(folder / "forest.npz")
    assert item["properties"]["swath:training"] == {"code": "swath"}
    store.write(f"models/{digest}.json", b"kept")
    write_model_items(models, store=store)
    assert store.read(f"models/{digest}.json") == b"kept"


def test_weights_that_are_in_the_output_are_named_from_there(folder: Path, tmp_path: Path) -> None:
    store, digest = open_store(str(tmp_path / "out"), create=True), model_digest(folder)
    store.write(f"models/pinned/{digest}/forest.npz", b"weights")
    write_model_items({"tiny": {"path": str(folder), "digest": digest}}, store=store)
    item = json.loads(store.read(f"models/{digest}.json") or b"")
    assert item["assets"]["weights"]["href"] == f"./pinned/{digest}/forest.npz"
