"""Whatever grid an asset is on, a strip of it fits into a small worker."""

import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from swath.engine.cut import Cut, cut
from swath.engine.evaluate import Clock, evaluate
from swath.engine.frame import Frame
from swath.engine.graph import Graph, resolve
from swath.engine.supplies import Supplies
from swath.engine.windows import demand
from swath.grid import Grid, Window
from swath.grid_choice import GridChoice
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import REFLECTANCE, LayerName, LayerSpec
from swath.scene import Scene
from swath.steps.toa import Toa

SIDE = 4096
MOST_MB = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The red band on a grid of its own: what a step of a user's may ask for."""

    on: Grid
    name: ClassVar[str] = "elsewhere"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("elsewhere",)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        made = LayerSpec(name="elsewhere", asset="elsewhere", title="Elsewhere", grid=self.on, encoding=REFLECTANCE)
        return (Recipe(makes=(made,), needs={"toa:red": Need(on=self.on, halo_px=1)}),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        return {"elsewhere": layers["toa:red"].crop(window)}


def read(_: str, window: Window) -> Layer:
    """Pixels that are made when they are asked for."""
    rows, columns = np.ogrid[window.row : window.row_stop, window.col : window.col_stop]
    values = (4000 + (rows * 7 + columns * 13) % 3000).astype(np.uint16)
    return Layer(values=values, grid=BAND, window=window, valid=values != 0)


BAND = Grid(crs="EPSG:32633", left=300_000.0, top=5_000_040.0, dx=10.0, dy=10.0, width=SIDE, height=SIDE)
GRIDS = {
    "100 pixels larger": replace(BAND, left=BAND.left - 500.0, top=BAND.top + 500.0, width=SIDE + 100, height=SIDE + 100),
    "half a pixel off": replace(BAND, left=BAND.left + 5.0, top=BAND.top - 5.0),
    "a corner of it": replace(BAND, left=BAND.left + 38_000.0, top=BAND.top - 38_000.0),
    "another pixel size": replace(BAND, dx=13.7, dy=13.7, width=2990, height=2990),
    "much finer": replace(BAND, dx=1.3, dy=1.3, width=31_508, height=31_508),
    "much coarser": replace(BAND, dx=700.0, dy=700.0, width=59, height=59),
    "far beyond": replace(BAND, left=BAND.left - 200_000.0, top=BAND.top + 90_000.0, width=40_000, height=40_000),
}


#: Grids that a pipeline may choose, in other systems, much finer and much coarser, and far larger than the scene.
CHOICES = {
    "next zone": GridChoice(crs="EPSG:32634", resolution=10.0),
    "degrees": GridChoice(crs="EPSG:4326", resolution=0.0001),
    "much finer": GridChoice(crs="EPSG:32634", resolution=1.3),
    "much coarser": GridChoice(crs="EPSG:3035", resolution=700.0),
    "far beyond": GridChoice(
        crs="EPSG:32634",
        fixed=Grid(crs="EPSG:32634", left=-400_000.0, top=5_300_000.0, dx=10.0, dy=10.0, width=50_000, height=50_000),
    ),
}


def _largest(graph: Graph, made: Cut) -> list[Window]:
    """The pieces that touch most pixels of any layer, among some hundred of them."""

    def size(piece: Window) -> int:
        return max((w.height * w.width for w in demand(graph, _windows(graph, made, piece)).layers.values()), default=0)

    every = [p for n in range(made.strips) for p in made.pieces(n)]
    return sorted(every[:: len(every) // 300 + 1], key=size, reverse=True)[:2]


def _windows(graph: Graph, made: Cut, piece: Window) -> dict[LayerName, Window]:
    names = [spec.name for spec in graph.outputs.values()]
    return {n: w for n in names if (w := made.window_on(graph.grid_of(n), piece)) is not None}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_any_grid_that_meets_the_scene_fits(make: Any, grid: Grid) -> None:
    graph = resolve(make.pipeline(Toa(), Elsewhere(on=grid), assets=("toa", "elsewhere")), make.scene({"red": BAND}))
    assert 0.0 < _peak_mb(graph) < MOST_MB


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_any_grid_that_a_pipeline_chooses_fits(make: Any, choice: GridChoice) -> None:
    pipeline = make.pipeline(Toa(), assets=("toa",))
    assert 0.0 < _peak_mb(resolve(replace(pipeline, grid=choice), make.scene({"red": BAND}))) < MOST_MB


def _peak_mb(graph: Graph) -> float:
    """Most memory of the largest pieces [MiB]; each makes every asset."""
    frame = Frame.around(graph.reference, grids=[s.grid for s in graph.outputs.values()], layers=[BAND])
    made = cut(frame, rows=None)
    # What is compiled or loaded at the first call is no pixel.
    first = {next(iter(graph.outputs.values())).name: Window(0, 0, 2, 2)}
    evaluate(graph, first, read=read, supplies=Supplies(), clock=Clock())
    most = 0.0
    for piece in _largest(graph, made):
        windows = _windows(graph, made, piece)
        tracemalloc.start()
        found = evaluate(graph, windows, read=read, supplies=Supplies(), clock=Clock())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.keys() == windows.keys()
        most = max(most, peak / (1 << 20))
    return most
