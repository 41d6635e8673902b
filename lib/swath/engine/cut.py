"""How a product is cut: strips for tasks, pieces for memory. No pixel may depend on it."""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from swath.algo.overviews import BLOCK
from swath.errors import ConfigError
from swath.grid import Grid, Window

#: Rows of a strip at the reference resolution, where the user does not say.
DEFAULT_ROWS = 3072
#: Rows and columns of a piece at the reference resolution: whole blocks of what is written there, and whole JPEG 2000 tiles.
PIECE = (1024, 1024)
#: The same where bands are read over a network: wide ones take fewer, longer reads.
FAR_PIECE = (512, 4096)
_LARGEST_DENOMINATOR = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Strips and pieces of a product.

    Args:
        reference: The grid that rows are counted on.
        grids: Grids of all assets.
        strip_rows: Rows of a strip.
        piece: Rows and columns of a piece.
    """

    reference: Grid
    strip_rows: int
    piece: tuple[int, int]

    @property
    def strips(self) -> int:
        """How many."""
        return -(-self.reference.height // self.strip_rows)

    def strip(self, number: int) -> tuple[int, int]:
        """(start, stop) in reference rows."""
        start = number * self.strip_rows
        return start, min(start + self.strip_rows, self.reference.height)

    def pieces(self, number: int) -> list[Window]:
        """The pieces of a strip on the reference grid, from left to right, then down."""
        start, stop = self.strip(number)
        rows, columns = self.piece
        return [
            Window(row, col, min(rows, stop - row), min(columns, self.reference.width - col))
            for row in range(start, stop, rows)
            for col in range(0, self.reference.width, columns)
        ]

    def rows_on(self, grid: Grid, rows: tuple[int, int]) -> tuple[int, int]:
        """Reference rows on another grid; the last reference row stands for that grid's last row."""
        start, stop = (_on(r, ratio_of(self.reference, grid), here=self.reference.height, there=grid.height) for r in rows)
        return start, stop

    def window_on(self, grid: Grid, piece: Window) -> Window | None:
        """A piece on another grid, or None where it has no pixel of that: all pieces together are all of the grid."""
        top, bottom = self.rows_on(grid, (piece.row, piece.row_stop))
        ratio = columns_ratio_of(self.reference, grid)
        edges = (piece.col, piece.col_stop)
        left, right = (_on(c, ratio, here=self.reference.width, there=grid.width) for c in edges)
        return Window(top, left, bottom - top, right - left) if bottom > top and right > left else None


def _on(position: int, ratio: Fraction | None, *, here: int, there: int) -> int:
    if position >= here:
        return there
    return min(int(position * ratio), there) if ratio is not None else 0


def ratio_of(reference: Grid, grid: Grid) -> Fraction | None:
    """Rows of ``grid`` for one reference row, when the two line up within a pixel; None when they do not."""
    return _ratio(reference.dy / grid.dy, here=reference.height, there=grid.height)


def columns_ratio_of(reference: Grid, grid: Grid) -> Fraction | None:
    """As ``ratio_of``, of columns."""
    return _ratio(reference.dx / grid.dx, here=reference.width, there=grid.width)


def _ratio(pixels: float, *, here: int, there: int) -> Fraction | None:
    ratio = Fraction(pixels).limit_denominator(_LARGEST_DENOMINATOR)
    exact = abs(float(ratio) - pixels) <= 1e-9 * float(ratio)
    near = abs(here * ratio - there) <= max(float(ratio), 1.0)
    return ratio if exact and near else None


def legal_unit(reference: Grid, grids: tuple[Grid, ...]) -> int | None:
    """Strip heights are multiples of this many reference rows, so that each asset keeps whole blocks.

    None: the grids do not line up, and only the whole scene is a legal strip.
    """
    ratios = [ratio_of(reference, g) for g in grids]
    if any(r is None for r in ratios):
        return None
    # The smallest h with h * ratio a multiple of BLOCK for every ratio.
    return lcm(*[(BLOCK / Fraction(r)).numerator for r in ratios if r is not None])


def cut(
    reference: Grid,
    grids: tuple[Grid, ...],
    *,
    rows: int | None,
    split: bool = True,
    piece: tuple[int, int] | None = None,
) -> Cut:
    """Choose strips and pieces.

    Args:
        reference: The grid that rows are counted on.
        grids: Grids of all assets.
        rows: The strip height that the user asks for, or None.
        split: False makes the whole scene one strip (more scenes than cores).
        piece: Rows and columns of a piece, or None for ``PIECE``.

    Raises:
        ConfigError: The height is not legal; the message names the legal ones.
    """
    unit = legal_unit(reference, grids)
    whole = reference.height
    if rows is not None and rows < whole and (unit is None or rows <= 0 or rows % unit):
        legal = "only the whole scene" if unit is None else f"multiples of {unit}, or {whole} (the whole scene)"
        msg = f"a strip height of {rows} rows would cut a block of some asset; legal here: {legal}"
        raise ConfigError(msg)
    if unit is None:
        return Cut(reference=reference, strip_rows=whole, piece=(whole, reference.width))
    strip = rows if rows is not None else max(DEFAULT_ROWS // unit, 1) * unit if split else whole
    high, wide = piece or PIECE
    if any(columns_ratio_of(reference, g) is None for g in grids):
        wide = reference.width
    strip = min(strip, whole)
    return Cut(reference=reference, strip_rows=strip, piece=(min(high, strip), min(wide, reference.width)))
