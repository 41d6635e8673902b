"""How a product is cut: strips for tasks, pieces for memory. No pixel may depend on it."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log2

from swath.algo.overviews import BLOCK
from swath.engine.frame import Frame, ratios
from swath.errors import ConfigError
from swath.grid import Grid, Window

#: Rows of a strip on the frame, where the user does not say.
DEFAULT_ROWS = 3072
#: Rows and columns of a piece on the frame: whole blocks of what is written there, and whole JPEG 2000 tiles.
PIECE = (1024, 1024)
#: The same where bands are read over a network: wide ones take fewer, longer reads.
FAR_PIECE = (512, 4096)
#: Pixels of the finest layer along a pixel of the frame that pieces are made for: Landsat's pan has two. Beyond, they shrink.
_FINEST = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Strips and pieces of a product.

    Args:
        frame: Frame that strips are counted on.
        strip_rows: Rows of a strip.
        piece: Rows and columns of a piece.
    """

    frame: Frame
    strip_rows: int
    piece: tuple[int, int]

    @property
    def strips(self) -> int:
        """Number of strips."""
        return -(-self.frame.grid.height // self.strip_rows)

    def strip(self, number: int) -> tuple[int, int]:
        """(start, stop) in rows of the frame."""
        start = number * self.strip_rows
        return start, min(start + self.strip_rows, self.frame.grid.height)

    def pieces(self, number: int) -> list[Window]:
        """The pieces of a strip on the frame, from left to right, then down."""
        start, stop = self.strip(number)
        rows, columns = self.piece
        width = self.frame.grid.width
        return [
            Window(row, col, min(rows, stop - row), min(columns, width - col))
            for row in range(start, stop, rows)
            for col in range(0, width, columns)
        ]

    def rows_on(self, grid: Grid, rows: tuple[int, int]) -> tuple[int, int]:
        """Rows of the frame on another grid: all rows of the frame together are all of the grid."""
        start, stop = (self._row_on(grid, r) for r in rows)
        return start, stop

    def window_on(self, grid: Grid, piece: Window) -> Window | None:
        """A piece on another grid, or None where it has no pixel of that: all pieces together are all of the grid."""
        top, bottom = self.rows_on(grid, (piece.row, piece.row_stop))
        left, right = (self._column_on(grid, c) for c in (piece.col, piece.col_stop))
        return Window(top, left, bottom - top, right - left) if bottom > top and right > left else None

    def _row_on(self, grid: Grid, row: int) -> int:
        frame = self.frame.grid
        found = ratios(frame, grid)
        if found is not None:
            return _whole(row, found[0], here=frame.height, there=grid.height)
        if row % self.strip_rows == 0 or row >= frame.height:
            return self._strip_row_on(grid, row)
        number = row // self.strip_rows
        first, last = (self._strip_row_on(grid, r) for r in self.strip(number))
        return min(max(round((grid.top - frame.top + row * frame.dy) / grid.dy), first), last)

    def _strip_row_on(self, grid: Grid, row: int) -> int:
        """Where a strip begins on a grid that does not line up: at the nearest edge of the grid's own blocks."""
        frame = self.frame.grid
        if row <= 0 or row >= frame.height:
            return 0 if row <= 0 else grid.height
        near = (grid.top - frame.top + row * frame.dy) / grid.dy
        return min(max(round(near / BLOCK) * BLOCK, 0), grid.height)

    def _column_on(self, grid: Grid, column: int) -> int:
        frame = self.frame.grid
        found = ratios(frame, grid)
        if found is not None:
            return _whole(column, found[1], here=frame.width, there=grid.width)
        if column <= 0 or column >= frame.width:
            return 0 if column <= 0 else grid.width
        # An odd column: a writer of blocks must not take the first window for one of whole blocks when the next is not.
        return min(max(round((frame.left + column * frame.dx - grid.left) / grid.dx) | 1, 0), grid.width)


def _whole(position: int, ratio: Fraction, *, here: int, there: int) -> int:
    """A position on a grid that lines up; the frame's end is that grid's end."""
    return there if position >= here else min(int(position * ratio), there)


def cut(frame: Frame, *, rows: int | None, split: bool = True, piece: tuple[int, int] | None = None) -> Cut:
    """Choose strips and pieces.

    Args:
        frame: Frame that strips are counted on.
        rows: The strip height that the user asks for, or None.
        split: False makes the whole product one strip (more scenes than cores).
        piece: Rows and columns of a piece, or None for ``PIECE``; smaller where some layer is much finer than the frame.

    Raises:
        ConfigError: The height is not legal; the message names the legal ones.
    """
    unit, whole = frame.unit, frame.grid.height
    if rows is not None and rows < whole and (rows <= 0 or rows % unit):
        legal = f"multiples of {unit}, or {whole} (the whole scene)"
        msg = f"a strip height of {rows} rows would cut a block of some asset; legal here: {legal}"
        raise ConfigError(msg)
    strip = min(rows if rows is not None else max(DEFAULT_ROWS // unit, 1) * unit if split else whole, whole)
    halvings = max(ceil(log2(frame.finest / _FINEST)), 0)
    high, wide = (max(side >> halvings, 1) for side in piece or PIECE)
    return Cut(frame=frame, strip_rows=strip, piece=(min(high, strip), min(wide, frame.grid.width)))
