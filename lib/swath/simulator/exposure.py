"""A scene in the making: what every piece of it needs."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid
from swath.simulator.forward import CLOUD, UNSEEN
from swath.simulator.overpass import Overpass
from swath.simulator.rasters import RasterSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One scene being made.

    Args:
        grid: Grid of the finest bands, the pan band excluded.
        overpass: When, from where, and over what.
        rasters: Rasters that receive the pixels.
        tally: Pixels of each class so far, (256,).
    """

    grid: Grid
    overpass: Overpass
    rasters: RasterSet
    tally: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))

    @property
    def cloud_share(self) -> float:
        """Share of cloud among what was seen so far."""
        return float(self.tally[CLOUD]) / max(int(self.tally.sum() - self.tally[UNSEEN]), 1)
