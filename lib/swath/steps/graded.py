"""Two steps that work as one: of a layer that is only cut into classes, the classes are made without the layer."""

from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from swath.grid import Window
from swath.pipeline import Layers, Recipe

#: Grade of pixels without a value.
NO_GRADE: Final = 255


@runtime_checkable
class Graded(Protocol):
    """A step that can tell which thresholds its one layer reaches, pixel by pixel, without making the layer."""

    def grades(self, recipe: Recipe, layers: Layers, *, window: Window, thresholds: tuple[float, ...]) -> NDArray[np.uint8]:
        """How many thresholds each pixel of the layer reaches.

        Args:
            recipe: Recipe of the layer.
            layers: Layers that the recipe needs, as for ``Step.run``.
            window: Window to make.
            thresholds: Ascending, at most 254, in the layer's physical unit.

        Returns:
            Grades of ``window``, those that the layer of ``Step.run`` would get; ``NO_GRADE`` where it is invalid.
        """
        ...


@runtime_checkable
class Grading(Protocol):
    """A step that asks of one layer nothing but which thresholds each pixel reaches."""

    thresholds: tuple[float, ...]

    def of_grades(self, recipe: Recipe, grades: NDArray[np.uint8], *, window: Window) -> Layers:
        """What ``Step.run`` makes of the layer with these grades on ``window``."""
        ...
