"""A judge of clouds as the step sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from swath.errors import ModelContractError
from swath.grid import Grid, Window
from swath.inputs import Inputs
from swath.pipeline import Layers, Need
from swath.product import LayerName, LayerSpec
from swath.scene import Scene

By = Literal["model", "rule", "delivered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a judge says of a window, each (y, x).

    Args:
        cloudy: True at cloud.
        usable: True where it says anything.
        shadowed: True at cloud shadow; None where it cannot tell.
        snowy: True at snow; None where it cannot tell.
        percent: Probability of cloud [%]; None for judges without one.
    """

    cloudy: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    shadowed: NDArray[np.bool_] | None = None
    snowy: NDArray[np.bool_] | None = None
    percent: NDArray[np.float32] | None = None


class Judge(Protocol):
    """One way to find clouds."""

    @property
    def by(self) -> By:
        """Its kind."""
        ...

    @property
    def finds_shadows(self) -> bool:
        """Whether it tells shadows; otherwise the mask is projected."""
        ...

    def grid(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> Grid:
        """The grid that it works on.

        Raises:
            SceneError: The judge cannot judge this scene; the message says why.
        """
        ...

    def needs(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec], grid: Grid) -> dict[LayerName, Need]:
        """What it reads, with the margin that it needs itself.

        Raises:
            SceneError: The scene lacks a layer.
        """
        ...

    def judge(self, layers: Layers, *, window: Window, grid: Grid, scene: Scene, inputs: Inputs) -> Judged:
        """Judge a window of its grid; the layers come with the margin of ``needs``."""
        ...


def coarser(grid: Grid, *, factor: int) -> Grid:
    """The grid with pixels of ``factor`` x ``factor`` of its own, from the same corner; the last ones may reach beyond it."""
    if factor == 1:
        return grid
    width, height = -(-grid.width // factor), -(-grid.height // factor)
    return replace(
        grid, dx=grid.dx * factor, dy=grid.dy * factor, rx=grid.rx * factor, ry=grid.ry * factor, width=width, height=height
    )


def within(scene: Scene, *, pixel_m: tuple[float, float], wanted_m: float, model: str) -> Grid:
    """The scene's reference grid, or a coarser one, whose pixels a model was made for.

    Raises:
        ModelContractError: The scene's pixels are too large.
    """
    low, high = pixel_m
    here = scene.reference.resolution_m
    factor = 1 if low <= here <= high else max(round(wanted_m / here), 1)
    if not low <= here * factor <= high:
        raise ModelContractError(
            f"model {model} was made for pixels of {low:g} to {high:g} m",
            expected=f"a reference grid of at most {high:g} m",
            got=f"{here:g} m",
            remedy="Use the spectral rule (clouds: {by: rule}), or a model for such pixels.",
            scene_id=scene.scene_id,
        )
    return coarser(scene.reference, factor=factor)
