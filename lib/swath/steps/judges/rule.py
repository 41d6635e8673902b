"""The spectral rule: tests of single pixels, for every sensor with six bands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from swath.algo.clouds import cloudy, snowy
from swath.errors import MissingBandError
from swath.grid import Grid, Window
from swath.inputs import Inputs
from swath.layer_name import LayerId
from swath.pipeline import Layers, Need
from swath.product import LayerName, LayerSpec
from swath.scene import Scene
from swath.steps.judges.judge import By, Judged, coarser

VISIBLE: Final = ("blue", "green", "red", "swir16", "swir22")
NIR: Final = ("nir08", "nir")
_THERMAL: Final = "bt:lwir11"
#: Finer pixels are judged together: clouds have no edges that fine, and the margins of shadows are long.
_COARSE_M: Final = 20.0


@dataclass(frozen=True, slots=True)
class RuleJudge:
    """Clouds and snow by ``algo.clouds``."""

    @property
    def by(self) -> By:
        """The rule."""
        return "rule"

    @property
    def finds_shadows(self) -> bool:
        """No: they are projected."""
        return False

    def grid(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> Grid:
        """The reference grid, or one of about 20 m where that is finer."""
        del given
        return coarser(scene.reference, factor=max(round(_COARSE_M / scene.reference.resolution_m), 1))

    def needs(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec], grid: Grid) -> dict[LayerName, Need]:
        """Six bands of reflectance, and temperature where there is one.

        Raises:
            MissingBandError: A band that the tests need is not there.
        """
        names = [f"toa:{n}" for n in VISIBLE]
        names.append(near_infrared(given) or f"toa:{NIR[0]}")
        missing = [n for n in names if n not in given]
        if missing:
            raise MissingBandError(
                "clouds cannot be distinguished from the ground",
                expected=", ".join(names),
                got=f"no {', '.join(missing)}",
                remedy="Deliver these bands, or use a mask that came with the scene.",
                scene_id=scene.scene_id,
            )
        thermal = [_THERMAL] if _THERMAL in given else []
        return {n: Need(on=grid) for n in (*names, *thermal)}

    def judge(self, layers: Layers, *, window: Window, grid: Grid, scene: Scene, inputs: Inputs) -> Judged:
        """Test every pixel whose bands are all valid."""
        del grid, scene, inputs
        found = {
            LayerId.of(name).band: layer.crop(window).physical for name, layer in layers.items() if not name.startswith("dn:")
        }
        nir = next(found[n] for n in NIR if n in found)
        bands = {n: found[n] for n in VISIBLE}
        usable = np.isfinite(nir)
        for values in bands.values():
            usable &= np.isfinite(values)
        cloud = cloudy(**bands, nir=nir, temperature_k=found.get("lwir11"))
        snow = snowy(green=bands["green"], nir=nir, swir16=bands["swir16"], temperature_k=found.get("lwir11"))
        return Judged(cloudy=cloud, usable=usable, snowy=snow & ~cloud)


def near_infrared(given: Mapping[LayerName, LayerSpec]) -> str:
    """The TOA layer of the near infrared; empty where there is none."""
    return next((name for n in NIR if (name := f"toa:{n}") in given), "")
