"""Where the simulated water is: a sea to the north, rivers that run to it, lakes."""

from dataclasses import dataclass

import numpy as np

from swath.simulator.noise import F32, F64, fractal, line

#: Distance between rivers, from west to east [m].
RIVER_SPACING_M = 31_000.0
#: Where the river of the demo runs, east of the world's origin [m].
RIVER_HOME_M = 5_400.0
#: The lake of the demo: east and north of the world's origin, and radius [m].
LAKE_HOME_M = (12_600.0, -11_900.0, 1_500.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waters:
    """Signed distances to the shores, (y, x) [m], positive on the water; nominal rather than exact."""

    sea: F32
    river: F32
    lake: F32

    @property
    def inside(self) -> F32:
        """Distance into whichever water is deepest here."""
        return np.maximum(np.maximum(self.sea, self.river), self.lake)


def waters(x_m: F64, y_m: F64, *, seed: int) -> Waters:
    """Lay out the waters on columns ``x_m`` and rows ``y_m`` [m from the world's origin]."""
    sea = _sea(x_m, y_m, seed=seed)
    return Waters(sea=sea, river=_river(x_m, y_m, seed=seed, sea=sea), lake=_lake(x_m, y_m, seed=seed))


def _sea(x_m: F64, y_m: F64, *, seed: int) -> F32:
    sea = fractal(x_m, y_m, wavelength_m=6400.0, octaves=7, seed=seed + 11)
    sea *= np.float32(1250.0)
    # A broad bay opens towards the home river.
    bay = 1500.0 * np.exp(-(((x_m - RIVER_HOME_M) / 3800.0) ** 2))
    sea += (y_m[:, None] + 3300.0 + bay[None, :]).astype(np.float32)
    return sea


def _river(x_m: F64, y_m: F64, *, seed: int, sea: F32) -> F32:
    def course(y: F64) -> F64:
        return (
            2200.0 * line(y, wavelength_m=15_000.0, octaves=1, seed=seed + 21)
            + 620.0 * line(y, wavelength_m=2_600.0, octaves=1, seed=seed + 22)
            + 190.0 * line(y, wavelength_m=900.0, octaves=2, seed=seed + 23)
        )

    middle = RIVER_HOME_M + course(y_m)
    slant = np.sqrt(1.0 + ((course(y_m + 5.0) - course(y_m - 5.0)) / 10.0) ** 2)
    off = x_m[None, :] - middle[:, None]
    off = np.abs(off - RIVER_SPACING_M * np.round(off / RIVER_SPACING_M)) / slant[:, None]
    half = 62.0 + 14.0 * line(y_m, wavelength_m=1_700.0, octaves=2, seed=seed + 24)
    mouth = np.clip((sea + np.float32(2600.0)) * np.float32(1.0 / 2600.0), 0.0, 1.2)
    width = half[:, None].astype(np.float32) + np.float32(420.0) * mouth * mouth * mouth
    inside: F32 = width - off.astype(np.float32)
    return inside


def _lake(x_m: F64, y_m: F64, *, seed: int) -> F32:
    field = fractal(x_m, y_m, wavelength_m=3600.0, octaves=6, seed=seed + 31)
    wild = (field - np.float32(2.05)) * np.float32(1100.0)
    east, north, radius = LAKE_HOME_M
    away = np.sqrt(((x_m[None, :] - east) / 1.35) ** 2 + (y_m[:, None] - north) ** 2).astype(np.float32)
    home = np.float32(radius) - away + np.float32(520.0) * field
    deepest: F32 = np.maximum(wild, home)
    return deepest
