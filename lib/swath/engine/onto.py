"""The last step of a product on a grid of its own: each asset comes onto that grid."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from swath.engine.target import Target
from swath.engine.warping import WARP_VERSION
from swath.grid import Window
from swath.inputs import Inputs
from swath.layer_name import LayerId
from swath.pipeline import Layers, Need, Recipe, WarpKernel
from swath.product import NODATA_BIT, LayerName, LayerSpec
from swath.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Onto:
    """``<layer>@grid`` of each layer that is written.

    Steps work on the delivered pixels; only what they made is moved, once. Values come by the chosen interpolation, or are
    averaged where the grid is coarser; bits and classes come from the pixel under the centre.

    Args:
        target: Grid that receives the layer.
    """

    name: ClassVar[str] = "grid"
    version: ClassVar[int] = WARP_VERSION
    kinds: ClassVar[tuple[str, ...]] = ()

    target: Target

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The choice; the grid itself is part of every call."""
        return self.target.choice.to_plain()

    def recipe_of(self, spec: LayerSpec, *, scene: Scene) -> Recipe:
        """The call that moves one layer."""
        codes = bool(spec.encoding.categories or spec.encoding.bits)
        kernel: WarpKernel = "nearest" if codes else self.target.choice.interpolation
        grid = self.target.grid_for(spec.grid, scene=scene)
        made = replace(spec, name=LayerId.of(spec.name).on_grid, grid=grid)
        return Recipe(makes=(made,), needs={spec.name: Need(on=grid, kernel=kernel)})

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call for each layer."""
        return tuple(self.recipe_of(spec, scene=scene) for spec in given.values())

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Hand on what came on the grid already."""
        del scene, inputs
        ((source, made),) = zip(recipe.needs, recipe.makes, strict=True)
        layer = layers[source].crop(window)
        if made.encoding.bits and layer.valid is not None:
            # No number represents no data in a bit field: its own bit must say so.
            nothing = sum(1 << b.value for b in made.encoding.bits if b.name == NODATA_BIT)
            layer = replace(layer, values=np.where(layer.valid, layer.values, layer.values.dtype.type(nothing)), valid=None)
        return {made.name: layer}
