"""A model is revoked at one site: its products say so there and, by the list, at another; and every promotion is kept."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.tiny_model import RECIPE, key_pair, samples
from tests.tiny_model import swath_models as swath

from swath.errors import ConfigError
from swath.inference.registry import Registry
from swath.ledger.open import open_tables
from swath.ledger.schemas import PRODUCTS, SCENES
from swath.sinks.stac.validate import StacValidator
from swath.stores.registry import open_store
from swath.training.draw import Drawn
from swath.training.train import train

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


@pytest.fixture(autouse=True)
def _own_site(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "SWATH_MODELS", "SWATH_MODEL_REVOKED", "SWATH_MODEL_KEYS"):
        monkeypatch.delenv(name, raising=False)


def product(name: str, *, digest: str, day: int = 1) -> tuple[Any, ...]:
    values: dict[str, Any] = dict.fromkeys(PRODUCTS.names)
    values |= {
        "product_id": name, "scene_id": f"scene-{name}", "scene_digest": "s", "pipeline_version": 1, "wave": 0, "run_id": "r",
        "item": f"products/{name}.json", "bbox": [0.0] * 4, "acquired": datetime(2026, 1, 1, tzinfo=UTC), "assets": [],
        "pictures": {}, "models": [("tiny", "1", digest)], "left_out": {}, "made": datetime(2026, 2, day, tzinfo=UTC),
    }  # fmt: skip
    return tuple(values[n] for n in PRODUCTS.names)


def scene(name: str) -> tuple[Any, ...]:
    values = dict.fromkeys(SCENES.names) | {"scene_id": f"scene-{name}", "digest": "s", "href": f"/scenes/{name}.tar"}
    return tuple(values[n] for n in SCENES.names)


def item(name: str) -> dict[str, Any]:
    return {
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": name, "geometry": None, "links": [],
        "assets": {}, "properties": {"datetime": "2026-01-01T00:00:00Z"},
    }  # fmt: skip


def output(place: Path, rows: list[tuple[Any, ...]], *, lost: str = "") -> Path:
    store = open_store(str(place), create=True)
    open_tables(None, store).append("products", rows, schema=PRODUCTS, run_id="r", wave=0)
    names = sorted({str(r[0]) for r in rows})
    open_tables(None, store).append("scenes", [scene(n) for n in names if n != "mosaic"], schema=SCENES, run_id="r", wave=0)
    for name in names:
        if name != lost:
            store.write(f"products/{name}.json", json.dumps(item(name)).encode())
    return place


def properties(place: Path, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((place / "products" / f"{name}.json").read_text())
    assert StacValidator(SCHEMAS).validate(told).findings == ()
    return dict(told["properties"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions; the first has the alias."""
    home = tmp_path_factory.mktemp("registry")
    for seed in (0, 1):
        drawn = Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=seed), refused={})
        train(drawn, recipe=RECIPE, registry=Registry.beside(home))
    swath("promote", "tiny", 1, "--output", home)
    return home


def test_a_model_revoked_at_one_site_marks_its_products_there_and_at_another(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (Registry.beside(home).resolve(f"tiny/{v}").digest for v in (1, 2))
    north = output(tmp_path / "north", [product("A", digest=bad), product("B", digest=good)])
    remade = [product("C", digest=bad), product("C", digest=good, day=2)]
    others = [product(n, digest=bad) for n in ("D", "lost", "mosaic")]
    south = output(tmp_path / "south", [*remade, *others], lost="lost")
    private, public = key_pair(tmp_path, "key")
    words = ("--because", "maps of water went wrong", "--list", tmp_path / "list", "--sign-key", private, "--output", home)
    with pytest.raises(ConfigError, match="tiny@production means tiny/1, which is revoked itself: promote another version first"):
        swath("revoke", bad, *words, "--tables", north, "--replace-with", "tiny@production")
    assert not (tmp_path / "list").exists()
    swath("promote", "tiny", 2, "--force", "the other is revoked", "--output", home)
    told = swath("revoke", bad, *words, "--tables", north, "--replace-with", "tiny@production")
    assert f"{north}: 1 products, 1 items marked as deprecated now" in told
    queue = north / "remake" / f"{bad[:12]}.txt"
    assert f"swath run PIPELINE --input {queue} --output {north} --set STEP.model=tiny@production" in told
    assert queue.read_text() == "/scenes/A.tar\n"
    found = properties(north, "A")
    assert found["deprecated"] is True
    assert found["swath:deprecated_by"][0]["digest"] == bad
    assert found["swath:deprecated_by"][0]["revoked"].endswith(": maps of water went wrong")
    assert "deprecated" not in properties(north, "B")
    # The other site receives the list and its signature, and nothing else.
    site = tmp_path / "site"
    shutil.copytree(tmp_path / "list", site)
    monkeypatch.setenv("SWATH_MODEL_KEYS", str(public))
    with pytest.raises(ConfigError, match=r"the list of revoked models is not trusted: it is not signed"):
        swath("deprecate", "--list", site, "--tables", south)
    shutil.copyfile(tmp_path / "list.sig", tmp_path / "site.sig")
    told = swath("deprecate", "--list", site, "--tables", south)
    assert f"{south}: 3 products, 2 items marked as deprecated now" in told
    assert f"{south}: 1 of them cannot be done (their items are gone): lost" in told
    assert f"{south}: 1 of them cannot be done (no scene of theirs is known): mosaic" in told
    assert properties(south, "D")["deprecated"] is True
    assert "deprecated" not in properties(south, "C")
    assert (south / "remake" / f"{bad[:12]}.txt").read_text() == "/scenes/D.tar\n/scenes/lost.tar\n"
    assert "0 items marked as deprecated now" in swath("deprecate", "--list", site, "--tables", south)
    monkeypatch.setenv("SWATH_MODEL_REVOKED", str(site))
    with pytest.raises(ConfigError, match=f"digest {bad} was revoked"):
        Registry.beside(home).resolve("tiny/1")


def test_outputs_that_are_none_are_refused_before_anything_is_revoked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere is not a swath output"):
        swath("revoke", "ab" * 32, "--because", "x", "--list", tmp_path / "list", "--tables", tmp_path / "nowhere")
    assert not (tmp_path / "list").exists()
    swath("revoke", "ab" * 32, "--because", "x", "--list", tmp_path / "list")
    with pytest.raises(ConfigError, match="say whose products are marked: --tables OUTPUT"):
        swath("deprecate", "--list", tmp_path / "list")


def test_every_promotion_is_kept_in_a_table_and_read_back(tmp_path: Path) -> None:
    registry = Registry.beside(tmp_path)
    assert json.loads(swath("promotions", "--json", "--output", tmp_path)) == []
    for seed in (0, 1):
        train(Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=seed), refused={}), recipe=RECIPE, registry=registry)
    swath("promote", "tiny", 1, "--output", tmp_path)
    swath("promote", "tiny", 2, "--force", "a drill", "--output", tmp_path)
    swath("rollback", "tiny", "--because", "maps went wrong", "--output", tmp_path)
    rows = json.loads(swath("promotions", "tiny", "--json", "--output", tmp_path))
    assert [(r["version"], r["basis"], r["before"], r["reason"]) for r in rows] == [
        ("1", "first", "", ""), ("2", "forced", "1", "a drill"), ("1", "rollback", "2", "maps went wrong"),
    ]  # fmt: skip
    assert [r["digest"] for r in rows] == [registry.resolve(f"tiny/{v}").digest for v in (1, 2, 1)]
    assert all(r["by"] and r["alias"] == "production" and r["numbers"] == {} for r in rows)
    assert sorted(r["at"] for r in rows) == [r["at"] for r in rows]
    assert json.loads(swath("promotions", "other", "--json", "--output", tmp_path)) == []
    table = swath("promotions", "--output", tmp_path)
    assert [w in table for w in ("forced", "rollback", "maps went wrong")] == [True] * 3
    log = sorted((tmp_path / "models" / "tables" / "promotions" / "_delta_log").glob("*.json"))
    assert len(log) >= 3
    assert not any('"remove"' in p.read_text() for p in log)
