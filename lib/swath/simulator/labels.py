"""Labelled polygons of the simulated land cover: what an interpreter would draw for training a model."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import transform

from swath.grid import Grid, Window
from swath.simulator.forward import centres
from swath.simulator.landcover import LAND_COVER, LandCover
from swath.simulator.landscape import Landscape
from swath.simulator.noise import F32, F64

#: Truth is sampled this densely [m] to find places for polygons.
SAMPLE_M: Final = 20.0
#: Polygons lie within squares of this many samples that are nearly all of one class, tried in this order.
SIDES: Final = (11, 9, 7, 5)
PURE: Final = 0.96
CORNERS: Final = 7
#: Kinds that each class is divided into, by where they lie between its extremes.
KINDS: Final = 5

#: True where a polygon may lie: columns and rows [map coordinates, m] -> (y, x).
Allowed = Callable[[F64, F64], NDArray[np.bool_]]


def write_labels(path: Path, *, landscape: Landscape, grid: Grid, allowed: Allowed, per_class: int = 25) -> Path:
    """Write GeoJSON (RFC 7946) with up to ``per_class`` polygons of every class; properties ``class`` and ``code``.

    Args:
        path: The file.
        landscape: The truth.
        grid: Polygons lie within its bounds.
        allowed: Pixels that may carry labels, for example those that are free of clouds in all scenes.
        per_class: Polygons wanted of each class; fewer where the class is rare.
    """
    sampled = Grid(
        crs=grid.crs, left=grid.left, top=grid.top, dx=SAMPLE_M, dy=SAMPLE_M,
        width=int(grid.width * grid.dx // SAMPLE_M), height=int(grid.height * grid.dy // SAMPLE_M),
    )  # fmt: skip
    code, mix = _truth(sampled, landscape=landscape)
    code[~allowed(*centres(sampled, sampled.window))] = 0
    draws = np.random.default_rng(landscape.seed)
    features = [
        _feature(cover, place=place, side=side, grid=sampled, draws=draws)
        for cover in LAND_COVER
        for place, side in _places(code == cover.code, mix=mix, wanted=per_class, draws=draws)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection) + "\n", encoding="utf-8")
    return path


def _truth(grid: Grid, *, landscape: Landscape) -> tuple[NDArray[np.uint8], F32]:
    """Class codes, and where each place is between the extremes of its class, (y, x)."""
    rows = range(0, grid.height, 64)
    windows = [Window(r, 0, min(64, grid.height - r), grid.width) for r in rows]
    grounds = [landscape.ground(*centres(grid, w)) for w in windows]
    return np.concatenate([g.code for g in grounds]), np.concatenate([g.mix for g in grounds])


def _places(
    member: NDArray[np.bool_], *, mix: F32, wanted: int, draws: np.random.Generator
) -> Iterator[tuple[tuple[int, int], int]]:
    """Upper left samples of pure squares that do not touch, and their sides, scattered over the scene.

    The kinds within a class take turns, however rare they are: shallow water beside the deep sea, say.
    """
    taken = np.zeros(member.shape, np.bool_)
    found = 0
    for side in SIDES:
        rows, columns = np.nonzero(_share(member, side=side) >= PURE)
        kind = np.floor(mix[rows + side // 2, columns + side // 2] * KINDS).astype(np.int64)
        for i in _in_turns(kind, draws=draws):
            if found >= wanted:
                return
            row, column = int(rows[i]), int(columns[i])
            square = (slice(max(row - 3, 0), row + side + 3), slice(max(column - 3, 0), column + side + 3))
            if not taken[square].any():
                taken[square] = True
                found += 1
                yield (row, column), side


def _in_turns(kind: NDArray[np.int64], *, draws: np.random.Generator) -> NDArray[np.int64]:
    """All positions, shuffled, so that one of each kind comes, then the second of each, and so on."""
    shuffled = draws.permutation(kind.size)
    by_kind = shuffled[np.argsort(kind[shuffled], kind="stable")]
    ordered = kind[by_kind]
    turn = np.arange(kind.size) - np.searchsorted(ordered, ordered)
    return by_kind[np.lexsort((ordered, turn))]


def _share(member: NDArray[np.bool_], *, side: int) -> F64:
    """Share of members in the square whose upper left sample is here, by a table of sums."""
    sums = np.zeros((member.shape[0] + 1, member.shape[1] + 1))
    sums[1:, 1:] = member.cumsum(axis=0).cumsum(axis=1)
    total: F64 = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return total / (side * side)


def _feature(cover: LandCover, *, place: tuple[int, int], side: int, grid: Grid, draws: np.random.Generator) -> dict[str, Any]:
    """A polygon with a few corners inside the square, counter-clockwise."""
    half = side * SAMPLE_M / 2
    x0, y0 = grid.left + place[1] * SAMPLE_M + half, grid.top - place[0] * SAMPLE_M - half
    turns = 2 * np.pi * (np.arange(CORNERS) + draws.uniform(-0.3, 0.3, CORNERS)) / CORNERS
    # The square's inner circle, a little less or up to the square's side where the corner points to its corners.
    reach = (half - SAMPLE_M / 2) * draws.uniform(0.85, 1.0, CORNERS)
    x, y = x0 + reach * np.cos(turns), y0 + reach * np.sin(turns)
    longitudes, latitudes = transform(grid.crs, "EPSG:4326", x.tolist(), y.tolist())[:2]
    ring = [[round(lon, 7), round(lat, 7)] for lon, lat in zip(longitudes, latitudes, strict=True)]
    return {
        "type": "Feature",
        "properties": {"class": cover.name, "code": cover.code},
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    }
