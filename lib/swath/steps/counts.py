"""Counts as delivered, of images whose delivery does not say how counts become physical values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layers, Need, Recipe
from swath.product import COUNTS, LayerName, LayerSpec
from swath.scene import Scene
from swath.steps.naming import layer_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """``counts:<band>`` of each band that is no quality band: the delivered numbers, 1 to 65535, and 0 where there is no data."""

    name: ClassVar[str] = "counts"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("counts",)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call a band."""
        del given
        return tuple(
            Recipe(
                makes=(
                    LayerSpec(
                        name=layer_name("counts", band=name),
                        asset=name,
                        title=f"Counts, {name}",
                        grid=asset.grid,
                        encoding=COUNTS,
                        band=asset.band,
                    ),
                ),
                needs={layer_name("dn", band=name): Need()},
            )
            for name, asset in scene.assets.items()
            if asset.calibration.kind != "quality"
        )

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Hand on what was read: values, so that another grid interpolates them."""
        del window, scene, inputs
        ((source, made),) = zip(recipe.needs, recipe.makes, strict=True)
        layer = layers[source]
        return {made.name: layer.with_physical(layer.physical)}
