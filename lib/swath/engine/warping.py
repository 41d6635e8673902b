"""Layers on other grids: which kernel, which part of the source, and the move itself. Neither depends on any cut."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from swath.algo.position_lattice import PositionLattice
from swath.algo.resample import nearest, resample
from swath.algo.resample import source_window as resampled_window
from swath.algo.warp import MARGIN_PX, Image, Sampling, Warped, pooled, sampled
from swath.engine.raw_lattice import RawLattice
from swath.engine.terrain import Ring, mapping_to, ring_of
from swath.errors import GeometryError
from swath.grid import Grid, Window
from swath.inputs import RasterSource
from swath.mapping import Places, ProjectedMapping, pixels_across
from swath.pipeline import Layer, WarpKernel
from swath.readers.rpc.mapping import RpcMapping

#: Raised when warping gives other pixels.
WARP_VERSION: Final = 1
#: From so many source pixels along a target pixel on, values are averaged.
_COARSER: Final = 1.5
_POOLING: Final = ("average", "mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """One input of one call: the grid and the window it is wanted on, and how it comes there where that is not the usual way.

    Args:
        grid: The grid.
        window: Window of it.
        kernel: Kernel that brings the layer to the grid.
        dem: The elevation that places in a raw image depend on.
    """

    grid: Grid
    window: Window
    kernel: WarpKernel | None = None
    dem: RasterSource | None = None


def is_warp(source: Grid, target: Grid, *, kernel: WarpKernel | None = None) -> bool:
    """Whether a move is more than averaging or interpolating along rows and columns."""
    return kernel is not None or source.crs != target.crs or not (source.upright and target.upright)


def kernel_of(source: Grid, target: Grid, *, asked: WarpKernel | None, codes: bool) -> WarpKernel:
    """The kernel of a move: what was asked, but for values that come to a coarser grid, which are averaged.

    Args:
        source: The layer's grid.
        target: Window that receives the layer.
        asked: The kernel that is wanted; None for nearest of bits and classes, and bilinear of values.
        codes: Whether the layer is bits or classes.
    """
    if codes:
        return asked or "nearest"
    coarser = max(pixels_across(target, source)) > _COARSER
    return "average" if coarser and asked != "nearest" else asked or "bilinear"


def part_needed(source: Grid, want: Want) -> Window:
    """The part of a layer that a move reads.

    Raises:
        GeometryError: The grids do not meet anywhere.
    """
    if not is_warp(source, want.grid, kernel=want.kernel):
        return resampled_window(source, target=want.grid, window=want.window)
    # Codes are known by their pixels alone; the widest margin fits every kernel.
    return lattice_of(source, want.grid, want.dem).source_window(want.window, margin_px=max(MARGIN_PX.values()))


def moved(layer: Layer, want: Want) -> Layer:
    """A layer on another grid. Bits and classes keep their values; physical values are averaged or interpolated."""
    codes = layer.table is None and np.issubdtype(layer.values.dtype, np.integer)
    if is_warp(layer.grid, want.grid, kernel=want.kernel):
        return _warped(layer, want, kernel=kernel_of(layer.grid, want.grid, asked=want.kernel, codes=codes))
    if codes:
        values = nearest(layer.values, layer.window, source=layer.grid, target=want.grid, window=want.window)
        usable = nearest(layer.usable, layer.window, source=layer.grid, target=want.grid, window=want.window)
        return Layer(values=values, grid=want.grid, window=want.window, valid=usable.astype(np.bool_))
    found = resample(layer.physical, layer.window, source=layer.grid, target=want.grid, window=want.window)
    return Layer(values=found, grid=want.grid, window=want.window, valid=np.isfinite(found))


def _warped(layer: Layer, want: Want, *, kernel: WarpKernel) -> Layer:
    if layer.table is not None and kernel == "nearest":
        coded = _coded(layer, want)
        if coded is not None:
            return coded
    values = layer.values if layer.table is None else layer.physical
    if kernel not in {"nearest", "mode"}:
        values = values.astype(np.float64, copy=False)
    usable = layer.usable if layer.table is None else np.isfinite(values)
    found = _run(layer, want, values=values, valid=usable, kernel=kernel)
    if np.issubdtype(found.values.dtype, np.floating):
        found.values[~found.valid] = np.nan
    return Layer(values=found.values, grid=want.grid, window=want.window, valid=found.valid)


def _coded(layer: Layer, want: Want) -> Layer | None:
    """A coded layer with its table, picked; None when some target pixel has no source and no code means that."""
    table = layer.table
    if table is None:
        return None
    found = _run(layer, want, values=layer.values, valid=None, kernel="nearest")
    if not found.valid.all():
        lost = np.flatnonzero(np.isnan(table))
        if not lost.size:
            return None
        found.values[~found.valid] = lost[0]
    return Layer(values=found.values, grid=want.grid, window=want.window, table=table)


def _run(layer: Layer, want: Want, *, values: NDArray[np.generic], valid: NDArray[np.bool_] | None, kernel: WarpKernel) -> Warped:
    image = Image(values=values, valid=valid, window=layer.window, size=(layer.grid.height, layer.grid.width))
    lattice = lattice_of(layer.grid, want.grid, want.dem)
    if kernel in _POOLING:
        columns, rows = lattice.corners(want.window)
        return pooled(image, columns=columns, rows=rows, kernel=kernel)
    columns, rows = centres(lattice, want.window, exact_at_edges=kernel == "nearest")
    return sampled(image, columns=columns, rows=rows, kernel=cast("Sampling", kernel))


@lru_cache(maxsize=2)
def centres(lattice: PositionLattice | RawLattice, window: Window, *, exact_at_edges: bool) -> Places:
    """As the lattice has them; kept, because the bands of a scene share their grids. They must not be changed."""
    return lattice.centres(window, exact_at_edges=exact_at_edges)


@lru_cache(maxsize=64)
def lattice_of(source: Grid, target: Grid, dem: RasterSource | None = None) -> PositionLattice | RawLattice:
    """Places of a grid's pixels on another grid.

    Raises:
        GeometryError: A coordinate system is unknown, or the grids do not meet anywhere.
    """
    mapping = mapping_to(source, crs=target.crs, dem=dem)
    over = _over(source, target) if dem is None else _over_raw(ring_of(source, dem=dem), target)
    if over is None:
        raise GeometryError(
            "a band does not cover the product's grid",
            expected=f"an overlap with {target.bounds} in {target.crs[:60]}",
            got=f"bounds {source.bounds} in {source.crs[:60]}",
            remedy="Check that all bands of the scene belong together.",
        )
    if isinstance(mapping, RpcMapping):
        return RawLattice.of(mapping, grid=target, over=over)
    return PositionLattice.of(mapping, grid=target, over=over)


def _over_raw(ring: Ring, target: Grid) -> Window | None:
    """The part of a grid that a raw image covers; None where they do not meet."""
    return _within(ProjectedMapping(crs=ring.crs, source=target).locate(ring.x, ring.y), target)


def _over(source: Grid, target: Grid) -> Window | None:
    """The part of a grid that another covers, about; None where they do not meet."""
    back = ProjectedMapping(crs=source.crs, source=target)
    steps = np.linspace(0.0, 1.0, 33)
    down, across = steps[:, None] * source.height, steps[None, :] * source.width
    x = source.left + across * source.dx + down * source.rx
    y = source.top + across * source.ry - down * source.dy
    return _within(back.locate(x.ravel(), y.ravel()), target)


def _within(places: Places, target: Grid) -> Window | None:
    columns, rows = places
    if not np.isfinite(columns).any():
        return None
    low, high = (int(np.floor(np.nanmin(p))) for p in (rows, columns))
    row, col = max(low, 0), max(high, 0)
    row_stop = min(int(np.ceil(np.nanmax(rows))), target.height)
    col_stop = min(int(np.ceil(np.nanmax(columns))), target.width)
    return Window(row, col, row_stop - row, col_stop - col) if row < row_stop and col < col_stop else None
