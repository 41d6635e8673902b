"""Counts of what models are fed, of layers that a strip has in memory anyway: each pixel of a product once, however it is cut."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from swath.algo.feature_counts import bins_of_table, count_codes, count_values
from swath.engine.cut import Cut
from swath.engine.graph import Call
from swath.grid import Window
from swath.inference.training_bins import TrainingBins
from swath.inputs import ModelInput
from swath.pipeline import Layer, Layers
from swath.product import LayerName

#: Pixels by bin, by layer, by digest of the model.
Counts = dict[str, dict[LayerName, list[int]]]


class FeatureCounts:
    """What the models of a strip are fed, beside their training data.

    Args:
        cut: How the product is cut: each piece counts its own pixels, whatever margin a model sees.
        bins: Bins of each model, by its name in the pipeline.
    """

    def __init__(self, cut: Cut, *, bins: Mapping[str, TrainingBins]) -> None:
        self._cut, self._bins = cut, bins
        self._counts: dict[str, dict[LayerName, NDArray[np.int64]]] = {}
        # The table of a coded layer is the same object for all pieces of a strip.
        self._tables: dict[tuple[str, int], tuple[NDArray[np.float64], NDArray[np.uint8]]] = {}

    def take(self, call: Call, layers: Layers, window: Window, *, piece: Window) -> None:
        """Count what a call is fed where the piece is.

        Args:
            call: The call.
            layers: Its layers, with their margins.
            window: Window that it makes.
            piece: The piece.
        """
        own = self._cut.window_on(call.recipe.grid, piece)
        for asked in call.recipe.inputs:
            if not isinstance(asked, ModelInput) or asked.name not in self._bins or own is None or not window.contains(own):
                continue
            bins, counts = self._bins[asked.name], self._counts.setdefault(asked.digest, {})
            for number, name in enumerate(bins.layers):
                if name not in layers or layers[name].grid != call.recipe.grid:
                    continue
                layer = layers[name].crop(own)
                found = self._counted(layer, bins.edges[number], key=(asked.digest, number))
                counts[name] = counts[name] + found if name in counts else found

    def _counted(self, layer: Layer, edges: NDArray[np.float64], *, key: tuple[str, int]) -> NDArray[np.int64]:
        if layer.table is None:
            return count_values(layer.physical, edges)
        if key not in self._tables or self._tables[key][0] is not layer.table:
            self._tables[key] = layer.table, bins_of_table(layer.table, edges)
        return count_codes(layer.values, self._tables[key][1], size=edges.size + 1)

    def by_model(self) -> Counts:
        """The counts."""
        return {digest: {n: c.tolist() for n, c in counts.items()} for digest, counts in self._counts.items() if counts}


def merged(parts: tuple[Mapping[str, Mapping[LayerName, list[int]]], ...]) -> Counts:
    """Counts of all parts together."""
    found: Counts = {}
    for part in parts:
        for digest, counts in part.items():
            mine = found.setdefault(digest, {})
            for name, numbers in counts.items():
                mine[name] = [a + b for a, b in zip(mine[name], numbers, strict=True)] if name in mine else list(numbers)
    return found
