"""Tiles that a scene touches: by its outline, not by the rectangle around it; each has a plan of its own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swath.config import load_pipeline, prepare, with_settings
from swath.engine.child.tasks import do
from swath.engine.ingested import Ingest, SceneFound, rows_of
from swath.engine.pipeline_json import pipeline_of
from swath.engine.product_plan import plan_product
from swath.engine.scene_tiles import on_tile, split_href, tiled_href, tiles_of
from swath.errors import ConfigError
from swath.grid import Grid
from swath.inference.registry import Registry
from swath.mapping import project
from swath.readers.registry import read_scene
from swath.scene import Scene
from swath.simulator.simulate import simulate
from swath.stores.names import NameLimits


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return read_scene(str(simulate(kind="stac", folder=tmp_path_factory.mktemp("s"), size=96, truth=False).metadata))


def pipeline(tmp_path: Path, **grid: Any) -> str:
    settings = [f"grid.{name}={value}" for name, value in grid.items()]
    asked = with_settings(load_pipeline("toa"), settings)
    return json.dumps(prepare(asked, registry=Registry.beside(tmp_path)).plain)


def at(scene: Scene, lon: float, lat: float, *, crs: str, turn: bool = False, pixel: float = 300.0) -> Scene:
    """The scene with all its bands around a place; turned by 45 degrees or upright."""
    (x,), (y,) = project(np.array([lon]), np.array([lat]), source="EPSG:4326", target=crs)
    half = 48 * pixel
    if turn:
        side = pixel / 2**0.5
        grid = Grid(crs=crs, left=x, top=y + half * 2**0.5, dx=side, dy=side, rx=-side, ry=-side, width=96, height=96)
    else:
        grid = Grid(crs=crs, left=x - half, top=y + half, dx=pixel, dy=pixel, width=96, height=96)
    return replace(scene, assets={n: replace(a, grid=grid) for n, a in scene.assets.items()})


def test_a_scene_is_on_the_tiles_of_both_zones_that_it_touches(scene: Scene, tmp_path: Path) -> None:
    text = pipeline(tmp_path, tiling="mgrs-100km", resolution_m=30)
    # 28.8 km around the corner of four squares, on the edge of zones 32 and 33.
    found = tiles_of(at(scene, 12.0, 54.13, crs="EPSG:32633"), pipeline_of(json.loads(text)))
    assert {name[:2] for name in found} == {"32", "33"}
    assert all(name.endswith("-30") for name in found)
    usgs = tiles_of(at(scene, -96.0, 40.0, crs="EPSG:32614"), pipeline_of(json.loads(pipeline(tmp_path, tiling="landsat-ard"))))
    assert usgs
    assert all(name.startswith("ard-h") for name in usgs)


def test_the_corner_of_the_rectangle_around_a_turned_scene_is_no_ground_of_it(scene: Scene, tmp_path: Path) -> None:
    corner = {"type": "Feature", "properties": {"name": "corner"}, "geometry": box(14.2, 14.25, 54.24, 54.26)}
    middle = {"type": "Feature", "properties": {"name": "middle"}, "geometry": box(13.99, 14.01, 54.09, 54.11)}
    (tmp_path / "t.geojson").write_text(json.dumps({"features": [corner, middle]}), encoding="utf-8")
    text = pipeline(tmp_path, tiling=f"{{file: {tmp_path / 't.geojson'}}}", crs="EPSG:32633", resolution_m=30)
    asked = pipeline_of(json.loads(text))
    assert tiles_of(at(scene, 14.0, 54.1, crs="EPSG:32633", pixel=700.0), asked) == ("corner-30", "middle-30")
    assert tiles_of(at(scene, 14.0, 54.1, crs="EPSG:32633", turn=True, pixel=300.0), asked) == ("middle-30",)


def box(west: float, east: float, south: float, north: float) -> Any:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_an_ingest_answers_with_a_product_for_each_tile_and_a_plan_needs_the_tile(scene: Scene, tmp_path: Path) -> None:
    text = pipeline(tmp_path, tiling="hls")
    found = do(Ingest(href=scene.source_href, pipeline=text, names=NameLimits().plain()))
    assert isinstance(found, SceneFound)
    assert found.product_id is None
    assert len(found.tiles) >= 1
    rows = rows_of(
        SceneFound.from_plain(json.loads(json.dumps(found.to_plain()))), ["scene_id", "scene", "tile", "product_id", "strips"]
    )
    assert [r["tile"] for r in rows] == sorted(r["tile"] for r in rows) == [t.tile for t in found.tiles]
    tile = found.tiles[0]
    assert tile.product_id == f"{scene.scene_id}_{tile.tile}.toa"
    plan = plan_product(on_tile(found.scene, tile.tile), text)
    assert (plan.product_id, plan.product_key) == (tile.product_id, tile.product_key)
    assert (plan.graph.reference.width, plan.graph.reference.dx) == (3660, 30.0)
    assert "tile" not in json.loads(found.scene)
    with pytest.raises(ConfigError, match="'99XXX' is not a tile"):
        plan_product(on_tile(found.scene, "hls-99XXX-30"), text)


def test_a_tile_that_cannot_be_planned_is_refused_alone(scene: Scene, tmp_path: Path) -> None:
    names = ("middle", "m" * 240)
    lon, lat = project(*np.array(scene.reference.corners).T, source=scene.reference.crs, target="EPSG:4326")
    ground = box(lon.min(), lon.max(), lat.min(), lat.max())
    features = [{"type": "Feature", "properties": {"name": n}, "geometry": ground} for n in names]
    (tmp_path / "t.geojson").write_text(json.dumps({"features": features}), encoding="utf-8")
    text = pipeline(tmp_path, tiling=f"{{file: {tmp_path / 't.geojson'}}}", crs="EPSG:32633", resolution_m=30)
    found = do(Ingest(href=scene.source_href, pipeline=text, names=NameLimits().plain()))
    assert isinstance(found, SceneFound)
    columns = ["scene_id", "tile", "product_id", "product_key", "error_class", "message", "stage"]
    middle, long = rows_of(SceneFound.from_plain(json.loads(json.dumps(found.to_plain()))), columns)
    assert (middle["tile"], middle.get("error_class")) == ("middle-30", None)
    assert long["product_id"] == f"{scene.scene_id}_{'m' * 240}-30.toa"
    assert (long["product_key"], long["error_class"], long["stage"]) == (None, "metadata", "plan")
    assert long["message"].startswith(f"{scene.scene_id}_{'m' * 240}-30: ")


def test_hrefs_of_tiles_lead_back_to_their_scene() -> None:
    assert tiled_href("/a#b/c", None) == "/a#b/c"
    assert split_href(tiled_href("/a#b/c", "33UUP-10")) == ("/a#b/c", "33UUP-10")
    assert split_href("archive.zip#place") == ("archive.zip#place", "")
