"""Run the calls of one piece: read each band once, resample where asked, free what is no longer needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import process_time

from swath.engine.graph import Call, Graph
from swath.engine.held_layers import HeldLayers
from swath.engine.joined import classes_of, joined
from swath.engine.supplies import Supplies
from swath.engine.warping import Want
from swath.engine.windows import demand
from swath.grid import Window
from swath.layer_name import DELIVERED
from swath.pipeline import Layer, Layers
from swath.product import LayerName

#: Reads one window of one band of the scene as a ``dn`` layer.
ReadBand = Callable[[str, Window], Layer]
#: Sees a call, its layers and the window that it makes.
Watch = Callable[[Call, Layers, Window], None]


@dataclass(slots=True)
class Clock:
    """CPU seconds by stage of the process."""

    seconds: dict[str, float] = field(default_factory=dict)

    def charge(self, stage: str, since: float) -> float:
        """Book the CPU time since ``since`` on a stage; returns now."""
        now = process_time()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - since
        return now


def evaluate(
    graph: Graph,
    targets: Mapping[LayerName, Window],
    *,
    read: ReadBand,
    supplies: Supplies,
    clock: Clock,
    watch: Watch | None = None,
) -> dict[LayerName, Layer]:
    """Layers of the wanted windows.

    Args:
        graph: Graph of the scene.
        targets: Target windows by layer, on the layer's own grid.
        read: Reads bands.
        supplies: Models, rasters and angle grids that calls need beyond bands.
        clock: Clock that CPU time is charged to.
        watch: Observer of each call that asks for more than layers: the call, its layers and the window that it makes.

    Returns:
        The wanted layers, each cropped to its window.

    Raises:
        SceneError: A band cannot be read, or a step refuses the scene.
    """
    plan = demand(graph, targets)
    uses = _uses(plan.calls)
    pairs = joined(graph, plan, targets=targets, uses=uses)
    held = HeldLayers(targets, uses=uses)
    for number in sorted(plan.calls.keys() - set(pairs.values())):
        call = graph.calls[number]
        window, wants = plan.calls[number]
        layers = {}
        for name, want in wants.items():
            since = process_time()
            if name not in held:
                held.add({name: read(name.removeprefix(DELIVERED), plan.layers[name])})
                since = clock.charge("read", since)
            layers[name] = held.on(name, want)
            clock.charge("resample", since)
        since = process_time()
        made = _made(graph, call, layers, window=window, supplies=supplies, reader=pairs.get(number))
        clock.charge(call.step.name, since)
        _show(watch, call, layers, window=window, clock=clock)
        held.release(wants)
        held.add(made)
    return held.done


def _made(graph: Graph, call: Call, layers: Layers, *, window: Window, supplies: Supplies, reader: int | None) -> Layers:
    """Layers of a call; those of its reader where the two work as one."""
    if reader is not None:
        return classes_of(call, graph.calls[reader], layers, window=window)
    asked = supplies.of(graph, call.recipe, window=window)
    return call.step.run(call.recipe, layers, window=window, scene=graph.scene, inputs=asked)


def _show(watch: Watch | None, call: Call, layers: Layers, *, window: Window, clock: Clock) -> None:
    if watch is not None and call.recipe.inputs:
        since = process_time()
        watch(call, layers, window)
        clock.charge("drift", since)


def _uses(calls: Mapping[int, tuple[Window, Mapping[LayerName, Want]]]) -> dict[LayerName, int]:
    uses: dict[LayerName, int] = {}
    for _, wants in calls.values():
        for name in wants:
            uses[name] = uses.get(name, 0) + 1
    return uses
