"""How a product is cut: strips for tasks, pieces for memory. No pixel may depend on it."""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from swath.algo.overviews import BLOCK
from swath.errors import ConfigError
from swath.grid import Grid

#: Rows of a strip at the reference resolution, where the user does not say.
DEFAULT_ROWS = 3072
#: Rows of a piece at the reference resolution, at most (or the smallest that all grids can be cut at).
PIECE_ROWS = 256
_LARGEST_DENOMINATOR = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Strips and pieces of a product.

    Args:
        reference: The grid that rows are counted on.
        grids: Of all assets.
        strip_rows: Rows of a strip.
        piece_rows: Rows of a piece.
    """

    reference: Grid
    strip_rows: int
    piece_rows: int

    @property
    def strips(self) -> int:
        """How many."""
        return -(-self.reference.height // self.strip_rows)

    def strip(self, number: int) -> tuple[int, int]:
        """(start, stop) in reference rows."""
        start = number * self.strip_rows
        return start, min(start + self.strip_rows, self.reference.height)

    def pieces(self, number: int) -> list[tuple[int, int]]:
        """(start, stop) of each piece of a strip, in reference rows."""
        start, stop = self.strip(number)
        return [(row, min(row + self.piece_rows, stop)) for row in range(start, stop, self.piece_rows)]

    def rows_on(self, grid: Grid, rows: tuple[int, int]) -> tuple[int, int]:
        """Reference rows on another grid; the last reference row stands for that grid's last row."""
        return self._row_on(grid, rows[0]), self._row_on(grid, rows[1])

    def _row_on(self, grid: Grid, row: int) -> int:
        if row >= self.reference.height:
            return grid.height
        ratio = ratio_of(self.reference, grid)
        if ratio is None:
            return 0
        return min(int(row * ratio), grid.height)


def ratio_of(reference: Grid, grid: Grid) -> Fraction | None:
    """Rows of ``grid`` for one reference row, when the two line up within a pixel; None when they do not."""
    ratio = Fraction(reference.dy / grid.dy).limit_denominator(_LARGEST_DENOMINATOR)
    exact = abs(float(ratio) - reference.dy / grid.dy) <= 1e-9 * float(ratio)
    near = abs(reference.height * ratio - grid.height) <= max(float(ratio), 1.0)
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


def cut(reference: Grid, grids: tuple[Grid, ...], *, rows: int | None, split: bool = True, piece_rows: int | None = None) -> Cut:
    """Choose strips and pieces.

    Args:
        reference: The grid that rows are counted on.
        grids: Of all assets.
        rows: The strip height that the user asks for, or None.
        split: False makes the whole scene one strip (more scenes than cores).
        piece_rows: Rows of a piece, or None for ``PIECE_ROWS``; rounded down to where all grids can be cut.

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
        return Cut(reference=reference, strip_rows=whole, piece_rows=whole)
    strip = rows if rows is not None else max(DEFAULT_ROWS // unit, 1) * unit if split else whole
    step = lcm(*[Fraction(ratio_of(reference, g) or 1).denominator for g in grids])
    return Cut(reference=reference, strip_rows=min(strip, whole), piece_rows=max((piece_rows or PIECE_ROWS) // step, 1) * step)
