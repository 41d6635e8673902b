"""Classes of an index that is not written are made without it, and are those that the index would give."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swath.engine.encode import encode_layer
from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import Graph, resolve
from swath.engine.joined import classes_of
from swath.engine.supplies import Supplies
from swath.grid import Window
from swath.pipeline import Layer, Layers, Need
from swath.readers.pixels.bands import BandReader
from swath.scene import Scene
from swath.steps.classes import Classes
from swath.steps.ndvi import Ndvi
from swath.steps.toa import Toa


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmade(Ndvi):
    """An index whose layer nothing may ask for."""

    def run(self, *args: Any, **more: Any) -> Layers:
        msg = "the layer was made"
        raise AssertionError(msg)


@pytest.fixture
def written(make: Any, tmp_path: Path) -> Scene:
    """Two bands in files, larger than a tile, with holes and an empty corner."""
    scene: Scene = make.scene({name: make.grid(10.0, height=300, width=270) for name in ("red", "nir")}, folder=tmp_path)
    return scene


def _run(graph: Graph, targets: dict[str, Window]) -> dict[str, Layer]:
    with BandReader() as reader:

        def read(band: str, window: Window) -> Layer:
            return reader.read(graph.scene, band, window)

        return evaluate(graph, targets, read=read, supplies=Supplies(), clock=Clock())


def _graph(make: Any, scene: Scene, *, index: Ndvi, assets: tuple[str, ...]) -> Graph:
    return resolve(make.pipeline(Toa(), index, Classes(), assets=assets), scene)


@pytest.mark.parametrize("size", [1, 5])
def test_classes_are_those_of_the_index(make: Any, written: Scene, size: int) -> None:
    on = written.reference
    apart = _graph(make, written, index=Ndvi(size=size), assets=("ndvi", "classes"))
    alone = _graph(make, written, index=Unmade(size=size), assets=("classes",))
    for window in (on.window, Window(0, 0, 300, 270), Window(37, 11, 40, 250)):
        both = _run(apart, {"ndvi": window, "classes": window})["classes"]
        one = _run(alone, {"classes": window})["classes"]
        np.testing.assert_array_equal(one.usable, both.usable)
        assert not one.usable.all()
        encoding = alone.outputs["classes"].encoding
        np.testing.assert_array_equal(encode_layer(one, encoding).stored, encode_layer(both, encoding).stored)


def test_an_index_that_something_else_reads_is_made(make: Any, written: Scene) -> None:
    window = Window(0, 0, 20, 20)
    with pytest.raises(AssertionError, match="the layer was made"):
        _run(_graph(make, written, index=Unmade(), assets=("ndvi", "classes")), {"ndvi": window, "classes": window})
    second = Classes(thresholds=(0.1,), names=("low", "high"))
    wide = make.step(name="wide", makes={"wide": written.reference}, needs={"ndvi": Need()})
    graph = resolve(make.pipeline(Toa(), Unmade(), second, wide, assets=("classes", "wide")), written)
    with pytest.raises(AssertionError, match="the layer was made"):
        _run(graph, {"classes": window, "wide": window})


def test_calls_that_are_no_pair_are_refused(make: Any, written: Scene) -> None:
    graph = _graph(make, written, index=Ndvi(), assets=("classes",))
    with pytest.raises(TypeError, match="toa and classes do not work as one"):
        classes_of(graph.calls[0], graph.calls[-1], {}, window=Window(0, 0, 1, 1))
