"""Angles per pixel, from the grids that a delivery brings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from swath.errors import MetadataError
from swath.inputs import AngleField
from swath.readers.files.remote import recall
from swath.readers.sentinel2.angles import AngleGrids, DirectionGrid, azimuth_of
from swath.readers.sentinel2.bands import NATIVE_BY_NAME
from swath.readers.sentinel2.scene import FAMILY
from swath.readers.sentinel2.tile import read_tile
from swath.scene import Scene

#: Granules whose grids a process keeps: consecutive strips belong to one or two scenes.
KEPT_GRANULES = 4

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Nodes:
    """One grid as three planes that interpolate: zenith, and the azimuth's unit vector; (row, column)."""

    zenith: Array
    east: Array
    north: Array

    @classmethod
    def of(cls, grid: DirectionGrid) -> "_Nodes":
        azimuth = np.radians(grid.azimuth_deg)
        return cls(np.ascontiguousarray(grid.zenith_deg), np.sin(azimuth), np.cos(azimuth))


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where positions lie between nodes: index of the node before, and the way to the next in [0, 1]."""

    before: NDArray[np.intp]
    way: Array

    @classmethod
    def of(cls, positions: Array, *, nodes: int) -> "_Axis":
        # Outside the nodes the edge's values hold: nothing is extrapolated.
        held = np.clip(np.asarray(positions, dtype=np.float64), 0.0, float(nodes - 1))
        before = np.minimum(np.floor(held).astype(np.intp), max(nodes - 2, 0))
        return cls(before, held - before)


@dataclass(frozen=True, slots=True)
class InterpolatedAngles:
    """Directions between the nodes of a granule's grids: an ``AngleField``.

    Bilinear; azimuths through their unit vectors, so that between 359 and 1 degrees is 0 and not 180. Each value
    depends on its own coordinates alone: any window gives the same numbers (float64).
    """

    left: float
    top: float
    dx: float
    dy: float
    sun: _Nodes
    views: Mapping[str, _Nodes]

    @classmethod
    def of(cls, grids: AngleGrids) -> "InterpolatedAngles":
        """Prepare the grids of a granule."""
        views = {native: _Nodes.of(grid) for native, grid in grids.views.items()}
        return cls(grids.left, grids.top, grids.dx, grids.dy, _Nodes.of(grids.sun), views)

    def sample(self, *, x: Array, y: Array, band: str) -> tuple[Array, Array, Array, Array]:
        """Sun zenith, sun azimuth, view zenith, view azimuth [deg], azimuths in [0, 360); each (m, n).

        Args:
            x: Columns, map units, (n,).
            y: Rows, map units, (m,).
            band: Common name (``red``).

        Raises:
            MetadataError: The granule says nothing about the direction from which this band looks.
        """
        native = NATIVE_BY_NAME.get(band, "")
        if native not in self.views:
            raise MetadataError(
                "a band has no view angles",
                expected=f"a grid or a mean direction for {band}",
                got=f"only {', '.join(sorted(self.views)) or 'none'}",
                remedy="Leave this band out, or fetch the delivery again.",
            )
        rows, cols = self.sun.zenith.shape
        across = _Axis.of((np.asarray(x, dtype=np.float64) - self.left) / self.dx, nodes=cols)
        down = _Axis.of((self.top - np.asarray(y, dtype=np.float64)) / self.dy, nodes=rows)
        return (*_direction(self.sun, across=across, down=down), *_direction(self.views[native], across=across, down=down))


def angle_field(scene: Scene) -> AngleField | None:
    """The angles per pixel that a scene's delivery brings; None when it brings none.

    Raises:
        MetadataError: The metadata that ``scene.angles_href`` names cannot be read any more, or has no grids.
    """
    if scene.angles_href is None or scene.family != FAMILY:
        return None
    recall(scene, scene.angles_href)
    return _field(scene.angles_href)


@lru_cache(maxsize=KEPT_GRANULES)
def _field(href: str) -> InterpolatedAngles:
    grids = read_tile(href).angles
    if grids is None:
        raise MetadataError(
            "the granule has no angle grids",
            expected="Sun_Angles_Grid",
            got=f"none in {href}",
            remedy="Ingest the scene again.",
        )
    return InterpolatedAngles.of(grids)


def _direction(nodes: _Nodes, *, across: _Axis, down: _Axis) -> tuple[Array, Array]:
    zenith = _bilinear(nodes.zenith, across=across, down=down)
    east = _bilinear(nodes.east, across=across, down=down)
    north = _bilinear(nodes.north, across=across, down=down)
    return zenith, azimuth_of(east, north)


def _bilinear(plane: Array, *, across: _Axis, down: _Axis) -> Array:
    """Values between nodes, (m, n): first down the columns of nodes, then across."""
    below = np.minimum(down.before + 1, plane.shape[0] - 1)
    right = np.minimum(across.before + 1, plane.shape[1] - 1)
    way = down.way[:, None]
    rows = plane[down.before] * (1.0 - way) + plane[below] * way
    return np.asarray(rows[:, across.before] * (1.0 - across.way) + rows[:, right] * across.way)
