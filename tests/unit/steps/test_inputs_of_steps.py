"""Inputs of steps beyond bands: the example of the documentation, run as a plug-in on a scene with an elevation."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import swath.steps.registry as steps
from swath import plugged
from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import Graph, resolve
from swath.engine.keys import asset_keys
from swath.engine.pipeline_json import pipeline_of
from swath.engine.supplies import Supplies
from swath.errors import ConfigError, GeometryError, MissingInputError
from swath.grid import Window
from swath.inputs import RasterSource
from swath.mapping import project
from swath.pipeline import Layer
from swath.scene import Scene

_GUIDE = Path(__file__).resolve().parents[3] / "docs" / "extending.md"
PLAIN: dict[str, Any] = {"name": "shade", "steps": [{"name": "toa"}, {"name": "hillshade"}], "assets": [{"layers": "hillshade"}]}


@pytest.fixture(autouse=True)
def hillshade(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The step of the guide, as a package of the user would plug it in."""
    blocks = re.findall(r"```python\n(.*?)```", _GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [b for b in blocks if "class Hillshade" in b]
    module = ModuleType("users_hillshade")
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    exec(compile(block, str(_GUIDE), "exec"), module.__dict__)  # noqa: S102  the example as its reader would paste it
    point = EntryPoint(name="hillshade", value="users_hillshade:Hillshade", group="swath.steps")
    monkeypatch.setattr(plugged, "entry_points", lambda *, group: (point,) if group == "swath.steps" else ())
    steps._targets.cache_clear()
    yield
    steps._targets.cache_clear()


@pytest.fixture
def dem(tmp_path: Path, small_scene: Scene) -> RasterSource:
    """A plane that rises 100 m a hundredth of a degree to the east, above the ellipsoid."""
    return RasterSource(path=plane(tmp_path / "dem.tif", small_scene, rise=1e4), datum="ellipsoid")


@pytest.fixture
def small_scene(make_scene: Callable[..., Scene]) -> Scene:
    return make_scene()


def plane(path: Path, scene: Scene, *, rise: float) -> str:
    left, bottom, right, top = scene.reference.bounds
    (lon,), (lat,) = project(
        np.array([(left + right) / 2]), np.array([(bottom + top) / 2]), source=scene.reference.crs, target="EPSG:4326"
    )
    step = 1 / 1200
    west, north = float(lon) - 60 * step, float(lat) + 60 * step
    heights = np.broadcast_to((np.arange(120) + 0.5) * step * rise, (120, 120)).astype(np.float32)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=120,
        height=120,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=from_origin(west, north, step, step),
    ) as target:
        target.write(heights, 1)
    return str(path)


def graph_of(scene: Scene, **rasters: RasterSource) -> Graph:
    return resolve(pipeline_of(PLAIN | {"rasters": {n: r.to_plain() for n, r in rasters.items()}}), scene)


def shaded(graph: Graph, window: Window) -> Layer:
    def read(band: str, part: Window) -> Layer:
        values = np.full(part.shape, 10_000, dtype=np.uint16)
        return Layer(values=values, grid=graph.scene.assets[band].grid, window=part, valid=values > 0)

    return evaluate(graph, {"hillshade": window}, read=read, supplies=Supplies(), clock=Clock())["hillshade"]


def test_a_step_with_elevation_is_one_file(small_scene: Scene, dem: RasterSource) -> None:
    graph = graph_of(small_scene, dem=dem)
    window = graph.outputs["hillshade"].grid.window
    whole = shaded(graph, window)
    # The plane rises 1e4 m a degree to the east: one slope, and the sun of the scene is in the south-east.
    metres_a_degree = 111_412.84 * np.cos(np.deg2rad(45.14)) - 93.5 * np.cos(3 * np.deg2rad(45.14))
    slope = np.arctan(1e4 / metres_a_degree)
    sun, azimuth = np.deg2rad(90.0 - 58.0), np.deg2rad(144.0)
    # The ground faces west (270 degrees).
    expected = np.cos(sun) * np.cos(slope) + np.sin(sun) * np.sin(slope) * np.cos(azimuth - np.deg2rad(270.0))
    assert whole.values[2:-2, 2:-2] == pytest.approx(expected, abs=2e-3)
    for part in (Window(0, 0, 1, 1), Window(17, 33, 29, 11), Window(79, 0, 1, 90)):
        np.testing.assert_array_equal(shaded(graph, part).values, whole.crop(part).values)


def test_the_tiles_that_are_read_are_part_of_the_key(tmp_path: Path, small_scene: Scene, dem: RasterSource) -> None:
    key = asset_keys(graph_of(small_scene, dem=dem))["hillshade"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    same = elsewhere / "dem.tif"
    same.write_bytes(Path(dem.path).read_bytes())
    assert asset_keys(graph_of(small_scene, dem=replace(dem, path=str(same))))["hillshade"] == key
    other = replace(dem, path=plane(tmp_path / "other.tif", small_scene, rise=2e4))
    assert asset_keys(graph_of(small_scene, dem=other))["hillshade"] != key


def test_what_the_site_lacks_is_refused_in_words(tmp_path: Path, make_scene: Callable[..., Scene], dem: RasterSource) -> None:
    required = PLAIN | {"assets": [{"layers": "hillshade", "required": True}]}
    with pytest.raises(
        MissingInputError,
        match=r"the step hillshade needs the raster dem, which the site does not have.*Give `--dem PATH --dem-datum",
    ):
        resolve(pipeline_of(required), make_scene())
    with pytest.raises(ConfigError, match=r"no geoid is named: give dem.geoid the file us_nga_egm96_15\.tif"):
        shaded(graph_of(make_scene(), dem=replace(dem, datum="egm96")), Window(0, 0, 1, 1))
    far = make_scene()
    moved = {n: replace(a, grid=replace(a.grid, left=a.grid.left + 200_000.0)) for n, a in far.assets.items()}
    with pytest.raises(GeometryError, match="the elevation lacks the tile N45E017"):
        shaded(graph_of(make_scene(assets=moved), dem=dem), Window(0, 0, 1, 1))


def test_a_step_of_an_earlier_version_is_told_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = steps.step_class("hillshade")

    def run(self: Any, recipe: Any, layers: Any, *, window: Any, scene: Any, context: Any) -> Any:
        return self, recipe, layers, window, scene, context

    monkeypatch.setattr(kind, "run", run)
    with pytest.raises(ConfigError, match=r"its run\(\) does not take `inputs`"):
        steps.step("hillshade", {})
