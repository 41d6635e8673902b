"""Grids, and windows on them."""

from dataclasses import dataclass
from math import ceil, floor, isfinite
from typing import Self

from swath.errors import GeometryError

#: A pixel edge closer than this to a whole pixel counts as whole [px]; transforms carry rounding noise.
EDGE_TOLERANCE_PX = 1e-6


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A rectangle of pixels: rows ``row .. row + height``, columns ``col .. col + width``."""

    row: int
    col: int
    height: int
    width: int

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a window without pixels."""
        if self.height <= 0 or self.width <= 0:
            msg = f"a window needs pixels, got {self.height} x {self.width}"
            raise ValueError(msg)

    @property
    def row_stop(self) -> int:
        """First row below the window."""
        return self.row + self.height

    @property
    def col_stop(self) -> int:
        """First column right of the window."""
        return self.col + self.width

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return (self.height, self.width)

    def pad(self, margin: int) -> "Window":
        """The window with ``margin`` pixels more on each side; may leave the grid."""
        return Window(self.row - margin, self.col - margin, self.height + 2 * margin, self.width + 2 * margin)

    def clip(self, other: "Window") -> "Window":
        """The part inside ``other``.

        Raises:
            ValueError: They do not meet.
        """
        row, col = max(self.row, other.row), max(self.col, other.col)
        return Window(row, col, min(self.row_stop, other.row_stop) - row, min(self.col_stop, other.col_stop) - col)

    def contains(self, other: "Window") -> bool:
        """Whether ``other`` is wholly inside."""
        return (
            self.row <= other.row
            and self.col <= other.col
            and other.row_stop <= self.row_stop
            and other.col_stop <= self.col_stop
        )

    def slices_of(self, part: "Window") -> tuple[slice, slice]:
        """Index of ``part`` within an array that holds this window."""
        return (
            slice(part.row - self.row, part.row_stop - self.row),
            slice(part.col - self.col, part.col_stop - self.col),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A north-up raster grid.

    Args:
        crs: ``EPSG:<code>`` where there is one, otherwise WKT.
        left: x of the left edge of the first column, CRS units.
        top: y of the top edge of the first row, CRS units.
        dx: Width of a pixel, CRS units, > 0.
        dy: Height of a pixel, CRS units, > 0 (rows go south).
        width: Columns.
        height: Rows.

    Raises:
        GeometryError: A number is not finite or not positive, or there is no CRS.
    """

    crs: str
    left: float
    top: float
    dx: float
    dy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse grids that cannot be."""
        if not self.crs:
            raise GeometryError("the raster has no coordinate reference system", remedy="Georeference the delivery.")
        numbers = (self.left, self.top, self.dx, self.dy)
        if not all(isfinite(n) for n in numbers) or self.dx <= 0 or self.dy <= 0 or min(self.width, self.height) <= 0:
            raise GeometryError(
                "the raster's grid is unusable",
                expected="a north-up grid with positive pixel sizes",
                got=f"origin ({self.left}, {self.top}), pixel ({self.dx}, {self.dy}), size {self.width} x {self.height}",
                remedy="Warp the raster to a north-up grid.",
            )

    @classmethod
    def from_transform(cls, transform: tuple[float, ...], *, crs: str, width: int, height: int) -> Self:
        """Build from the six affine numbers (a, b, c, d, e, f) of ``x = a col + b row + c``, ``y = d col + e row + f``.

        Raises:
            GeometryError: The grid is rotated or south-up.
        """
        a, b, c, d, e, f = transform[:6]
        if b or d:
            raise GeometryError(
                "the raster is rotated", expected="a north-up grid", got=f"shear ({b}, {d})", remedy="Warp it first."
            )
        return cls(crs=crs, left=c, top=f, dx=a, dy=-e, width=width, height=height)

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """The six affine numbers (a, b, c, d, e, f)."""
        return (self.dx, 0.0, self.left, 0.0, -self.dy, self.top)

    @property
    def resolution_m(self) -> float:
        """Pixel width; metres for the projected grids that scenes come in."""
        return self.dx

    @property
    def window(self) -> Window:
        """All of the grid."""
        return Window(0, 0, self.height, self.width)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in CRS units."""
        return (self.left, self.top - self.height * self.dy, self.left + self.width * self.dx, self.top)

    def extent_of(self, window: Window) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of a window in CRS units."""
        return (
            self.left + window.col * self.dx,
            self.top - window.row_stop * self.dy,
            self.left + window.col_stop * self.dx,
            self.top - window.row * self.dy,
        )

    def covering(self, extent: tuple[float, float, float, float], *, halo_px: int = 0) -> Window:
        """The window that covers a map extent, rounded outwards, with a halo, clipped to the grid.

        Raises:
            GeometryError: The extent does not meet the grid.
        """
        rows, cols = self._edges(extent, halo_px=halo_px)
        row, col = max(rows[0], 0), max(cols[0], 0)
        row_stop, col_stop = min(rows[1], self.height), min(cols[1], self.width)
        if row >= row_stop or col >= col_stop:
            raise GeometryError(
                "a band does not cover the product's grid",
                expected=f"an overlap with {extent}",
                got=f"bounds {self.bounds}",
                remedy="Check that all bands of the scene belong together.",
            )
        return Window(row, col, row_stop - row, col_stop - col)

    def nearest(self, extent: tuple[float, float, float, float], *, halo_px: int = 0) -> Window:
        """As ``covering``; for an extent beyond the grid's edge, the pixels at that edge.

        Pieces of a scene need not meet a band that the scene as a whole does meet.
        """
        rows, cols = self._edges(extent, halo_px=halo_px)
        row, col = (min(max(e[0], 0), size - 1) for e, size in ((rows, self.height), (cols, self.width)))
        row_stop, col_stop = max(min(rows[1], self.height), row + 1), max(min(cols[1], self.width), col + 1)
        return Window(row, col, row_stop - row, col_stop - col)

    def _edges(self, extent: tuple[float, float, float, float], *, halo_px: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last edge of the rows, and of the columns, that an extent touches; they may lie beyond the grid."""
        left, bottom, right, top = extent
        col = floor((left - self.left) / self.dx + EDGE_TOLERANCE_PX) - halo_px
        col_stop = ceil((right - self.left) / self.dx - EDGE_TOLERANCE_PX) + halo_px
        row = floor((self.top - top) / self.dy + EDGE_TOLERANCE_PX) - halo_px
        row_stop = ceil((self.top - bottom) / self.dy - EDGE_TOLERANCE_PX) + halo_px
        return (row, row_stop), (col, col_stop)

    def same_as(self, other: "Grid") -> bool:
        """Whether both name the same pixels, up to rounding noise of a transform."""
        if (self.crs, self.width, self.height) != (other.crs, other.width, other.height):
            return False
        edges = (self.left - other.left, self.top - other.top)
        ends = (self.bounds[2] - other.bounds[2], self.bounds[1] - other.bounds[1])
        return all(abs(d) <= EDGE_TOLERANCE_PX * self.dx * 100 for d in (*edges, *ends))
