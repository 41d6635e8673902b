"""Ingest, strips, assets and the item of a simulated delivery, all through the real child process."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.config import load_pipeline
from swath.engine.child.parent import Child, Limits
from swath.engine.refused import Refused
from swath.simulator.damage import copied, truncate
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate
from swath.sinks.cog.validate import problems_of
from swath.stores.local import local_store

SIZE = 600


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    made = Child(Limits(memory_mb=1500, seconds=120.0))
    yield made
    made.close()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return simulate(kind="landsat9", folder=tmp_path_factory.mktemp("simulated"), size=SIZE, truth=False)


def _pipeline(name: str = "surface-reflectance", **changes: str) -> str:
    file = load_pipeline(name)
    rules = [*((a, True) for a in file.assets.required), *((a, False) for a in file.assets.optional)]
    plain = {
        "name": file.name,
        "steps": [{"name": n, "parameters": p} for entry in file.steps for n, p in entry.items()],
        "assets": [{"layers": layers, "required": required} for layers, required in rules],
    }
    return json.dumps({**plain, **changes})


def _done(answer: dict[str, Any] | Refused) -> dict[str, Any]:
    assert not isinstance(answer, Refused), answer
    return answer


def _product(child: Child, scene: str, *, output: Path, strip_rows: int | None, writer: str = "swath") -> dict[str, Any]:
    """Every strip, every asset, the item; records by asset."""
    pipeline = _pipeline(writer=writer)
    local_store(output)
    common = {"scene": scene, "pipeline": pipeline, "output": str(output), "scene_id": json.loads(scene)["scene_id"]}
    strips = -(-SIZE // strip_rows) if strip_rows else 1
    cut = {"strip_rows": strip_rows, "split": strip_rows is not None, "folder": ".scratch/run"}
    made = [_done(child.call({**common, **cut, "op": "strip", "strip": n})) for n in range(strips)]
    parts = [p for m in made for p in m["parts"]]
    records = []
    for name in sorted({p["asset"] for p in parts}):
        own = [p for p in parts if p["asset"] == name]
        records.append(_done(child.call({**common, **cut, "op": "asset", "asset": name, "parts": own, "attempt": "1"}))["record"])
    previews = [m["preview"] for m in made]
    published = _done(
        child.call({**common, "op": "publish", "records": records, "previews": previews, "dark": [m["dark"] for m in made]})
    )
    return {"records": {r["name"]: r for r in records}, "published": published}


def test_a_delivery_becomes_a_product_however_it_is_cut(child: Child, simulated: SimulatedScene, tmp_path: Path) -> None:
    pipeline = _pipeline()
    ingested = _done(child.call({"op": "ingest", "href": str(simulated.delivery), "pipeline": pipeline, "strip_rows": 512}))
    assert ingested["strips"] == 2
    assert ingested["product_id"] == f"{ingested['scene_id']}.surface-reflectance"
    one = _product(child, ingested["scene"], output=tmp_path / "one", strip_rows=None)
    two = _product(child, ingested["scene"], output=tmp_path / "two", strip_rows=512)
    assert one["records"] == two["records"]
    assert one["published"]["pictures"] == two["published"]["pictures"]
    # What the guard found does not depend on the cut either.
    assert one["published"]["facts"]["checks"]["radiometry"]["verdict"] == "agrees"
    assert one["published"]["facts"] == two["published"]["facts"]
    assert {"red", "green", "blue", "nir08", "qa", "lwir11"} <= one["records"].keys()
    assert len(one["records"]) == ingested["assets"]
    item_path = tmp_path / "two" / two["published"]["item"]
    item = json.loads(item_path.read_text(encoding="utf-8"))
    for name, record in two["records"].items():
        file = item_path.parent / record["href"]
        assert problems_of(file) == []
        assert hashlib.sha256(file.read_bytes()).hexdigest() == record["digest"]
        assert item["assets"][name]["href"].endswith(record["href"])
        with rasterio.open(file) as dataset:
            stored = dataset.read(1)
            assert dataset.tags()["SWATH_ASSET_KEY"] == record["key"]
        assert record["statistics"]["count"] == stored.size
        assert record["statistics"]["maximum"] == int(stored.max())
    with rasterio.open(item_path.parent / two["records"]["red"]["href"]) as dataset:
        red = dataset.read(1)
    valid = red[red != -9999].astype(np.int64)
    assert two["records"]["red"]["statistics"]["total"] == int(valid.sum())


def test_gdals_driver_writes_the_same_pixels_under_other_keys(child: Child, simulated: SimulatedScene, tmp_path: Path) -> None:
    scene = _done(child.call({"op": "ingest", "href": str(simulated.delivery)}))["scene"]
    products = {
        writer: _product(child, scene, output=tmp_path / writer, strip_rows=512, writer=writer) for writer in ("swath", "gdal")
    }
    ours, theirs = (products[w]["records"] for w in ("swath", "gdal"))
    assert ours.keys() == theirs.keys()
    for name, record in ours.items():
        assert record["key"] != theirs[name]["key"]
        assert record["statistics"] == theirs[name]["statistics"]
        files = [
            (tmp_path / w / products[w]["published"]["item"]).parent / products[w]["records"][name]["href"]
            for w in ("swath", "gdal")
        ]
        assert files[0].read_bytes() != files[1].read_bytes()
        assert problems_of(files[1]) == []
        for level in ({}, {"overview_level": 0}):
            with rasterio.open(files[0], **level) as one, rasterio.open(files[1], **level) as other:
                np.testing.assert_array_equal(one.read(1), other.read(1))


def test_a_product_made_in_one_call_is_the_same(child: Child, simulated: SimulatedScene, tmp_path: Path) -> None:
    pipeline = _pipeline()
    scene = _done(child.call({"op": "ingest", "href": str(simulated.delivery)}))["scene"]
    apart = _product(child, scene, output=tmp_path / "apart", strip_rows=None)
    request = {
        "op": "make", "scene": scene, "scene_id": json.loads(scene)["scene_id"], "pipeline": pipeline,
        "output": str(local_store(tmp_path / "one").folder), "strip_rows": None, "split": False, "folder": ".scratch/run",
        "attempt": "1",
    }  # fmt: skip
    made = _done(child.call(request))
    assert {r["name"]: r for r in json.loads(made["ledger"])} == apart["records"]
    assert {r["name"]: r["digest"] for r in made["records"]} == {n: r["digest"] for n, r in apart["records"].items()}
    assert {**made["published"], "cpu_s": 0} == {**apart["published"], "cpu_s": 0}
    assert {"read", "encode", "assemble", "publish"} <= made["seconds"].keys()
    assert {t["asset"]: t["sums"][0] for t in made["tiles"]} == {n: r["statistics"]["count"] for n, r in apart["records"].items()}
    # What is there already is named in the item like the rest, whether the ledger knows it or its item alone.
    folder = tmp_path / "one"
    red = apart["records"]["red"]
    version = {"item": made["published"]["item"], "records": [red], "pictures": made["published"]["pictures"]}
    linked = _done(child.call({**request, "attempt": "2", "versions": [version]}))
    assert linked["published"]["item"] == made["published"]["item"]
    assert set(linked["linked"]) == apart["records"].keys()
    assert linked["tiles"] == []
    assert json.loads(linked["ledger"])[0] == red
    blue = folder / Path(made["published"]["item"]).parent / apart["records"]["blue"]["href"]
    before = blue.read_bytes()
    blue.write_bytes(before[:-1])
    mended = _done(child.call({**request, "attempt": "3"}))
    assert {r["name"] for r in mended["records"]} - set(mended["linked"]) == {"blue"}
    assert blue.read_bytes() == before
    item = json.loads((folder / made["published"]["item"]).read_text(encoding="utf-8"))
    assert item["assets"].keys() >= apart["records"].keys()


def test_an_illegal_strip_height_stops_the_run_with_the_legal_ones(child: Child, simulated: SimulatedScene) -> None:
    answer = child.call({"op": "ingest", "href": str(simulated.delivery), "pipeline": _pipeline(), "strip_rows": 500})
    assert isinstance(answer, Refused)
    assert answer.error_class == "config"
    assert "legal here: multiples of 512, or 600 (the whole scene)" in answer.message


def test_a_truncated_delivery_is_refused_with_its_name(child: Child, simulated: SimulatedScene, tmp_path: Path) -> None:
    broken = truncate(copied(simulated, folder=tmp_path / "scenes", rename={}))
    answer = child.call({"op": "ingest", "href": str(broken.delivery), "scene_id": "asked-for"})
    if not isinstance(answer, Refused):
        request = {
            "op": "strip", "scene": answer["scene"], "scene_id": answer["scene_id"], "pipeline": _pipeline("toa"),
            "output": str(local_store(tmp_path / "out").folder), "strip_rows": None, "split": False, "strip": 0, "folder": "p",
        }  # fmt: skip
        scene_id = answer["scene_id"]
        answer = child.call(request)
        assert isinstance(answer, Refused)
        assert answer.message.startswith(f"{scene_id}: ")
    assert answer.error_class == "read"
    assert "swath retry" in answer.message or "again" in answer.message


def test_what_is_no_scene_is_refused_at_discovery(child: Child, tmp_path: Path) -> None:
    answer = child.call({"op": "ingest", "href": str(tmp_path)})
    assert not isinstance(answer, Refused)
    assert answer["refused"]["class"] == "metadata"
    assert answer["refused"]["stage"] == "discover"
    assert "this is not a scene" in answer["refused"]["message"]
