"""Resampling between grids of one CRS, defined on the grids, never on the windows that happen to be in memory.

Each target pixel's weights come from absolute map coordinates and are summed in a fixed order, so a pixel has the same
bits in whatever window it is computed. A target pixel whose centre is outside the source has no weight: nothing was
measured there.
"""

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from swath.algo.taps import Taps
from swath.errors import GeometryError
from swath.grid import EDGE_TOLERANCE_PX, Grid, Window

Kernel = Literal["average", "bilinear", "nearest"]
#: Source pixels that each kernel may touch beyond the target's extent.
MARGIN_PX: Final[Mapping["Kernel", int]] = {"average": 0, "bilinear": 1, "nearest": 0}
#: A target pixel is valid when at least this share of its weight fell on valid source pixels.
VALID_SHARE = 0.5


def kernel_for(source: Grid, target: Grid) -> Kernel:
    """Area average where the target is coarser, bilinear where it is finer or shifted."""
    return "average" if target.dx > source.dx * (1 + EDGE_TOLERANCE_PX) else "bilinear"


def source_window(source: Grid, *, target: Grid, window: Window) -> Window:
    """The window of ``source`` that resampling onto ``window`` of ``target`` reads.

    Raises:
        GeometryError: The grids have different CRS, or do not meet anywhere.
    """
    if source.crs != target.crs:
        raise GeometryError(
            "two bands of a scene have different coordinate systems",
            expected=target.crs,
            got=source.crs,
            remedy="Warp the bands to one system.",
        )
    source.covering(target.bounds)
    return source.nearest(target.extent_of(window), halo_px=MARGIN_PX[kernel_for(source, target)])


def _edges(*, start: int, count: int, step: float, shift: float) -> NDArray[np.float64]:
    """Edges of target pixels in source pixel units; the positions are absolute, so windows cannot move them."""
    edges = shift + np.arange(start, start + count + 1, dtype=np.float64) * step
    near = np.rint(edges)
    return np.where(np.abs(edges - near) < EDGE_TOLERANCE_PX * 100, near, edges)


def _inside(edges: NDArray[np.float64], *, size: int) -> NDArray[np.bool_]:
    """Whether the centre of each target pixel is on the source, (n,); of two pixels that share an edge the later one has it."""
    centre = (edges[:-1] + edges[1:]) / 2
    return np.asarray((centre >= -EDGE_TOLERANCE_PX) & (centre < size - EDGE_TOLERANCE_PX))


def _average_taps(edges: NDArray[np.float64], *, size: int) -> Taps:
    low, high = edges[:-1], edges[1:]
    first = np.floor(low).astype(np.int64)
    taps = int(np.max(np.ceil(high).astype(np.int64) - first))
    index = first[None, :] + np.arange(taps, dtype=np.int64)[:, None]
    weight = np.minimum(high, index + 1.0) - np.maximum(low, index)
    weight = np.where((index >= 0) & (index < size), np.maximum(weight, 0.0), 0.0)
    return Taps(np.clip(index, 0, size - 1), weight * _inside(edges, size=size))


def _bilinear_taps(edges: NDArray[np.float64], *, size: int) -> Taps:
    centre = (edges[:-1] + edges[1:]) / 2 - 0.5
    first = np.floor(centre)
    share = centre - first
    index = np.stack([first, first + 1]).astype(np.int64)
    return Taps(np.clip(index, 0, size - 1), np.stack([1 - share, share]) * _inside(edges, size=size))


def _nearest_taps(edges: NDArray[np.float64], *, size: int) -> Taps:
    index = np.floor((edges[:-1] + edges[1:]) / 2).astype(np.int64)[None, :]
    return Taps(np.clip(index, 0, size - 1), _inside(edges, size=size)[None, :].astype(np.float64))


_TAPS = {"average": _average_taps, "bilinear": _bilinear_taps, "nearest": _nearest_taps}


def taps_of(source: Grid, *, target: Grid, window: Window, kernel: Kernel) -> tuple[Taps, Taps]:
    """Row and column taps, with indices on the whole source grid."""
    make = _TAPS[kernel]
    rows = _edges(start=window.row, count=window.height, step=target.dy / source.dy, shift=(source.top - target.top) / source.dy)
    cols = _edges(start=window.col, count=window.width, step=target.dx / source.dx, shift=(target.left - source.left) / source.dx)
    return make(rows, size=source.height), make(cols, size=source.width)


def nearest(values: NDArray[np.generic], have: Window, *, source: Grid, target: Grid, window: Window) -> NDArray[np.generic]:
    """Pick the source pixel under each target pixel's centre.

    Args:
        values: Source pixels of the window ``have``, (y, x), any type.
        have: Window of ``source`` that the values cover.
        source: Grid.
        target: The grid to go to.
        window: The window of it to fill.

    Returns:
        (y, x) of ``window``, same type; 0 (or False) where a centre is outside the source.
    """
    rows, cols = taps_of(source, target=target, window=window, kernel="nearest")
    y, x = _within(rows.index[0] - have.row, values.shape[0]), _within(cols.index[0] - have.col, values.shape[1])
    picked = values[np.ix_(y, x)]
    picked[rows.weight[0] == 0.0, :] = 0
    picked[:, cols.weight[0] == 0.0] = 0
    return picked


def resample(values: NDArray[np.float64], have: Window, *, source: Grid, target: Grid, window: Window) -> NDArray[np.float64]:
    """Average or bilinear resampling of physical values, ignoring NaN.

    Args:
        values: Source pixels of the window ``have``, (y, x), float64, NaN where invalid.
        have: Window of ``source`` that the values cover; at least ``source_window``.
        source: Grid.
        target: The grid to go to.
        window: The window of it to fill.

    Returns:
        (y, x) of ``window``; NaN where less than ``VALID_SHARE`` of the weight was valid, and outside the source.
    """
    rows, cols = taps_of(source, target=target, window=window, kernel=kernel_for(source, target))
    usable = np.isfinite(values)
    whole = bool(usable.all())
    filled = values if whole else np.where(usable, values, 0.0)
    sums = _apply(filled, have, rows=rows, cols=cols)
    if whole:
        with np.errstate(invalid="ignore"):
            mean: NDArray[np.float64] = sums / _full(rows, cols)
        return mean
    weights = _apply(usable.astype(np.float64), have, rows=rows, cols=cols)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weights >= VALID_SHARE * _full(rows, cols), sums / weights, np.nan)


def _full(rows: Taps, cols: Taps) -> NDArray[np.float64]:
    """The weight that the source gives each target pixel, (y, x)."""
    full: NDArray[np.float64] = rows.weight.sum(axis=0)[:, None] * cols.weight.sum(axis=0)[None, :]
    return full


def _within(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Indices of pixels in memory; an index of weight 0 may be outside."""
    return np.clip(index, 0, size - 1)


def _apply(values: NDArray[np.float64], have: Window, *, rows: Taps, cols: Taps) -> NDArray[np.float64]:
    # Columns first: then the row taps run over contiguous memory. Fixed tap order keeps the sums reproducible.
    wide = np.zeros((values.shape[0], cols.index.shape[1]))
    for index, weight in zip(cols.index, cols.weight, strict=True):
        wide += values[:, _within(index - have.col, values.shape[1])] * weight
    out = np.zeros((rows.index.shape[1], wide.shape[1]))
    for index, weight in zip(rows.index, rows.weight, strict=True):
        out += wide[_within(index - have.row, values.shape[0])] * weight[:, None]
    return out
