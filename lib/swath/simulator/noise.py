"""Smooth random fields over the map: the same value at the same place, whatever window asks for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U32 = NDArray[np.uint32]

#: Standard deviation of a uniform(-1, 1) lattice after the 2-D cubic B-spline, measured; fields are divided by it.
LATTICE_STD = 0.2767
#: The same in one dimension.
LATTICE_STD_1D = 0.3997


def hashed(ix: NDArray[np.generic], iy: NDArray[np.generic], *, seed: int) -> U32:
    """Hash pairs of cell numbers to 32 well-mixed bits; arguments broadcast (multiply-xorshift, as in MurmurHash3)."""
    h = ix.astype(np.int64).astype(np.uint32) * np.uint32(0x9E3779B1)
    h = h ^ (iy.astype(np.int64).astype(np.uint32) * np.uint32(0x85EBCA77))
    h = h ^ np.uint32((seed * 0x27D4EB2F + 0x165667B1) & 0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h ^= h >> np.uint32(shift)
        h *= np.uint32(factor)
    h ^= h >> np.uint32(16)
    return h


def unit(h: U32) -> F32:
    """Turn hash bits into uniform numbers in [0, 1)."""
    return (h >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def ramp(values: F32, *, low: float, high: float) -> F32:
    """Smoothstep: 0 below ``low``, 1 above ``high``, smooth between; elementwise."""
    t = (values - np.float32(low)) * np.float32(1.0 / (high - low))
    np.clip(t, 0.0, 1.0, out=t)
    result: F32 = t * t * (np.float32(3.0) - np.float32(2.0) * t)
    return result


@dataclass(frozen=True, slots=True)
class _Taps:
    """Where positions fall on a lattice: index of the first of four nodes, and their weights, (4, n)."""

    first: NDArray[np.int64]
    weights: F32

    @classmethod
    def of(cls, positions_m: F64, *, wavelength_m: float, slope: bool = False) -> "_Taps":
        scaled = positions_m / wavelength_m
        cell = np.floor(scaled)
        t = scaled - cell
        if slope:  # derivative of the cubic B-spline, per metre
            weights = np.stack([-((1 - t) ** 2), 3 * t * t - 4 * t, 1 + 2 * t - 3 * t * t, t * t]) / (2 * wavelength_m)
        else:
            u = 1 - t
            weights = np.stack([u**3, 3 * t**3 - 6 * t * t + 4, 3 * u**3 - 6 * u * u + 4, t**3]) / 6
        return cls(cell.astype(np.int64) - 1, weights.astype(np.float32))

    def nodes(self) -> NDArray[np.int64]:
        """All lattice numbers that the positions touch."""
        return np.arange(self.first.min(), self.first.max() + 4, dtype=np.int64)

    def blend_rows(self, rows: F32) -> F32:
        """Weigh lattice rows, (node, x), into positions, (y, x)."""
        index = self.first - self.first.min()
        total: F32 = rows[index] * self.weights[0][:, None]
        for k in range(1, 4):
            part = rows[index + k]
            part *= self.weights[k][:, None]
            total += part
        return total

    def blend_columns(self, lattice: F32) -> F32:
        """Weigh lattice columns, (y, node), into positions, (y, x)."""
        index = self.first - self.first.min()
        total: F32 = lattice[:, index] * self.weights[0]
        for k in range(1, 4):
            total += lattice[:, index + k] * self.weights[k]
        return total


def _lattice(rows: NDArray[np.int64], columns: NDArray[np.int64], *, seed: int) -> F32:
    return unit(hashed(columns[None, :], rows[:, None], seed=seed)) * np.float32(2.0) - np.float32(1.0)


def smooth(x_m: F64, y_m: F64, *, wavelength_m: float, seed: int, slope: str = "") -> F32:
    """One octave of noise with mean 0 and standard deviation about 1.

    Cubic B-spline over a lattice of hashed numbers; separable, so a window costs four row passes.

    Args:
        x_m: Column positions, (x,).
        y_m: Row positions, (y,).
        wavelength_m: Distance of lattice nodes.
        seed: Seed of the field.
        slope: ``x`` or ``y`` for the derivative along that axis [1/m], empty for the value.

    Returns:
        The field, (y, x).
    """
    across = _Taps.of(x_m, wavelength_m=wavelength_m, slope=slope == "x")
    down = _Taps.of(y_m, wavelength_m=wavelength_m, slope=slope == "y")
    rows = across.blend_columns(_lattice(down.nodes(), across.nodes(), seed=seed))
    rows *= np.float32(1.0 / LATTICE_STD)
    return down.blend_rows(rows)


def fractal(x_m: F64, y_m: F64, *, wavelength_m: float, octaves: int, seed: int, slope: str = "") -> F32:
    """Octaves of ``smooth``, each of half the wavelength and half the height of the one before; see ``smooth``."""
    total = smooth(x_m, y_m, wavelength_m=wavelength_m, seed=seed, slope=slope)
    for k in range(1, octaves):
        part = smooth(x_m, y_m, wavelength_m=wavelength_m / 2**k, seed=seed + 7919 * k, slope=slope)
        part *= np.float32(0.5**k)
        total += part
    total *= np.float32(1.0 / sum(0.25**k for k in range(octaves)) ** 0.5)
    return total


def line(s_m: F64, *, wavelength_m: float, octaves: int, seed: int) -> F64:
    """Fractal noise along one axis, (n,), mean 0 and standard deviation about 1."""
    total = np.zeros(s_m.shape)
    for k in range(octaves):
        taps = _Taps.of(s_m, wavelength_m=wavelength_m / 2**k)
        nodes = taps.nodes()
        values = unit(hashed(nodes, np.zeros_like(nodes), seed=seed + 104729 * (k + 1))) * 2.0 - 1.0
        index = taps.first - nodes[0]
        total += 0.5**k / LATTICE_STD_1D * sum(values[index + j] * taps.weights[j].astype(np.float64) for j in range(4))
    return total
