"""A cloud mask from spectral tests of single pixels: what a sensor without a delivered mask gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from swath.algo.clouds import cloudy
from swath.errors import MissingBandError
from swath.grid import Window
from swath.inputs import Inputs
from swath.layer_name import LayerId
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import Category, LayerName, LayerSpec, class_map
from swath.scene import Scene
from swath.steps.naming import CLOUD, CLOUD_MAP

CATEGORIES: Final = (
    Category(value=0, name="clear", title="Clear", rgb=(196, 208, 196)),
    Category(value=CLOUD, name="cloud", title="Cloud", rgb=(250, 250, 250)),
)
_VISIBLE: Final = ("blue", "green", "red", "swir16", "swir22")
_NIR: Final = ("nir08", "nir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clouds:
    """``cloud`` on the scene's reference grid: 0 clear, 1 cloud, from TOA reflectance and temperature where there is one."""

    name: ClassVar[str] = "clouds"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = (CLOUD_MAP,)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """None: the thresholds are the paper's."""
        return {}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call.

        Raises:
            MissingBandError: A band that the tests need is not there.
        """
        nir = next((n for n in _NIR if f"toa:{n}" in given), _NIR[0])
        names = [f"toa:{n}" for n in (*_VISIBLE, nir)]
        missing = [n for n in names if n not in given]
        if missing:
            raise MissingBandError(
                "clouds cannot be distinguished from the ground",
                expected=", ".join(names),
                got=f"no {', '.join(missing)}",
                remedy="Deliver these bands, or use a mask that came with the scene.",
                scene_id=scene.scene_id,
            )
        thermal = [n for n in ("bt:lwir11",) if n in given]
        grid = scene.reference
        made = LayerSpec(
            name=CLOUD_MAP,
            asset=CLOUD_MAP,
            title="Clouds by spectral tests",
            grid=grid,
            encoding=class_map(CATEGORIES),
            roles=("data-mask", "cloud"),
        )
        return (Recipe(makes=(made,), needs={n: Need(on=grid) for n in (*names, *thermal)}),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Test every pixel whose bands are all valid; the others become nodata."""
        del scene, inputs
        found = {LayerId.of(name).band: layers[name].crop(window).physical for name in recipe.needs}
        nir = found["nir08"] if "nir08" in found else found["nir"]
        bands = {n: found[n] for n in _VISIBLE}
        cloud = cloudy(**bands, nir=nir, temperature_k=found.get("lwir11"))
        valid = np.isfinite(nir)
        for name in _VISIBLE:
            valid &= np.isfinite(bands[name])
        values = cloud.astype(np.uint8)
        return {CLOUD_MAP: Layer(values=values, grid=recipe.grid, window=window, valid=valid)}
