"""Places in an image for every pixel of a grid, interpolated between the nodes of a lattice that is anchored on the grid.

Nodes are every ``spacing`` pixels from the grid's first edge, so what a pixel gets depends on where it is on the grid alone:
any cut of the grid gives the same bits. The spacing is the widest that keeps the error of the interpolation, measured over
the grid, below ``FINE_PX``, or else below ``TOLERANCE_PX``; a mapping that is too crooked for that is evaluated at every pixel.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled
from swath.grid import Grid, Window
from swath.mapping import Mapping, Places

#: Most that a place may be off for the interpolation [px], and what is aimed at as long as nodes are ``_CHEAP`` pixels apart.
TOLERANCE_PX: Final = 1e-2
FINE_PX: Final = 1e-4
_CHEAP: Final = 8
#: Pixels between nodes that are tried, from wide to narrow.
SPACINGS: Final = (64, 32, 16, 8, 4, 2)
#: Cells a side that are looked at to measure the error.
_CELLS: Final = 24
#: Represents no lattice: the mapping is evaluated at every pixel.
EXACT: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLattice:
    """Places of the pixels of ``grid`` in the image of ``mapping``.

    Args:
        mapping: Mapping from the grid's map to the image.
        grid: The output grid.
        spacing: Pixels between nodes; ``EXACT`` evaluates the mapping at every pixel.
        error_px: Most that interpolation was found to be off [px].
    """

    mapping: Mapping
    grid: Grid
    spacing: int
    error_px: float = 0.0

    @classmethod
    def of(cls, mapping: Mapping, *, grid: Grid, over: Window | None = None) -> Self:
        """The lattice of the widest spacing that is fine enough.

        Args:
            mapping: Mapping from the grid's map to the image.
            grid: The output grid.
            over: The part of the grid where the image is; None for all of it.
        """
        errors = {s: error_px(mapping, grid=grid, spacing=s, over=over or grid.window) for s in SPACINGS}
        for limit, closest in ((FINE_PX, _CHEAP), (10.0 * FINE_PX, _CHEAP), (TOLERANCE_PX, 0)):
            fine = [s for s in SPACINGS if errors[s] <= limit and s >= closest]
            if fine:
                return cls(mapping=mapping, grid=grid, spacing=fine[0], error_px=errors[fine[0]])
        return cls(mapping=mapping, grid=grid, spacing=EXACT)

    def centres(self, window: Window, *, exact_at_edges: bool = False) -> Places:
        """Columns and rows of the centres of a window's pixels, (y, x).

        Args:
            window: Window of the grid.
            exact_at_edges: Whether places so close to an edge of the image's pixels that interpolation might put them on the
                other side are those of the mapping itself: what nearest needs.
        """
        columns, rows = self._at(window, count=window.shape, shift=0.5)
        if exact_at_edges and self.spacing != EXACT:
            # Cells between those that were looked at may be a little worse.
            margin = 4.0 * self.error_px + 1e-6
            near = (np.abs(columns - np.rint(columns)) < margin) | (np.abs(rows - np.rint(rows)) < margin)
            self._exact(columns, rows, at=near, window=window, shift=0.5)
        return columns, rows

    def corners(self, window: Window) -> Places:
        """Columns and rows of the corners of a window's pixels, (y + 1, x + 1)."""
        return self._at(window, count=(window.height + 1, window.width + 1), shift=0.0)

    def source_window(self, window: Window, *, margin_px: int) -> Window:
        """The part of the image that a window of the grid needs; where they do not meet, one pixel at the image's edge.

        Args:
            window: Window of the grid.
            margin_px: Pixels around a place that the kernel touches.
        """
        columns, rows = self._nodes(window)[:2] if self.spacing != EXACT else self.corners(window)
        if np.isnan(columns).any():
            columns, rows = self.corners(window)
        height, width = self.mapping.size
        if np.isnan(columns).all():
            return Window(0, 0, 1, 1)
        row, row_stop = _span(rows, margin=margin_px + 1, size=height)
        col, col_stop = _span(columns, margin=margin_px + 1, size=width)
        return Window(row, col, row_stop - row, col_stop - col)

    def _at(self, window: Window, *, count: tuple[int, int], shift: float) -> Places:
        columns, rows = np.empty(count), np.empty(count)
        if self.spacing == EXACT:
            self._exact(columns, rows, at=np.ones(count, dtype=np.bool_), window=window, shift=shift)
            return columns, rows
        node_columns, node_rows, first_row, first_col = self._nodes(window)
        along = (np.arange(window.row, window.row + count[0]) + shift) / self.spacing - first_row
        across = (np.arange(window.col, window.col + count[1]) + shift) / self.spacing - first_col
        spread(node_columns, along, across, columns)
        spread(node_rows, along, across, rows)
        lost = np.isnan(columns)
        if lost.any():
            self._exact(columns, rows, at=lost, window=window, shift=shift)
        return columns, rows

    def _nodes(self, window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64], int, int]:
        """Places of the nodes around a window, (row node, column node), and the ordinals of the first."""
        first_row, first_col = window.row // self.spacing, window.col // self.spacing
        # One node more than the last corner needs: the interpolation asks for the next one even with no share of it.
        down = np.arange(first_row, window.row_stop // self.spacing + 2, dtype=np.float64) * self.spacing
        right = np.arange(first_col, window.col_stop // self.spacing + 2, dtype=np.float64) * self.spacing
        columns, rows = located(self.mapping, self.grid, columns=right[None, :], rows=down[:, None])
        return columns, rows, first_row, first_col

    def _exact(
        self, columns: NDArray[np.float64], rows: NDArray[np.float64], *, at: NDArray[np.bool_], window: Window, shift: float
    ) -> None:
        """Put the mapping's own places where ``at`` is True."""
        down, right = (index.astype(np.float64) for index in np.nonzero(at))
        found = located(self.mapping, self.grid, columns=right + (window.col + shift), rows=down + (window.row + shift))
        columns[at], rows[at] = found


def located(mapping: Mapping, grid: Grid, *, columns: NDArray[np.float64], rows: NDArray[np.float64]) -> Places:
    """Places in the image of places on the grid [px], each evaluated by the mapping itself; the shapes are broadcast."""
    x, y = np.broadcast_arrays(grid.left + columns * grid.dx + rows * grid.rx, grid.top + columns * grid.ry - rows * grid.dy)
    return mapping.locate(np.ascontiguousarray(x), np.ascontiguousarray(y))


def error_px(mapping: Mapping, *, grid: Grid, spacing: int, over: Window) -> float:
    """The most that interpolation between nodes is off [px], over cells spread over a window; 0 where the mapping has no place.

    Args:
        mapping: Mapping from the grid's map to the image.
        grid: The output grid.
        spacing: Pixels between nodes.
        over: Window of the grid.
    """
    down = spread_cells(over.row, over.row_stop, spacing=spacing)
    right = spread_cells(over.col, over.col_stop, spacing=spacing)
    # Corners, middles of edges and the middle of each cell: (row cell, 3, column cell, 3).
    steps = np.array([0.0, 0.5, 1.0])
    rows = ((down[:, None] + steps) * spacing).reshape(-1, 1)
    columns = ((right[:, None] + steps) * spacing).reshape(1, -1)
    worst = 0.0
    for places in located(mapping, grid, columns=columns, rows=rows):
        cells = places.reshape(len(down), 3, len(right), 3)
        between = cells[:, ::2].mean(axis=1, keepdims=True)
        off = [cells[:, 1:2] - between, cells[:, :, :, 1:2] - cells[:, :, :, ::2].mean(axis=3, keepdims=True)]
        off.append(cells[:, 1:2, :, 1:2] - between[:, :, :, ::2].mean(axis=3, keepdims=True))
        worst = max(worst, *(float(np.nanmax(np.abs(o), initial=0.0)) for o in off))
    return worst


def spread_cells(start: int, stop: int, *, spacing: int, cells: int = _CELLS) -> NDArray[np.float64]:
    """Ordinals of up to ``cells`` cells of a lattice, spread evenly over the pixels ``start .. stop`` of one axis."""
    first, last = start // spacing, max((stop - 1) // spacing, start // spacing)
    return np.unique(np.linspace(first, last, cells).astype(np.int64)).astype(np.float64)


def _span(places: NDArray[np.float64], *, margin: int, size: int) -> tuple[int, int]:
    """First and last edge of the pixels around places, clipped to the image."""
    low, high = np.floor(np.nanmin(places)) - margin, np.ceil(np.nanmax(places)) + margin
    start = int(min(max(low, 0), size - 1))
    return start, int(max(min(high, size), start + 1))


@compiled
def spread(  # noqa: PLR0917 (compiled functions take positions)
    nodes: NDArray[np.float64], along: NDArray[np.float64], across: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Interpolate bilinearly between nodes, (row node, column node), at places counted in nodes; fills (y, x)."""
    line = np.empty(nodes.shape[1])
    for y in range(out.shape[0]):
        i = int(along[y])
        down = along[y] - i
        for k in range(line.size):
            line[k] = nodes[i, k] + (nodes[i + 1, k] - nodes[i, k]) * down
        for x in range(out.shape[1]):
            j = int(across[x])
            out[y, x] = line[j] + (line[j + 1] - line[j]) * (across[x] - j)
