"""A step of your own: copy, rename, change.

    swath validate my_step.py       it has every part of a step, and each part takes what swath gives
    swath check seams my-pipeline.yaml --input SCENE      no pixel depends on how a scene is cut

swath finds it by an entry point of your package (pyproject.toml), and pipelines then name it like any other step:

    [project.entry-points."swath.steps"]
    brightness = "my_package.my_step:Brightness"
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from swath.errors import ConfigError
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import REFLECTANCE, LayerName, LayerSpec
from swath.scene import Scene


# A step is a frozen value, and pure: it opens no file, has no clock and no random numbers. Its fields are its parameters.
@dataclass(frozen=True, slots=True, kw_only=True)
class Brightness:
    """Mean of some bands of TOA reflectance.

    Args:
        bands: Common names of the bands; a scene that lacks one gets no such layer.
    """

    name: ClassVar[str] = "brightness"
    # Raise it when results change: keys of products hold it, so they are made anew.
    version: ClassVar[int] = 1
    # What it may make; names of assets in pipeline files are checked with it.
    kinds: ClassVar[tuple[str, ...]] = ("brightness",)

    bands: tuple[str, ...] = ("blue", "green", "red")

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work, before anything runs."""
        if not self.bands:
            msg = "brightness.bands must name at least one band"
            raise ConfigError(msg)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Part of the keys of products: everything that changes pixels."""
        return asdict(self)

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """What it makes of this scene, and what that needs; an empty tuple where it makes nothing.

        ``given`` has the layers that are there so far, the delivered bands among them (``dn:red``). What a step of your own needs
        beyond bands (elevation, angles, a model) is listed in ``Recipe.inputs``: docs/extending.md.
        """
        del scene
        names = [f"toa:{band}" for band in self.bands]
        if any(name not in given for name in names):
            return ()
        grid = given[names[0]].grid
        made = LayerSpec(name="brightness", asset="brightness", title="Brightness", grid=grid, encoding=REFLECTANCE)
        # `on`: the grid to have a layer on. `halo_px`: a margin for steps that look at neighbours; this one needs none.
        return (Recipe(makes=(made,), needs={name: Need(on=grid, halo_px=0) for name in names}),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """The pixels of one window. A pixel may depend on the margin that was asked for, and on nothing beyond it."""
        del scene, inputs
        # Physical values, float64, NaN where there is no data; NaN in any band is NaN in the mean.
        mean = np.mean([layers[name].crop(window).physical for name in recipe.needs], axis=0)
        return {"brightness": Layer(values=mean, grid=recipe.grid, window=window, valid=np.isfinite(mean))}
