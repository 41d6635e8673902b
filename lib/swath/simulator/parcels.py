"""Farmland: blocks of land cut into strips, each strip one field with its own crop."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.simulator.noise import F32, F64, U32, fractal, hashed, smooth, unit

#: Length and width of a block of fields [m].
BLOCK_M = (900.0, 620.0)
#: Directions of the ploughing, one for each farming district [deg].
DIRECTIONS_DEG = (12.0, -31.0, 52.0)
#: Most strips that a block is cut into.
MOST_STRIPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcels:
    """Fields, (y, x).

    Args:
        identity: 32 random bits, the same all over a field.
        block: 32 random bits, the same all over a block of fields.
        edge_m: Distance to the nearest side of the field [m].
        block_edge_m: Distance to the nearest side of the block [m].
    """

    identity: U32
    block: U32
    edge_m: F32
    block_edge_m: F32


def parcels(x_m: F64, y_m: F64, *, seed: int) -> Parcels:
    """Cut the land into fields on columns ``x_m`` and rows ``y_m`` [m from the world's origin]."""
    district = _districts(x_m, y_m, seed=seed)
    along, over = _turned(x_m, y_m, district=district, seed=seed)
    (length, width) = (np.float32(v) for v in BLOCK_M)
    column, row = np.floor(along / length), np.floor(over / width)
    along -= column * length
    over -= row * width
    number = column.astype(np.int32) * np.int32(3) + district
    block = hashed(number, row.astype(np.int32), seed=seed + 45)
    across = (block & np.uint32(1)).astype(np.bool_)
    strips = (np.uint32(1) + (block >> np.uint32(1)) % np.uint32(MOST_STRIPS)).astype(np.float32)
    place = np.where(across, along, over)
    step = np.where(across, length, width) / strips
    strip = np.floor(place / step)
    inside = place - strip * step
    block_edge = np.minimum(np.minimum(along, length - along), np.minimum(over, width - over))
    edge = np.minimum(block_edge, np.minimum(inside, step - inside))
    identity = hashed(block.view(np.int32), strip.astype(np.int32), seed=seed + 46)
    return Parcels(identity=identity, block=block, edge_m=edge, block_edge_m=block_edge)


def _districts(x_m: F64, y_m: F64, *, seed: int) -> NDArray[np.int32]:
    field = smooth(x_m, y_m, wavelength_m=5200.0, seed=seed + 41)
    return (field > -0.45).astype(np.int32) + (field > 0.45).astype(np.int32)


def _turned(x_m: F64, y_m: F64, *, district: NDArray[np.int32], seed: int) -> tuple[F32, F32]:
    """Coordinates along and over the furrows [m], slightly bent as old field borders are."""
    turn = np.deg2rad(np.array(DIRECTIONS_DEG))
    cosine, sine = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)
    bent_x = fractal(x_m, y_m, wavelength_m=2600.0, octaves=2, seed=seed + 42) * np.float32(110.0)
    bent_y = fractal(x_m, y_m, wavelength_m=2600.0, octaves=2, seed=seed + 43) * np.float32(110.0)
    bent_x += x_m.astype(np.float32)[None, :]
    bent_y += y_m.astype(np.float32)[:, None]
    c, s = cosine[district], sine[district]
    return bent_x * c + bent_y * s, bent_y * c - bent_x * s


def share(bits: U32, *, salt: int) -> F32:
    """A uniform number in [0, 1) for every field or block; another ``salt``, another number."""
    return unit((bits ^ np.uint32(salt * 0x9E3779B1 & 0xFFFFFFFF)) * np.uint32(0x2C1B3C6D))
