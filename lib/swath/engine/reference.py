"""The item that a scene is co-registered to, and the band in which both are compared."""

from functools import lru_cache
from typing import Final

import numpy as np

from swath.errors import GeometryError, MissingBandError
from swath.grid import Grid
from swath.mapping import project
from swath.readers.level2.source import read_reference
from swath.scene import Quality, Reflectance, Scene
from swath.source import Source

#: Bands that are compared, the best first.
_BANDS: Final = ("red", "green", "nir08", "nir", "swir16", "blue", "pan")
_POINTS: Final = 17


def common_band(scene: Scene, reference: Source) -> str:
    """Name of the band in which a scene is compared with its reference.

    Raises:
        MissingBandError: Both have no band in common.
    """
    there = [b for b in _BANDS if b in scene.assets and not isinstance(scene.assets[b].calibration, Quality)]
    common = [b for b in there if b in reference.assets and isinstance(reference.assets[b].calibration, Reflectance)]
    if common:
        return common[0]
    raise MissingBandError(
        "the scene has no band in common with what it is co-registered to",
        expected=f"one of {', '.join(_BANDS)} in both",
        got=f"{', '.join(sorted(scene.assets))} and, in {reference.scene_id}, {', '.join(sorted(reference.bands))}",
        remedy="Name another item in coregister.to.",
        scene_id=scene.scene_id,
    )


@lru_cache(maxsize=1024)
def _source(href: str) -> Source:
    return read_reference(href)


def reference_of(scene: Scene, to: tuple[str, ...], *, over: Grid) -> Source:
    """The item that covers most of the scene's grid on the map; of equals the nearest in time, then the first by id.

    Raises:
        GeometryError: None covers it.
        ReadError: An item cannot be read.
    """

    def rank(source: Source) -> tuple[float, float, str]:
        away = abs((source.acquired - scene.acquired).total_seconds())
        return (-_covered(over, next(iter(source.assets.values())).grid), away, source.scene_id)

    ranked = sorted((_source(href) for href in to), key=rank)
    if rank(ranked[0])[0] < 0.0:
        return ranked[0]
    raise GeometryError(
        "nothing that the scene could be co-registered to covers it",
        expected=f"one of {len(to)} items over {tuple(round(v, 3) for v in over.bounds)} in {over.crs[:60]}",
        got=", ".join(s.scene_id for s in ranked[:3]),
        remedy="Name an item of this place in coregister.to.",
        scene_id=scene.scene_id,
    )


def _covered(grid: Grid, other: Grid) -> float:
    """Share of points of a grid that lie on another."""
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    columns, rows = steps[None, :] * grid.width, steps[:, None] * grid.height
    x = grid.left + columns * grid.dx + rows * grid.rx
    y = grid.top + columns * grid.ry - rows * grid.dy
    u, v = project(x.ravel(), y.ravel(), source=grid.crs, target=other.crs)
    at_column, at_row = other.pixels_of(u, v)
    inside = (at_column >= 0) & (at_column <= other.width) & (at_row >= 0) & (at_row <= other.height)
    return float(np.mean(inside))
