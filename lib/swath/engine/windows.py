"""Which window of which layer a piece needs: from what is written, back through the calls, to the delivered bands."""

from collections.abc import Mapping
from dataclasses import dataclass

from swath.engine.graph import Call, Graph
from swath.engine.warping import Want, part_needed
from swath.grid import Window
from swath.product import LayerName


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """All windows of one piece.

    Args:
        layers: The window to compute (or read) of each layer: the most that any consumer needs.
        calls: Window and inputs of each call; calls that are not needed here are absent.
    """

    layers: Mapping[LayerName, Window]
    calls: Mapping[int, tuple[Window, Mapping[LayerName, Want]]]


def demand(graph: Graph, targets: Mapping[LayerName, Window]) -> Demand:
    """Windows of every layer for the wanted windows of some.

    Args:
        graph: Graph of the scene.
        targets: Target windows by layer, on the layer's own grid.

    Raises:
        GeometryError: A band is elsewhere than what is made of it.
    """
    layers: dict[LayerName, Window] = dict(targets)
    calls: dict[int, tuple[Window, Mapping[LayerName, Want]]] = {}
    for number in range(len(graph.calls) - 1, -1, -1):
        call = graph.calls[number]
        made = [layers[s.name] for s in call.recipe.makes if s.name in layers]
        if not made:
            continue
        out = hull(made)
        wants = {name: _want(graph, call, name=name, out=out) for name in call.reads}
        calls[number] = (out, wants)
        for name, want in wants.items():
            source = graph.grid_of(name)
            part = want.window if want.grid == source else part_needed(source, want)
            layers[name] = hull([part, layers[name]]) if name in layers else part
        for spec in call.recipe.makes:
            layers[spec.name] = out
    return Demand(layers=layers, calls=calls)


def _want(graph: Graph, call: Call, *, name: LayerName, out: Window) -> Want:
    need = call.recipe.needs[name]
    grid = need.on or graph.grid_of(name)
    if grid == call.recipe.grid:
        return Want(grid=grid, window=out.pad(need.halo_px).clip(grid.window), kernel=need.kernel, dem=graph.dem_of(name))
    # Checked for the whole scene, so that the answer does not depend on the cut.
    grid.covering(call.recipe.grid.bounds)
    window = grid.nearest(call.recipe.grid.extent_of(out), halo_px=need.halo_px)
    return Want(grid=grid, window=window, kernel=need.kernel, dem=graph.dem_of(name))


def hull(windows: list[Window]) -> Window:
    """The smallest window around all."""
    row, col = min(w.row for w in windows), min(w.col for w in windows)
    stop, right = max(w.row_stop for w in windows), max(w.col_stop for w in windows)
    return Window(row, col, stop - row, right - col)
