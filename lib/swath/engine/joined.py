"""Calls that work as one: which layers of a piece are only cut into classes, and the classes made without them."""

from collections.abc import Collection, Mapping

from swath.engine.graph import Call, Graph
from swath.engine.windows import Demand
from swath.grid import Window
from swath.pipeline import Layers
from swath.product import LayerName
from swath.steps.graded import Graded, Grading


def joined(graph: Graph, plan: Demand, *, targets: Collection[LayerName], uses: Mapping[LayerName, int]) -> dict[int, int]:
    """Pairs of calls that work as one: the second, which makes classes, is the only reader of the first's only layer.

    Args:
        graph: Graph of the scene.
        plan: Windows of the piece.
        targets: Layers that are wanted of the piece.
        uses: Number of the calls of the piece that read each layer.
    """
    makers = {s.name: number for number in plan.calls for s in graph.calls[number].recipe.makes}
    found = {}
    for number, (window, wants) in plan.calls.items():
        if not isinstance(graph.calls[number].step, Grading) or len(wants) != 1:
            continue
        ((name, want),) = wants.items()
        maker = makers.get(name)
        if maker is None or name in targets or uses[name] != 1 or not isinstance(graph.calls[maker].step, Graded):
            continue
        alone = len(graph.calls[maker].recipe.makes) == 1 and not graph.calls[maker].recipe.inputs
        if alone and want.grid == graph.calls[maker].recipe.grid and want.window == window == plan.calls[maker][0]:
            found[maker] = number
    return found


def classes_of(maker: Call, reader: Call, layers: Layers, *, window: Window) -> Layers:
    """What ``reader`` makes of the layer that ``maker`` would make of ``layers``.

    Raises:
        TypeError: The two are no pair of ``joined``.
    """
    if not isinstance(maker.step, Graded) or not isinstance(reader.step, Grading):
        msg = f"{maker.step.name} and {reader.step.name} do not work as one"
        raise TypeError(msg)
    grades = maker.step.grades(maker.recipe, layers, window=window, thresholds=reader.step.thresholds)
    return reader.step.of_grades(reader.recipe, grades, window=window)
