"""A plan of few scenes is the plan that Spark would make, and is kept where Spark finds it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from swath.config import load_pipeline, prepare
from swath.inference.registry import Registry
from swath.ledger.delta import DeltaTables, NeedsSparkError
from swath.ledger.schemas import INGESTED, PRODUCTS, SCENES
from swath.moments import moments_of
from swath.runs import estimate, few_plan, stored_plan
from swath.runs.decide import STATUSES, decide
from swath.runs.decide_frame import decide_frame
from swath.runs.hands import OwnHands
from swath.runs.plan import Plan
from swath.runs.request import RunRequest
from swath.runs.stored_plan import load_or_make_plan
from swath.runs.versions import SceneVersion, latest_versions
from swath.simulator.simulate import simulate
from swath.stores.local import local_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from tests.conftest import RunJob

pytestmark = pytest.mark.spark
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


def drawn(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """A row of an ingest: mostly usable, sometimes given twice, in several versions, refused with and without a name."""
    row: dict[str, Any] = dict.fromkeys(INGESTED.names)
    name, version = f"scene-{rng.integers(12)}", int(rng.integers(3))
    row |= {
        "n": n,
        "href": f"/scenes/{n}",
        "block": n // 20,
        "scene_id": name,
        "scene_digest": f"digest-{version}",
        "processed": DATES[version] if rng.random() < 0.8 else None,
        "moments": rng.choice([MOMENTS[version % 2], ""]).item(),
        "product_id": f"{name}.toa",
        "assets": 3,
        "strips": 1,
    }
    row["product_key"] = f"key-{rng.integers(2)}"
    if rng.random() < 0.2:
        row |= {"error_class": "read", "message": "cut off", "stage": "ingest"}
        if rng.random() < 0.7:
            row["product_id"] = row["product_key"] = None
    return row


#: Two passes, with the datastrip of each.
MOMENTS = tuple(
    f"{day}T10:00:31+00:00||DS_X_20240102T000000_S{day.replace('-', '')}T100031_N05" for day in ("2024-01-01", "2024-01-02")
)
#: Of three versions; two were processed at once.
DATES = ("2024-01-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00")


def made(rng: np.random.Generator) -> list[dict[str, Any]]:
    versions = [(rng.integers(16), rng.integers(2), rng.integers(3)) for _ in range(rng.integers(9))]
    return [
        {"product_id": f"scene-{s}.toa", "product_key": f"key-{k}", "made": NOON + timedelta(minutes=m), "scene_id": f"scene-{s}",
         "scene_digest": f"digest-{d}"}
        for m, (s, k, d) in enumerate(versions)
    ]  # fmt: skip


def known_scene(scene_id: str, digest: str, processed: str) -> dict[str, Any]:
    if int(scene_id.split("-")[1]) % 3 == 0:
        return {"processed": processed}
    acquired, _, strip = MOMENTS[int(digest[-1]) % 2].split("|")
    return {"processed": processed, "acquired": acquired, "properties": {"s2:datastrip_id": strip}}


def known_scenes(products: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Rows of ``scenes``: one of each version that a product was made from; half of them tell when they were processed."""
    versions = sorted({(r["scene_id"], r["scene_digest"]) for r in products})
    dates = {(s, d): DATES[int(d[-1])] if int(s.split("-")[1]) % 2 else "" for s, d in versions}
    return [
        {"scene_id": s, "digest": d, "href": f"/earlier/{s}/{d}", "scene": json.dumps(known_scene(s, d, dates[s, d]))}
        for s, d in versions
    ]


def versions_of(products: list[dict[str, Any]]) -> dict[str, SceneVersion]:
    told = {(r["scene_id"], r["digest"]): (r["href"], json.loads(r["scene"])) for r in known_scenes(products)}
    latest = {s: (d, *told[s, d]) for s, d in latest_versions(products).items()}
    return {
        s: SceneVersion(digest=d, href=href, processed=scene["processed"], moments=moments_of(scene))
        for s, (d, href, scene) in latest.items()
    }


@pytest.mark.parametrize("seed", range(4))
def test_few_scenes_are_decided_on_as_many_are(spark: "SparkSession", seed: int) -> None:
    rng = np.random.default_rng(seed)
    ingested = [drawn(rng, n) for n in range(40)]
    products = made(rng)
    few = decide(ingested, products, versions=versions_of(products), wave_products=3)
    assert {r["status"] for r in few} == set(STATUSES) - ({"made"} if not any(r["status"] == "made" for r in few) else set())
    assert {r["error_class"] for r in few} == {None, "read", "clash"}
    rows = spark.createDataFrame([tuple(r[n] for n in INGESTED.names) for r in ingested], INGESTED)
    slim = "product_id string, product_key string, made timestamp, scene_id string, scene_digest string"
    ledger = spark.createDataFrame([tuple(r.values()) for r in products], slim)
    scenes = spark.createDataFrame(
        [tuple(r.values()) for r in known_scenes(products)], "scene_id string, digest string, href string, scene string"
    )
    many = decide_frame(rows, ledger, scenes=scenes, wave_products=3)
    assert few == [r.asDict() for r in many.orderBy("n").collect()]


def request(folder: Path, *inputs: Path) -> RunRequest:
    pipeline = {
        "name": "toa", "title": "", "version": 1, "steps": [{"name": "toa", "parameters": {}}],
        "assets": [{"layers": "toa", "required": True}],
    }  # fmt: skip
    return RunRequest(run_id="r", pipeline=pipeline, inputs=tuple(map(str, inputs)), output=str(folder), wave_products=2)


def told(plan: Plan) -> Any:
    aside = plan.aside()
    rows = [r.asDict() for w in plan.waves for r in plan.wave(w)]
    return (
        plan.waves,
        rows,
        [r.asDict() for r in aside.told],
        (aside.skipped, aside.refused, aside.assets_skipped, aside.assets_refused),
    )


def test_a_plan_is_the_same_made_read_again_and_made_by_spark(
    spark: "SparkSession", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = simulate(kind="landsat9", folder=tmp_path / "scene", size=96, truth=False).delivery
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "LC09_L1TP_193022_20240805_20240805_02_T1_MTL.txt").write_text("GROUP = LANDSAT", encoding="utf-8")
    inputs = (scene, broken, scene)
    few, many = local_store(tmp_path / "few"), local_store(tmp_path / "many")
    tables = DeltaTables(spark, few)
    plan = load_or_make_plan(spark, few, request=request(few.folder, *inputs), tables=tables)
    again = load_or_make_plan(spark, few, request=request(few.folder, *inputs), tables=tables)
    assert type(plan._rows) is not type(again._rows)
    monkeypatch.setattr(stored_plan, "plan_few", lambda *_, **__: None)
    by_spark = load_or_make_plan(spark, many, request=request(many.folder, *inputs), tables=DeltaTables(spark, many))
    assert told(plan) == told(again) == told(by_spark)
    assert told(plan)[3][:2] == (1, 1)
    # Digests of files are kept only of files that have been left alone for a while, so `files` depends on the time of day.
    scenes = [t.read("scenes", SCENES).drop("run_id", "files").collect() for t in (tables, DeltaTables(spark, many))]
    assert scenes[0] == scenes[1]
    assert json.loads(scenes[0][0]["scene"])["scene_id"] == scenes[0][0]["scene_id"]
    assert tables.small("products", PRODUCTS, columns=["product_id"]) == []


def test_a_look_is_the_same_by_children_of_the_driver_and_by_spark(
    spark: "SparkSession", run_job: "RunJob", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, fresh = (
        simulate(kind=kind, folder=tmp_path / kind, size=96, truth=False).delivery for kind in ("landsat9", "sentinel2")
    )
    run_job("toa", made, output=tmp_path / "out")
    broken = tmp_path / "broken.json"
    broken.write_text('{"type": "Feature", "id": "cut', encoding="utf-8")
    asked = replace(request(tmp_path / "out", made, broken, fresh, fresh), pipeline=ready("toa"))
    monkeypatch.setattr(estimate, "slowness", lambda: 1.0)  # a measurement is not the same twice

    def never() -> "SparkSession":
        pytest.fail("a session was asked for")

    cores = spark.sparkContext.defaultParallelism
    ours = estimate.look(asked, session=never, hands=OwnHands(cores=cores))
    assert ours == estimate.look(asked, session=lambda: spark)
    assert ours["status"] == {"make": 1, "made": 1, "duplicate": 1, "refused": 1}
    # Where there are too many, Spark looks, and sees the same.
    monkeypatch.setattr(few_plan, "FEW", 3)
    assert ours == estimate.look(asked, session=lambda: spark, hands=OwnHands(cores=cores))
    tables = DeltaTables(None, local_store(tmp_path / "out"))
    with pytest.raises(NeedsSparkError, match=r"^$"):
        load_or_make_plan(None, local_store(tmp_path / "aside"), request=asked, tables=tables, hands=OwnHands(cores=1))


def ready(name: str) -> Any:
    return prepare(load_pipeline(name), registry=Registry.beside(Path.cwd())).plain
