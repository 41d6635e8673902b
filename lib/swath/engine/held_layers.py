"""Layers of one piece that are in memory: each leaves after its last use."""

from collections.abc import Iterable, Mapping

from swath.engine.warping import Want, moved
from swath.grid import Window
from swath.pipeline import Layer, Layers
from swath.product import LayerName


class HeldLayers:
    """Layers that calls still read, and those that are wanted.

    Args:
        targets: Target windows by layer, on the layer's own grid.
        uses: How many calls read each layer.
    """

    def __init__(self, targets: Mapping[LayerName, Window], *, uses: Mapping[LayerName, int]) -> None:
        self._targets, self._uses = targets, dict(uses)
        self._have: dict[LayerName, Layer] = {}
        self._moved: dict[tuple[LayerName, Want], Layer] = {}
        self.done: dict[LayerName, Layer] = {}

    def __contains__(self, name: LayerName) -> bool:
        return name in self._have

    def add(self, made: Layers) -> None:
        """Hold layers. What is written leaves now if nothing reads it any more; otherwise it is cropped at the end."""
        for name, layer in made.items():
            if name in self._targets:
                self.done[name] = layer.crop(self._targets[name])
            if self._uses.get(name):
                self._have[name] = layer

    def on(self, name: LayerName, want: Want) -> Layer:
        """A layer on the grid and in the window that a call reads it in."""
        layer = self._have[name]
        if layer.grid == want.grid:
            return layer.crop(want.window)
        if (name, want) not in self._moved:
            self._moved[name, want] = moved(layer, want)
        return self._moved[name, want]

    def release(self, names: Iterable[LayerName]) -> None:
        """Free the layers that a call was the last one to read."""
        for name in names:
            self._uses[name] -= 1
            if not self._uses[name]:
                self._have.pop(name, None)
                for key in [k for k in self._moved if k[0] == name]:
                    del self._moved[key]
