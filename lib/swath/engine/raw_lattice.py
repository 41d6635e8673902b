"""Places in a raw image for every pixel of a grid, over terrain that nodes cannot follow: its height is looked up at each pixel.

Longitudes and latitudes are interpolated between the nodes of a lattice on the grid, to a few millimetres; heights and the
image's model are evaluated at every pixel.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from swath.algo.position_lattice import PositionLattice
from swath.engine.ancillary import GLOBE, degrees
from swath.grid import Grid, Window
from swath.mapping import Places, ProjectedMapping
from swath.readers.rpc.mapping import RpcMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLattice:
    """Places of the pixels of a grid in a raw image; the same interface as ``PositionLattice``.

    Args:
        mapping: Mapping from longitude and latitude to the image.
        globe: Places of the grid's pixels on the globe.
    """

    mapping: RpcMapping
    globe: PositionLattice

    @classmethod
    def of(cls, mapping: RpcMapping, *, grid: Grid) -> Self:
        """The lattice for a grid."""
        return cls(mapping=mapping, globe=PositionLattice.of(ProjectedMapping(crs=grid.crs, source=GLOBE), grid=grid))

    def centres(self, window: Window, *, exact_at_edges: bool = False) -> Places:
        """Columns and rows of the centres of a window's pixels, (y, x)."""
        del exact_at_edges  # nothing is interpolated in the image
        return _centres(self, window)

    def corners(self, window: Window) -> Places:
        """Columns and rows of the corners of a window's pixels, (y + 1, x + 1)."""
        return self.mapping.image_at(*degrees(*self.globe.corners(window)))

    def source_window(self, window: Window, *, margin_px: int) -> Window:
        """The part of the image that a window of the grid needs; where they do not meet, one pixel at the image's edge."""
        places = self.centres(window)
        spans = []
        for found, size in zip(places[::-1], self.mapping.size, strict=True):
            if np.isnan(found).all():
                return Window(0, 0, 1, 1)
            # Corners are less than a pixel of the grid from centres: pooling reaches as far.
            reach = margin_px + 2 + int(np.ceil(_step(found)))
            low, high = np.floor(np.nanmin(found)) - reach, np.ceil(np.nanmax(found)) + reach
            start = int(min(max(low, 0), size - 1))
            spans.append((start, int(max(min(high, size), start + 1))))
        (row, row_stop), (col, col_stop) = spans
        return Window(row, col, row_stop - row, col_stop - col)


def _step(places: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The most that neighbouring places differ [px]; 0 where there is no neighbour."""
    steps = [np.abs(np.diff(places, axis=axis)) for axis in (0, 1)]
    return max(float(np.nanmax(s, initial=0.0)) for s in steps)


@lru_cache(maxsize=2)
def _centres(lattice: RawLattice, window: Window) -> Places:
    """Kept: the part of the image that is read is found from them, and then they are used."""
    return lattice.mapping.image_at(*degrees(*lattice.globe.centres(window)))
