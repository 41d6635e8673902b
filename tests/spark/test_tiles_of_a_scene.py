"""A pipeline that cuts on a tiling makes a product of each tile that a scene touches: one scene, an edge for each tile."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_geom

from swath.account import Count
from swath.config import load_pipeline, prepare
from swath.errors import ConfigError
from swath.inference.registry import Registry
from swath.ledger.delta import DeltaTables
from swath.ledger.provenance import provenance_of
from swath.ledger.schemas import QUARANTINE, SCENES
from swath.ledger.standing import standing
from swath.report.summary import RunSummary
from swath.runs import estimate, stored_plan
from swath.runs.hands import OwnHands
from swath.runs.plan import Plan
from swath.runs.reproduce import reproduce
from swath.runs.request import Limits, RunRequest
from swath.runs.retry import failed, find_retries, wanted
from swath.runs.status import standing_rows
from swath.runs.stored_plan import load_or_make_plan
from swath.simulator.simulate import simulate
from swath.stores.local import local_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from tests.conftest import RunJob

pytestmark = pytest.mark.spark
SIDE, LEFT, TOP, PIXEL = 1100, 399_960.0, 6_000_000.0, 10.0
#: Columns and rows of the scene where tiles are: four that share edges or overlap, one beyond the lower right, one elsewhere.
TILES = {
    "nw": (-50, -50, 600, 600), "ne": (600, -50, 1200, 600), "sw": (-50, 600, 600, 1200), "mid": (400, 300, 500, 520),
    "se": (560, 560, 1200, 1200), "far": (2000, 2000, 2500, 2500),
}  # fmt: skip
TOUCHED = ("mid", "ne", "nw", "se", "sw")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(kind="stac", folder=tmp_path_factory.mktemp("scene"), size=SIDE, truth=False).metadata


@pytest.fixture
def tiled(tmp_path: Path) -> str:
    """A pipeline whose products are on the tiles of a file."""
    features = []
    for name, (left, top, right, bottom) in TILES.items():
        # A little inside: straight lines between longitudes and latitudes are curves on the map.
        x = LEFT + PIXEL * (left + 0.4), LEFT + PIXEL * (right - 0.4)
        y = TOP - PIXEL * (top + 0.4), TOP - PIXEL * (bottom - 0.4)
        ring = [[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]], [x[0], y[0]]]
        shape = transform_geom("EPSG:32633", "EPSG:4326", {"type": "Polygon", "coordinates": [ring]})
        features.append({"type": "Feature", "properties": {"name": name}, "geometry": shape})
    (tmp_path / "tiles.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    path = tmp_path / "tiled.yaml"
    grid = {"tiling": {"file": str(tmp_path / "tiles.geojson")}, "crs": "EPSG:32633", "resolution_m": 10}
    asked = {"name": "tiled", "title": "TOA on tiles", "steps": ["toa"], "assets": {"required": ["toa"]}, "grid": grid}
    path.write_text(json.dumps(asked), encoding="utf-8")
    return str(path)


def pixels(output: Path, summary: RunSummary, tile: str, band: str = "red") -> tuple[Any, tuple[int, int]]:
    """Values of a product, and the column and row of the scene that they begin at."""
    (product,) = [p for p in summary.products if f"_{tile}-10." in p.product_id]
    with rasterio.open(output / product.to_contract()["assets"][band]) as source:
        return source.read(1), (round((source.transform.c - LEFT) / PIXEL), round((TOP - source.transform.f) / PIXEL))


def test_one_run_makes_a_product_of_every_tile_that_a_scene_touches(
    run_job: "RunJob", scene: Path, tiled: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    summary = run_job(tiled, scene, output=out)
    scene_id = json.loads(scene.read_text(encoding="utf-8"))["id"]
    assert sorted(p.product_id for p in summary.products) == [f"{scene_id}_{tile}-10.tiled" for tile in TOUCHED]
    assert summary.scenes == Count(taken_in=1, made=1)
    assert summary.edges == Count(taken_in=5, made=5)
    assert summary.balanced
    items = [json.loads((out / p.item).read_text(encoding="utf-8")) for p in summary.products]
    assert sorted(i["properties"]["swath:tile"] for i in items) == [f"{tile}-10" for tile in TOUCHED]
    native = run_job("toa", scene, output=tmp_path / "native")
    with rasterio.open(tmp_path / "native" / native.products[0].to_contract()["assets"]["red"]) as source:
        whole = source.read(1)
    for tile in TOUCHED:
        left, top, right, bottom = TILES[tile]
        values, (column, row) = pixels(out, summary, tile)
        assert (column, row, values.shape) == (left, top, (bottom - top, right - left))
        inside = whole[max(top, 0) : bottom, max(left, 0) : right]
        np.testing.assert_array_equal(values[max(-top, 0) :, max(-left, 0) :][: inside.shape[0], : inside.shape[1]], inside)
        beyond = np.ones(values.shape, dtype=bool)
        beyond[max(-top, 0) :, max(-left, 0) :][: inside.shape[0], : inside.shape[1]] = False
        assert (values[beyond] == -9999).all()
    again = run_job(tiled, scene, output=out, run_id="again")
    assert (again.scenes, again.edges) == (Count(taken_in=1, skipped=1), Count(taken_in=5, skipped=5))
    assert again.balanced


def damaged(scene: Path, folder: Path) -> Path:
    """The scene with the block of its lower right corner destroyed in one band."""
    folder.mkdir()
    for path in scene.parent.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (path,) = folder.glob("*_red.tif")
    with rasterio.open(path) as source:
        offset = int(source.get_tag_item("BLOCK_OFFSET_2_2", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[offset : offset + 64] = b"\xff" * 64
    path.write_bytes(data)
    item = json.loads(scene.read_text(encoding="utf-8"))
    item["properties"]["updated"] = "2030-01-01T00:00:00Z"
    (folder / scene.name).write_text(json.dumps(item), encoding="utf-8")
    return folder / scene.name


def test_tiles_that_cannot_be_made_are_in_quarantine_alone_and_are_tried_again(
    spark: "SparkSession", run_job: "RunJob", scene: Path, tiled: str, tmp_path: Path
) -> None:
    out, broken = tmp_path / "out", damaged(scene, tmp_path / "broken")
    scene_id = json.loads(scene.read_text(encoding="utf-8"))["id"]
    summary = run_job(tiled, broken, output=out)
    assert [q.scene_id for q in summary.quarantine] == [f"{scene_id}_se-10"]
    assert summary.scenes == Count(taken_in=1, quarantined=1)
    assert summary.edges == Count(taken_in=5, made=4, quarantined=1)
    store = local_store(out)
    tables = DeltaTables(spark, store)
    (row,) = tables.read("quarantine", QUARANTINE).collect()
    assert (row["scene_id"], row["retry"]) == (f"{scene_id}_se-10", str(broken))
    # The other tiles were made at the same moment: this one stands all the same.
    assert [r["scene_id"] for r in standing(tables).collect()] == [row["scene_id"]]
    made = tables.arrow("products", columns_of_made(), columns=["product_id", "scene_id", "pipeline", "run_id", "made"])
    assert [r["scene_id"] for r in standing_rows(tables, made)] == [row["scene_id"]]
    assert tables.read("scenes", SCENES).count() == 1
    (retry,) = find_retries(failed(tables, rows=wanted(tables)), store, run_id="retry")
    assert retry.hrefs == (str(broken),)
    # Delivered again, whole and later: all tiles are made of it, and nothing stands.
    plain = json.loads(scene.read_text(encoding="utf-8"))
    plain["properties"]["updated"] = "2031-01-01T00:00:00Z"
    broken.write_text(json.dumps(plain), encoding="utf-8")
    (good,) = scene.parent.glob("*_red.tif")
    (broken.parent / good.name).write_bytes(good.read_bytes())
    mended = run_job(tiled, broken, output=out, run_id="mended")
    assert mended.quarantine == ()
    assert mended.edges == Count(taken_in=5, made=5)
    tables = DeltaTables(spark, store)
    assert standing(tables).collect() == []
    made = tables.arrow("products", columns_of_made(), columns=["product_id", "scene_id", "pipeline", "run_id", "made"])
    assert standing_rows(tables, made) == []


def test_a_tile_without_a_plan_is_in_quarantine_alone_and_a_made_one_can_be_made_again(
    spark: "SparkSession", run_job: "RunJob", scene: Path, tiled: str, tmp_path: Path
) -> None:
    out, place = tmp_path / "out", tmp_path / "tiles.geojson"
    tiles = json.loads(place.read_text(encoding="utf-8"))
    tiles["features"] = [f for f in tiles["features"] if f["properties"]["name"] in {"mid", "se"}]
    tiles["features"][1]["properties"]["name"] = "s" * 240  # no file name has room for it
    place.write_text(json.dumps(tiles), encoding="utf-8")
    summary = run_job(tiled, scene, output=out)
    scene_id = json.loads(scene.read_text(encoding="utf-8"))["id"]
    assert [q.scene_id for q in summary.quarantine] == [f"{scene_id}_{'s' * 240}-10"]
    assert summary.scenes == Count(taken_in=1, quarantined=1)
    assert summary.edges == Count(taken_in=2, made=1, quarantined=1)
    assert summary.balanced
    store = local_store(out)
    found = provenance_of(DeltaTables(spark, store), store, item=summary.products[0].item)
    assert reproduce(spark, found, into=local_store(tmp_path / "anew"), limits=Limits()).same


def columns_of_made() -> Any:
    from swath.ledger.schemas import PRODUCTS  # noqa: PLC0415

    return PRODUCTS


def request(output: Path, *inputs: Path, pipeline: str) -> RunRequest:
    plain = prepare(load_pipeline(pipeline), registry=Registry.beside(output)).plain
    return RunRequest(run_id="plan", pipeline=plain, models={}, inputs=tuple(map(str, inputs)), output=str(output))


def told(plan: Plan) -> Any:
    rows = [[(r["n"], r["href"], r["product_id"], json.loads(r["scene"])["tile"]) for r in plan.wave(w)] for w in plan.waves]
    aside = plan.aside()
    return rows, (aside.skipped, aside.refused, aside.edges), [plan.products(w) for w in plan.waves]


def test_a_plan_of_tiles_is_the_same_by_the_driver_and_by_spark_and_keeps_a_scene_in_one_wave(
    spark: "SparkSession", scene: Path, tiled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = simulate(kind="stac", folder=tmp_path / "other", size=96, truth=False).metadata
    few, many = local_store(tmp_path / "few"), local_store(tmp_path / "many")
    inputs = (scene, elsewhere, scene)
    asked = replace(request(few.folder, *inputs, pipeline=tiled), wave_products=1)
    plan = load_or_make_plan(spark, few, request=asked, tables=DeltaTables(spark, few))
    again = load_or_make_plan(spark, few, request=asked, tables=DeltaTables(spark, few))
    monkeypatch.setattr(stored_plan, "plan_few", lambda *_, **__: None)
    by_spark = load_or_make_plan(spark, many, request=replace(asked, output=str(many.folder)), tables=DeltaTables(spark, many))
    assert told(plan) == told(again) == told(by_spark)
    waves, aside, _ = told(plan)
    assert [len({n for n, *_ in wave}) for wave in waves] == [1, 1]
    assert sorted(tile for *_, tile in waves[0]) == [f"{tile}-10" for tile in TOUCHED]
    # The same scene a second time is one scene, and as many edges.
    assert aside == (1, 0, (5, 0))
    assert DeltaTables(spark, many).read("scenes", SCENES).count() == 2
    monkeypatch.setattr(estimate, "slowness", lambda: 1.0)
    looked = estimate.look(replace(asked, output=str(tmp_path / "new")), session=lambda: spark, hands=OwnHands(cores=1))
    assert (looked["status"], looked["products"]) == ({"make": 6, "duplicate": 5}, 6)


def test_a_scene_beside_all_tiles_is_refused_and_wrong_tilings_too(run_job: "RunJob", scene: Path, tmp_path: Path) -> None:
    path = tmp_path / "ard.yaml"
    asked: dict[str, Any] = {"name": "usgs", "title": "TOA", "steps": ["toa"], "assets": {"required": ["toa"]}}
    path.write_text(json.dumps({**asked, "grid": {"tiling": "landsat-ard"}}), encoding="utf-8")
    summary = run_job(str(path), scene, output=tmp_path / "out")
    assert [q.message.split(": ")[1] for q in summary.quarantine] == ["the scene touches no tile of the tiling"]
    for grid, why in (
        ({"tiling": "mgrs"}, "expected resolution_m"),
        ({"tiling": "wrs", "resolution_m": 30}, "leave out resolution_m"),
        ({"tiling": "wrs"}, "expected mgrs-100km, hls, landsat-ard"),
        ({"tiling": "hls", "crs": "EPSG:32633"}, "leave out crs"),
    ):
        path.write_text(json.dumps({**asked, "grid": grid}), encoding="utf-8")
        with pytest.raises(ConfigError, match=why):
            run_job(str(path), scene, output=tmp_path / "out")
