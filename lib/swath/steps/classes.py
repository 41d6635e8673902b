"""A class map of one layer by thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.classify import threshold_classes
from swath.errors import ConfigError
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import Category, LayerName, LayerSpec, class_map
from swath.scene import Scene
from swath.steps.graded import NO_GRADE

#: From bare to lush; used again from the start when there are more classes.
PALETTE: Final = (
    (44, 123, 182),
    (215, 190, 150),
    (230, 230, 140),
    (166, 217, 106),
    (26, 150, 65),
    (0, 90, 50),
)
_MOST: Final = 254
#: Pixels worked on at once: a few arrays of them stay in a core's cache.
_BATCH_PX: Final = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """``classes``: class n of a pixel is the number of thresholds that its value reaches.

    Args:
        of: The layer that is cut (``ndvi``, ``sr:nir``).
        thresholds: Ascending, in the layer's physical unit.
        names: Machine names of the classes, one more than there are thresholds.

    Raises:
        ConfigError: A parameter is unusable.
    """

    name: ClassVar[str] = "classes"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("classes",)

    of: str = "ndvi"
    thresholds: tuple[float, ...] = (0.0, 0.2, 0.5)
    names: tuple[str, ...] = ("water", "bare", "sparse", "dense")

    def __post_init__(self) -> None:
        """Refuse thresholds out of order and names that do not match them."""
        _check_numbers(self.thresholds)
        if len(self.names) != len(self.thresholds) + 1:
            wanted = len(self.thresholds) + 1
            msg = f"classes.names needs {wanted} names for {wanted - 1} thresholds, got {len(self.names)}"
            raise ConfigError(msg)
        if len(set(self.names)) != len(self.names) or not all(self.names):
            msg = f"classes.names must be different, non-empty names, got {list(self.names)}"
            raise ConfigError(msg)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As given."""
        return {"of": self.of, "thresholds": [float(t) for t in self.thresholds], "names": list(self.names)}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call, or none where the layer is not made."""
        del scene
        source = given.get(self.of)
        if source is None:
            return ()
        categories = tuple(
            Category(value=i, name=n, title=n.replace("_", " ").capitalize(), rgb=PALETTE[i % len(PALETTE)])
            for i, n in enumerate(self.names)
        )
        made = LayerSpec(
            name="classes",
            asset="classes",
            title=f"Classes of {source.title}",
            grid=source.grid,
            encoding=class_map(categories),
        )
        return (Recipe(makes=(made,), needs={source.name: Need()}),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Cut the layer."""
        del scene, inputs
        layer = layers[self.of]
        classes = np.empty(window.shape, dtype=np.uint8)
        step = max(_BATCH_PX // window.width, 1)
        for row in range(window.row, window.row_stop, step):
            part = Window(row, window.col, min(step, window.row_stop - row), window.width)
            classes[window.slices_of(part)] = threshold_classes(layer.crop(part).physical, thresholds=self.thresholds)
        return {"classes": Layer(values=classes, grid=recipe.grid, window=window, valid=layer.usable)}

    def of_grades(self, recipe: Recipe, grades: NDArray[np.uint8], *, window: Window) -> Layers:
        """Grades are the classes."""
        valid = grades != NO_GRADE
        return {"classes": Layer(values=grades, grid=recipe.grid, window=window, valid=None if valid.all() else valid)}


def _check_numbers(values: Sequence[object]) -> None:
    numbers = [t for t in values if isinstance(t, int | float) and not isinstance(t, bool) and isfinite(t)]
    if len(numbers) != len(values) or not 1 <= len(values) <= _MOST or numbers != sorted(set(numbers)):
        msg = f"classes.thresholds must be 1 to {_MOST} ascending numbers, got {list(values)}"
        raise ConfigError(msg)
