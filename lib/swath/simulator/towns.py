"""Towns with streets, villages, and the roads between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, hypot, sin

import numpy as np
from numpy.typing import NDArray

from swath.simulator.noise import F32, F64, hashed, smooth, unit

#: Size of the cell that holds one settlement [m].
CELL_M = 6_500.0
#: The town of the demo: east and north of the world's origin, and radius [m].
TOWN_HOME_M = (8_300.0, -6_700.0, 1_450.0)
#: A settlement reaches at most this much past its radius [m].
SPRAWL_M = 500.0
ROAD_HALF_WIDTH_M = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """One settlement: centre [m from the world's origin], radius [m], direction of the streets [rad]."""

    x_m: float
    y_m: float
    radius_m: float
    turn_rad: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What people built, (y, x).

    Args:
        urban: True where the ground is built-up.
        road: True on country roads.
        mix: 0 asphalt .. 1 bright roofs, where either is True.
        green: 0..1, share of gardens and trees within built-up ground.
    """

    urban: NDArray[np.bool_]
    road: NDArray[np.bool_]
    mix: F32
    green: F32


def town_of_cell(column: int, row: int, *, seed: int) -> Town:
    """The settlement of one cell; the home town sits in its own cell."""
    cell = np.array([column]), np.array([row])
    draws = [float(unit(hashed(*cell, seed=seed + 60 + k))[0]) for k in range(4)]
    home_x, home_y, home_radius = TOWN_HOME_M
    number = int(hashed(*cell, seed=seed + 66)[0]) & 0xFFFF
    if (column, row) == (home_x // CELL_M, home_y // CELL_M):
        return Town(x_m=home_x, y_m=home_y, radius_m=home_radius, turn_rad=0.35, number=number)
    radius = 240.0 + 900.0 * draws[2] ** 3
    return Town(
        x_m=(column + 0.2 + 0.6 * draws[0]) * CELL_M,
        y_m=(row + 0.2 + 0.6 * draws[1]) * CELL_M,
        radius_m=radius,
        turn_rad=1.5 * draws[3],
        number=number,
    )


def built(x_m: F64, y_m: F64, *, seed: int, dry: NDArray[np.bool_]) -> Built:
    """Build on the dry ground of columns ``x_m`` and rows ``y_m`` [m from the world's origin]."""
    shape = (y_m.size, x_m.size)
    canvas = Built(
        urban=np.zeros(shape, np.bool_),
        road=np.zeros(shape, np.bool_),
        mix=np.zeros(shape, np.float32),
        green=np.zeros(shape, np.float32),
    )
    bend = smooth(x_m, y_m, wavelength_m=1900.0, seed=seed + 70) * np.float32(130.0)
    ragged = smooth(x_m, y_m, wavelength_m=420.0, seed=seed + 71)
    for start, end in _roads(x_m, y_m, seed=seed):
        _draw_road(canvas, start, end, x_m=x_m, y_m=y_m, bend=bend)
    for town in _towns_near(x_m, y_m, seed=seed):
        _draw_town(canvas, town, x_m=x_m, y_m=y_m, ragged=ragged)
    canvas.urban[...] &= dry
    canvas.road[...] &= dry
    return canvas


def _cells(x_m: F64, y_m: F64, *, reach_m: float) -> Iterator[tuple[int, int]]:
    for row in range(int((y_m.min() - reach_m) // CELL_M), int((y_m.max() + reach_m) // CELL_M) + 1):
        for column in range(int((x_m.min() - reach_m) // CELL_M), int((x_m.max() + reach_m) // CELL_M) + 1):
            yield column, row


def _towns_near(x_m: F64, y_m: F64, *, seed: int) -> Iterator[Town]:
    for column, row in _cells(x_m, y_m, reach_m=2 * CELL_M):
        yield town_of_cell(column, row, seed=seed)


def _roads(x_m: F64, y_m: F64, *, seed: int) -> Iterator[tuple[Town, Town]]:
    """Roads from each settlement to its eastern and southern neighbour."""
    for column, row in _cells(x_m, y_m, reach_m=2 * CELL_M):
        here = town_of_cell(column, row, seed=seed)
        yield here, town_of_cell(column + 1, row, seed=seed)
        if here.number % 4:
            yield here, town_of_cell(column, row - 1, seed=seed)


def _part(x_m: F64, y_m: F64, *, bounds: tuple[float, float, float, float]) -> tuple[slice, slice] | None:
    """The rows and columns within (left, bottom, right, top); rows run south."""
    left, bottom, right, top = bounds
    columns = slice(int(np.searchsorted(x_m, left)), int(np.searchsorted(x_m, right)))
    rows = slice(int(np.searchsorted(-y_m, -top)), int(np.searchsorted(-y_m, -bottom)))
    return None if columns.start >= columns.stop or rows.start >= rows.stop else (rows, columns)


def _draw_road(canvas: Built, start: Town, end: Town, *, x_m: F64, y_m: F64, bend: F32) -> None:
    margin = 700.0
    part = _part(
        x_m,
        y_m,
        bounds=(
            min(start.x_m, end.x_m) - margin,
            min(start.y_m, end.y_m) - margin,
            max(start.x_m, end.x_m) + margin,
            max(start.y_m, end.y_m) + margin,
        ),
    )
    if part is None:
        return
    rows, columns = part
    length = hypot(end.x_m - start.x_m, end.y_m - start.y_m)
    east, north = (end.x_m - start.x_m) / length, (end.y_m - start.y_m) / length
    dx = (x_m[columns] - start.x_m).astype(np.float32)[None, :]
    dy = (y_m[rows] - start.y_m).astype(np.float32)[:, None]
    along = dx * np.float32(east) + dy * np.float32(north)
    off = dy * np.float32(east) - dx * np.float32(north) + bend[part]
    # The bend moves roads sideways, so they may miss a town's centre; its streets take them up.
    hit = (np.abs(off) < ROAD_HALF_WIDTH_M) & (along > 0.0) & (along < length)
    canvas.road[part] |= hit


def _draw_town(canvas: Built, town: Town, *, x_m: F64, y_m: F64, ragged: F32) -> None:
    reach = town.radius_m + SPRAWL_M
    part = _part(x_m, y_m, bounds=(town.x_m - reach, town.y_m - reach, town.x_m + reach, town.y_m + reach))
    if part is None:
        return
    rows, columns = part
    dx = (x_m[columns] - town.x_m).astype(np.float32)[None, :]
    dy = (y_m[rows] - town.y_m).astype(np.float32)[:, None]
    depth = np.float32(town.radius_m) - np.sqrt(dx * dx + dy * dy)
    depth += ragged[part] * np.float32(min(0.35 * town.radius_m, 190.0))
    inside = depth > 0.0
    c, s = np.float32(cos(town.turn_rad)), np.float32(sin(town.turn_rad))
    u, v = dx * c + dy * s, dy * c - dx * s
    # Two grids of streets: avenues and, between them, lanes.
    column, row = np.floor(u / 150.0), np.floor(v / 95.0)
    in_u, in_v = u - column * 150.0, v - row * 95.0
    street = (in_u < 15.0) | (in_v < 12.0)
    house = hashed(np.floor(u / 25.0), np.floor(v / 19.0), seed=town.number)
    block = unit(hashed(column, row, seed=town.number + 1))
    roof = np.float32(0.25) + np.float32(0.5) * unit(house) + np.float32(0.3) * block
    centre = np.clip(depth / np.float32(town.radius_m), 0.0, 1.0)
    garden = np.clip(np.float32(0.62) - np.float32(0.62) * centre, 0.0, 1.0) * (unit(house * np.uint32(5)) < 0.7)
    garden = np.where(block > 0.94, np.float32(0.75), garden)
    canvas.mix[part] = np.where(inside, np.where(street, np.float32(0.05), roof), canvas.mix[part])
    canvas.green[part] = np.where(inside, np.where(street, np.float32(0.0), garden), canvas.green[part])
    canvas.urban[part] |= inside
