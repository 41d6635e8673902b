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
from swath.engine.windows import demand
from swath.grid import Grid, Window
from swath.pipeline import Context, Layer, Layers, Need, Recipe
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

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        made = LayerSpec(name="elsewhere", asset="elsewhere", title="Elsewhere", grid=self.on, encoding=REFLECTANCE)
        return (Recipe(makes=(made,), needs={"toa:red": Need(on=self.on, halo_px=1)}),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, context: Context) -> Layers:
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


def _largest(graph: Graph, made: Cut) -> list[Window]:
    """The pieces that touch most pixels of any layer."""

    def size(piece: Window) -> int:
        windows = {n: w for n in TARGETS if (w := made.window_on(graph.grid_of(n), piece)) is not None}
        return max((w.height * w.width for w in demand(graph, windows).layers.values()), default=0)

    return sorted((p for n in range(made.strips) for p in made.pieces(n)), key=size, reverse=True)[:2]


TARGETS = ("toa:red", "elsewhere")


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_any_grid_that_meets_the_scene_fits(make: Any, grid: Grid) -> None:
    graph = resolve(make.pipeline(Toa(), Elsewhere(on=grid), assets=("toa", "elsewhere")), make.scene({"red": BAND}))
    made = cut(Frame.around(BAND, grids=[BAND, grid]), rows=None)
    # What is compiled or loaded at the first call is no pixel.
    evaluate(graph, {"elsewhere": Window(0, 0, 2, 2)}, read=read, context=Context(), clock=Clock())
    for piece in _largest(graph, made):
        windows = {n: w for n in TARGETS if (w := made.window_on(graph.grid_of(n), piece)) is not None}
        tracemalloc.start()
        found = evaluate(graph, windows, read=read, context=Context(), clock=Clock())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.keys() == windows.keys()
        assert peak / (1 << 20) < MOST_MB
