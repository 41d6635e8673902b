"""From a product to its model, and from a model to what it made, over the tables of several sites; no Spark is started."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from swath.cli.models import models_group
from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.registry import Registry
from swath.ledger.open import open_tables
from swath.ledger.schemas import PRODUCTS
from swath.stores.registry import open_store


def row(product: str, *, digest: str, site: str, day: int = 1) -> tuple[Any, ...]:
    """A product with two assets, one of them by a model."""
    values: dict[str, Any] = dict.fromkeys(PRODUCTS.names)
    assets = [(n, n, f"{n}.tif", "k", 1, "d", m) for n, m in (("landcover", digest), ("sr_red", None))]
    values |= {
        "product_id": product, "scene_id": product, "pipeline_version": 1, "item": f"products/{product}.json", "bbox": [0.0] * 4,
        "acquired": datetime(2026, 1, 1, tzinfo=UTC), "assets": assets, "pictures": {}, "models": [("tiny", "1", digest)],
        "left_out": {}, "run_id": "r", "wave": 0, "site": site, "made": datetime(2026, 2, day, tzinfo=UTC), "code": "0.1",
    }  # fmt: skip
    return tuple(values[n] for n in PRODUCTS.names)


@pytest.fixture
def sites(small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, str]:
    """Two outputs; the model is registered at the first."""
    for name in ("MLFLOW_TRACKING_URI", "SWATH_MODELS", "SWATH_MODEL_REVOKED"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    digest = model_digest(small_model)
    places = (tmp_path / "north", tmp_path / "south")
    for place, products in zip(places, (["A.ard", "B.ard"], ["C.ard"]), strict=True):
        rows = [row(p, digest=digest, site=place.name) for p in products]
        rows.append(row(f"other-{place.name}", digest="cd" * 32, site=place.name))
        store = open_store(str(place), create=True)
        open_tables(None, store).append("products", rows, schema=PRODUCTS, run_id="r", wave=0)
    registry = Registry.beside(places[0])
    registry.register(small_model, name="tiny")
    registry.promote("tiny", version="1", alias="production")
    return (*places, digest)


def trace(*words: object) -> dict[str, Any]:
    done = CliRunner().invoke(models_group, ["trace", *map(str, words)])
    if done.exception is not None:
        raise done.exception
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_a_model_leads_to_what_it_made_at_every_site(sites: tuple[Path, Path, str]) -> None:
    north, south, digest = sites
    for what in (digest, "tiny@production", "models:/tiny/1"):
        found = trace(what, "--tables", north, "--tables", south, "--output", north)
        assert [(p["product_id"], p["site"], p["assets"]) for p in found["products"]] == [
            ("A.ard", "north", ["landcover"]), ("B.ard", "north", ["landcover"]), ("C.ard", "south", ["landcover"]),
        ]  # fmt: skip
        assert found["digest"] == digest
        assert found["licence"] == "Apache-2.0"
        assert found["products"][0]["item"] == f"{north}/products/A.ard.json"


def test_a_product_leads_to_its_model_and_its_training(sites: tuple[Path, Path, str]) -> None:
    north, south, digest = sites
    found = trace("C.ard", "--tables", north, "--tables", south, "--output", north)
    (model,) = found["models"]
    assert (found["site"], model["digest"], model["assets"], model["of"]) == ("south", digest, ["landcover"], "sr")
    assert "accuracy" in model["metrics"]


def test_a_revoked_model_is_traced_all_the_same(
    sites: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    north, _, digest = sites
    CliRunner().invoke(models_group, ["revoke", digest, "--because", "wrong", "--list", str(tmp_path / "revoked")])
    monkeypatch.setenv("SWATH_MODEL_REVOKED", str(tmp_path / "revoked"))
    assert len(trace("tiny@production", "--output", north)["products"]) == 2


def test_what_is_unknown_says_where_was_looked(sites: tuple[Path, Path, str]) -> None:
    north, south, _ = sites
    with pytest.raises(
        ConfigError, match=rf"{'ab' * 32}: no product of it in the tables of {north}, {south}, and no such model in"
    ):
        trace("ab" * 32, "--tables", north, "--tables", south, "--output", north)
    with pytest.raises(ConfigError, match=rf"nothing\.ard: no product of this name.*; looked in the tables of {north}"):
        trace("nothing.ard", "--output", north)
    with pytest.raises(ConfigError, match=r"there is no model tiny@staging; known here: tiny/1 \(production\)"):
        trace("tiny@staging", "--output", north)
    shutil.rmtree(north / "models" / "pinned")
    assert trace("A.ard", "--output", north)["models"][0]["why"].startswith("its files are in none of the places")
