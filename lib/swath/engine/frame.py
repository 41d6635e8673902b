"""The grid that a product is cut on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Self

from swath.algo.overviews import BLOCK
from swath.errors import GeometryError
from swath.grid import EDGE_TOLERANCE_PX, Grid
from swath.mapping import pixels_across

_LARGEST_DENOMINATOR = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The grid that strips and pieces are counted on, beside the grids of what is written.

    A grid *lines up* when its pixels are a simple fraction or multiple of the frame's and its edges are within a pixel of the
    frame's edges, as with the bands of one delivery: rows and columns of it are then whole multiples. All others are cut by
    map extent, at blocks of their own.

    Args:
        grid: Upright; it covers every grid that is written.
        grids: Grids of what is written or pictured.
        finest: Most pixels of any layer along a side of a pixel of the frame, at least 1.
    """

    grid: Grid
    grids: tuple[Grid, ...]
    finest: float = 1.0

    @classmethod
    def around(cls, reference: Grid, *, grids: Iterable[Grid], layers: Iterable[Grid] = ()) -> Self:
        """The reference itself, or its pixels over the extent of all grids where one goes beyond it.

        Args:
            reference: Grid that rows are counted on.
            grids: Grids of what is written or pictured, in the reference's coordinate system.
            layers: Layers of everything else that is read or made on the way, in any system.

        Raises:
            GeometryError: A grid that is written is in another coordinate system.
        """
        written = tuple(dict.fromkeys(grids))
        for other in written:
            _check_system(reference, other)
        beyond = [g for g in written if _beyond(reference, g)]
        grid = _extended(reference, over=beyond) if beyond else reference
        finest = max([1.0, *(max(pixels_across(grid, g)) for g in dict.fromkeys([*written, *layers]))])
        return cls(grid=grid, grids=written, finest=finest)

    @property
    def unit(self) -> int:
        """Strip heights are multiples of this many rows, so that each grid that lines up keeps whole blocks."""
        found = [r[0] for g in self.grids if (r := ratios(self.grid, g)) is not None]
        # The smallest h with h * ratio a multiple of BLOCK for every ratio.
        return lcm(BLOCK if not found else 1, *[(BLOCK / Fraction(r)).numerator for r in found])


def _check_system(reference: Grid, grid: Grid) -> None:
    if grid.crs != reference.crs:
        raise GeometryError(
            "assets of one product are in different coordinate systems",
            expected=reference.crs[:60],
            got=grid.crs[:60],
            remedy="Name a grid in the pipeline: all assets are warped onto it.",
        )


def _beyond(reference: Grid, grid: Grid) -> bool:
    """Whether a grid goes beyond another by more than a pixel of the coarser."""
    dx, dy = max(reference.dx, grid.dx), max(reference.dy, grid.dy)
    (left, bottom, right, top), (west, south, east, north) = reference.bounds, grid.bounds
    slack = 1.0 + EDGE_TOLERANCE_PX
    return max(left - west, east - right) > dx * slack or max(bottom - south, north - top) > dy * slack


def ratios(frame: Grid, grid: Grid) -> tuple[Fraction, Fraction] | None:
    """Rows and columns of ``grid`` for one of ``frame`` when the two line up; None when they do not."""
    within = max(frame.dx, grid.dx), max(frame.dy, grid.dy), max(frame.dx, grid.dx), max(frame.dy, grid.dy)
    gaps = [abs(a - b) / limit for a, b, limit in zip(frame.bounds, grid.bounds, within, strict=True)]
    if frame.crs != grid.crs or not grid.upright or max(gaps) > 1.0 + EDGE_TOLERANCE_PX:
        return None
    down, across = _simple(frame.dy / grid.dy), _simple(frame.dx / grid.dx)
    return (down, across) if down is not None and across is not None else None


def _simple(pixels: float) -> Fraction | None:
    ratio = Fraction(pixels).limit_denominator(_LARGEST_DENOMINATOR)
    return ratio if ratio and abs(float(ratio) - pixels) <= 1e-9 * float(ratio) else None


def _extended(reference: Grid, *, over: Iterable[Grid]) -> Grid:
    """The reference's pixels over the extent of it and of other grids."""
    boxes = [g.bounds for g in (reference, *over)]
    west, north = min(b[0] for b in boxes), max(b[3] for b in boxes)
    east, south = max(b[2] for b in boxes), min(b[1] for b in boxes)
    left = floor((west - reference.left) / reference.dx + EDGE_TOLERANCE_PX)
    up = floor((reference.top - north) / reference.dy + EDGE_TOLERANCE_PX)
    return replace(
        reference,
        left=reference.left + left * reference.dx,
        top=reference.top - up * reference.dy,
        width=ceil((east - reference.left) / reference.dx - EDGE_TOLERANCE_PX) - left,
        height=ceil((reference.top - south) / reference.dy - EDGE_TOLERANCE_PX) - up,
    )
