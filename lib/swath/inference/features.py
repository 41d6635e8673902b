"""From layers to the numbers that a model takes: one path for training and for prediction."""

from math import log

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid
from swath.pipeline import Layer
from swath.scene import Scene


def model_grid(scene: Scene, resolution_m: float | None) -> Grid:
    """The grid that a model works on: the reference grid, or the band grid nearest to a resolution (by ratio)."""
    if resolution_m is None:
        return scene.reference
    wanted = resolution_m
    grids = [a.grid for a in scene.assets.values() if a.calibration.kind != "quality"] or [scene.reference]
    return min(grids, key=lambda g: (abs(log(g.resolution_m / wanted)), -g.width, g.left, -g.top))


def feature(layer: Layer, *, scale: float = 1.0, offset: float = 0.0) -> NDArray[np.float32]:
    """``scale * physical + offset`` as float32, (y, x); NaN where invalid.

    On coded layers the table is converted instead of the pixels, with equal results.
    """
    if layer.table is not None:
        return np.take(scaled(layer.table, scale=scale, offset=offset), layer.values)
    return scaled(layer.physical, scale=scale, offset=offset)


def scaled(physical: NDArray[np.float64], *, scale: float, offset: float) -> NDArray[np.float32]:
    """Any shape: the arithmetic of a feature."""
    made = physical if (scale, offset) == (1.0, 0.0) else physical * scale + offset
    return made.astype(np.float32)
