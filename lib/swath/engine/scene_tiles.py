"""Tiles of a pipeline's tiling that a scene touches: each becomes a product of its own."""

import json
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.engine.terrain import Ring, elevation_for, ring_of
from swath.errors import GeometryError
from swath.grid import EDGE_TOLERANCE_PX, Grid
from swath.mapping import project, utm_zone
from swath.pipeline import Pipeline
from swath.plain import canonical
from swath.scene import Scene
from swath.tile_sets import NamedTile

#: What in the href of a row of a plan begins the name of its tile.
TILE_IN_HREF: Final = "#tile="
_METRE: Final = 1.0


def on_tile(scene_json: str, tile: str) -> str:
    """``Scene.to_json()`` of the scene as the source of one tile; without a tile as it is."""
    return canonical({**json.loads(scene_json), "tile": tile}) if tile else scene_json


def tiled_href(href: str, tile: str | None) -> str:
    """What names a scene, or its part in one tile, among the rows of a plan."""
    return f"{href}{TILE_IN_HREF}{tile}" if tile else href


def split_href(href: str) -> tuple[str, str]:
    """The href of the scene, and the tile; the inverse of ``tiled_href``."""
    whole, mark, tile = href.rpartition(TILE_IN_HREF)
    return (whole, tile) if mark else (href, "")


def tiles_of(scene: Scene, pipeline: Pipeline) -> tuple[str, ...]:
    """Names of the tiles that a scene shares ground with; empty where the pipeline cuts on no tiling.

    Args:
        scene: The scene.
        pipeline: The pipeline.

    Raises:
        GeometryError: The scene touches none of the tiles.
        MissingInputError: The scene is raw, and the site has no elevation.
    """
    tiling = pipeline.grid.tiling if pipeline.grid is not None else None
    if tiling is None:
        return ()
    native = scene.reference
    ring = ring_of(native, dem=elevation_for(native, pipeline.rasters))
    found = sorted(t.name for t in tiling.set.touching(_around(ring) if native.raw else native) if _meets(ring, t))
    if not found:
        raise GeometryError(
            "the scene touches no tile of the tiling",
            expected=f"ground of {tiling.name}",
            got=f"a scene at {', '.join(f'{v:g}' for v in _middle(ring))} (longitude, latitude)",
            remedy="Choose another tiling, or leave the scene out.",
            scene_id=scene.scene_id,
        )
    return tuple(found)


def _middle(ring: Ring) -> tuple[float, float]:
    x, y = project(*(np.array([(v.min() + v.max()) / 2.0]) for v in (ring.x, ring.y)), source=ring.crs, target="EPSG:4326")
    return float(x[0]), float(y[0])


def _around(ring: Ring) -> Grid:
    """A grid of metres around an outline in longitude and latitude: what tilings are asked about."""
    crs = utm_zone(*_middle(ring))
    x, y = project(ring.x, ring.y, source=ring.crs, target=crs)
    width, height = (max(1, int(np.ceil(np.ptp(v)))) for v in (x, y))
    return Grid(crs=crs, left=float(x.min()), top=float(y.max()), dx=_METRE, dy=_METRE, width=width, height=height)


def _meets(ring: Ring, tile: NamedTile) -> bool:
    """Whether an outline shares ground with a tile: no line along an edge of either is between them."""
    grid = tile.grid
    x, y = project(ring.x, ring.y, source=ring.crs, target=grid.crs)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return False
    corners = np.array(grid.corners)
    slack = grid.dx * EDGE_TOLERANCE_PX
    for across, up in _axes(x, y):
        own, other = x * across + y * up, corners[:, 0] * across + corners[:, 1] * up
        if own.max() <= other.min() + slack or own.min() >= other.max() - slack:
            return False
    return True


def _axes(x: NDArray[np.float64], y: NDArray[np.float64]) -> Iterator[tuple[float, float]]:
    """Directions, of length 1, across the sides of a tile and those of an outline."""
    yield from ((1.0, 0.0), (0.0, 1.0))
    step = (x.size - 1) // 4
    for start in range(0, 4 * step, step):
        right, up = x[start + step] - x[start], y[start + step] - y[start]
        length = float(np.hypot(right, up))
        if length > 0.0:
            yield float(-up / length), float(right / length)
