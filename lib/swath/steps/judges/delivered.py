"""The delivery's own judgement, from its quality bands."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from swath.algo.qa import qa_flag, quality_table
from swath.errors import MissingBandError
from swath.grid import Grid, Window
from swath.inputs import Inputs
from swath.pipeline import Layers, Need
from swath.product import LayerName, LayerSpec
from swath.scene import Quality, Scene
from swath.steps.judges.judge import By, Judged


@dataclass(frozen=True, slots=True)
class DeliveredJudge:
    """Clouds as the quality bands say.

    Args:
        shadows: Whether they tell shadows.
    """

    shadows: bool

    @classmethod
    def of(cls, scene: Scene) -> "DeliveredJudge":
        """The judgement that came with a scene.

        Raises:
            MissingBandError: No band of the scene judges clouds.
        """
        told = {name for table in _tables(scene).values() for name in ("cloud", "shadow") if qa_flag(table, name=name).any()}
        if "cloud" not in told:
            raise MissingBandError(
                "no band of the delivery judges clouds",
                expected="a quality band with clouds",
                got=f"bands {', '.join(sorted(scene.assets))}",
                remedy="Use a model or the spectral rule (clouds: {by: auto}).",
                scene_id=scene.scene_id,
            )
        return cls(shadows="shadow" in told)

    @property
    def by(self) -> By:
        """The delivery."""
        return "delivered"

    @property
    def finds_shadows(self) -> bool:
        """As its bands do."""
        return self.shadows

    def grid(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> Grid:
        """The reference grid."""
        del given
        return scene.reference

    def needs(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec], grid: Grid) -> dict[LayerName, Need]:
        """The quality bands."""
        del given
        return {f"dn:{name}": Need(on=grid) for name in _tables(scene)}

    def judge(self, layers: Layers, *, window: Window, grid: Grid, scene: Scene, inputs: Inputs) -> Judged:
        """Unpack the bits."""
        del grid, inputs
        bits = np.zeros(window.shape, dtype=np.uint16)
        for name, table in _tables(scene).items():
            layer = layers[f"dn:{name}"].crop(window)
            found = np.take(table, layer.values.astype(np.uint16, copy=False))
            bits |= found if layer.valid is None else np.where(layer.valid, found, np.uint16(0))
        said = {n: qa_flag(bits, name=n) for n in ("cloud", "shadow", "snow", "nodata", "cloud_from_quality")}
        return Judged(
            cloudy=said["cloud"],
            usable=said["cloud_from_quality"] & ~said["nodata"],
            shadowed=said["shadow"] if self.shadows else None,
            snowy=said["snow"],
        )


def _tables(scene: Scene) -> dict[str, "np.ndarray[tuple[int], np.dtype[np.uint16]]"]:
    return {
        name: quality_table(a.calibration.scheme, instrument=scene.instrument)
        for name, a in scene.assets.items()
        if isinstance(a.calibration, Quality)
    }
