"""Tiles by name: those of Sentinel-2, which are squares of 100 km of the military grid (MGRS) and 9.8 km more."""

import re
from math import ceil
from typing import Final

import numpy as np

from swath.errors import ConfigError
from swath.grid import Grid
from swath.mapping import project

#: Side of a tile [m]; its corner is on multiples of 60 m from the equator, which all of the sensor's pixels share.
_SIDE_M: Final = 109_800
_STEP_M: Final = 60
_SQUARE_M: Final = 100_000
_NAME: Final = re.compile(r"T?(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")
_BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS: Final = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS: Final = "ABCDEFGHJKLMNPQRSTUV"
#: Row letters come again after so many metres.
_CYCLE_M: Final = 2_000_000


def mgrs_tile(name: str, *, resolution_m: float) -> Grid:
    """The grid of a Sentinel-2 tile (``33UUP``, ``T33UUP``).

    The letters of squares are those of the WGS 84 scheme: columns run on through zones, rows begin with A in odd zones and
    with F in even ones (NGA.STND.0037, 2014).

    Args:
        name: Zone, latitude band, column and row.
        resolution_m: Pixel size; a whole number of pixels must fill the tile.

    Raises:
        ConfigError: There is no such tile, or the pixels do not fill it.
    """
    match = _NAME.fullmatch(name.strip().upper())
    zone = int(match[1]) if match else 0
    columns = _COLUMNS[zone % 3]
    if match is None or not 1 <= zone <= 60 or match[3] not in columns:
        msg = f"grid: {name!r} is not a tile: expected zone, latitude band and the two letters of a 100 km square, as in 33UUP"
        raise ConfigError(msg)
    pixels = _SIDE_M / resolution_m
    if abs(pixels - round(pixels)) > 1e-9 * pixels:
        msg = f"grid: pixels of {resolution_m:g} m do not fill a tile of {_SIDE_M} m; 10, 20, 30, 60 and 100 do"
        raise ConfigError(msg)
    south = match[2] < "N"
    crs = f"EPSG:{(32700 if south else 32600) + zone}"
    west = (columns.index(match[3]) + 1) * _SQUARE_M
    north = _northing(match[4], zone=zone, band=match[2], name=name) + _SQUARE_M
    # Steps are counted from the equator, which is at 10,000 km in southern zones.
    equator = 10_000_000 if south else 0
    return Grid(
        crs=crs, left=float(west // _STEP_M * _STEP_M), top=float(equator + ceil((north - equator) / _STEP_M) * _STEP_M),
        dx=resolution_m, dy=resolution_m, width=round(pixels), height=round(pixels),
    )  # fmt: skip


def _northing(letter: str, *, zone: int, band: str, name: str) -> int:
    """Southern edge of a row of squares [m]: the one of its letter that meets the latitude band."""
    first = (_ROWS.index(letter) - (5 if zone % 2 == 0 else 0)) % len(_ROWS) * _SQUARE_M
    low = -80.0 + 8.0 * _BANDS.index(band)
    high = low + (12.0 if band == "X" else 8.0)
    longitude = zone * 6.0 - 183.0
    crs = f"EPSG:{(32700 if band < 'N' else 32600) + zone}"
    _, edges = project(
        np.array([longitude, longitude, longitude + 3.0]), np.array([low, high, high]), source="EPSG:4326", target=crs
    )
    for turn in range(6):
        south = first + turn * _CYCLE_M
        # A square more on both sides: the outermost tiles reach beyond the bands (01CDL ends at 80.1 degrees south).
        if south + 2 * _SQUARE_M > edges.min() and south - _SQUARE_M < edges.max():
            return south
    msg = f"grid: {name!r} is not a tile: row {letter} does not meet the latitude band {band}"
    raise ConfigError(msg)
