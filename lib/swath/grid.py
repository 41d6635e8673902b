"""Grids, and windows on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, hypot, isfinite
from typing import Any, Self

from swath.errors import GeometryError
from swath.plain import plain_of

#: A pixel edge closer than this to a whole pixel counts as whole [px]; transforms carry rounding noise.
EDGE_TOLERANCE_PX = 1e-6
#: Begins the coordinate system of grids of raw images: see ``swath.algo.raw_image``.
RAW = "RPC00B "


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
            ValueError: The windows do not intersect.
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
    """A raster grid: ``x = left + dx col + rx row``, ``y = top + ry col - dy row``.

    What swath makes is upright; deliveries may be rotated, or have their first row in the south.

    Args:
        crs: ``EPSG:<code>`` where there is one, otherwise WKT; of a raw image its model.
        left: x of the outer corner of the first pixel, CRS units.
        top: y of that corner, CRS units.
        dx: Width of a pixel, CRS units; > 0 on upright grids.
        dy: Height of a pixel, CRS units; > 0 on upright grids, whose rows go south.
        width: Columns.
        height: Rows.
        rx: Change of x from one row to the next, CRS units; 0 on upright grids.
        ry: Change of y from one column to the next, CRS units; 0 on upright grids.

    Raises:
        GeometryError: A number is not finite, pixels have no area, or there is no CRS.
    """

    crs: str
    left: float
    top: float
    dx: float
    dy: float
    width: int
    height: int
    rx: float = 0.0
    ry: float = 0.0

    def __post_init__(self) -> None:
        """Refuse grids that cannot be."""
        if not self.crs:
            raise GeometryError("the raster has no coordinate reference system", remedy="Georeference the delivery.")
        numbers = (self.left, self.top, self.dx, self.dy, self.rx, self.ry)
        flat = self.dx * self.dy + self.rx * self.ry == 0
        if not all(isfinite(n) for n in numbers) or flat or min(self.width, self.height) <= 0:
            raise GeometryError(
                "the raster's grid is unusable",
                expected="finite numbers and pixels with an area",
                got=f"origin ({self.left}, {self.top}), pixel ({self.dx}, {self.dy}), shear ({self.rx}, {self.ry}), "
                f"size {self.width} x {self.height}",
                remedy="Georeference the raster again.",
            )

    @classmethod
    def from_transform(cls, transform: tuple[float, ...], *, crs: str, width: int, height: int) -> Self:
        """Build from the six affine numbers (a, b, c, d, e, f) of ``x = a col + b row + c``, ``y = d col + e row + f``.

        A shear that moves no corner by ``EDGE_TOLERANCE_PX`` is rounding noise, and left out.

        Raises:
            GeometryError: A number is not finite, or pixels have no area.
        """
        a, b, c, d, e, f = transform[:6]
        if abs(b) * height <= EDGE_TOLERANCE_PX * abs(a) and abs(d) * width <= EDGE_TOLERANCE_PX * abs(e):
            b, d = 0.0, 0.0
        return cls(crs=crs, left=c, top=f, dx=a, dy=-e, width=width, height=height, rx=b, ry=d)

    def to_plain(self) -> dict[str, Any]:
        """JSON-able; upright grids do not mention shear."""
        plain: dict[str, Any] = plain_of(self)
        return plain if self.rx or self.ry else {k: v for k, v in plain.items() if k not in ("rx", "ry")}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        return cls(**plain)

    @property
    def raw(self) -> bool:
        """Whether this is a raw image, whose places on the ground depend on the elevation."""
        return self.crs.startswith(RAW)

    @property
    def upright(self) -> bool:
        """Whether columns go east and rows go south."""
        return self.rx == 0.0 and self.ry == 0.0 and self.dx > 0 and self.dy > 0

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """The six affine numbers (a, b, c, d, e, f)."""
        return (self.dx, self.rx, self.left, self.ry, -self.dy, self.top)

    @property
    def resolution_m(self) -> float:
        """Length of a pixel along its row; metres for the projected grids that scenes come in."""
        return self.dx if self.upright else hypot(self.dx, self.ry)

    @property
    def window(self) -> Window:
        """All of the grid."""
        return Window(0, 0, self.height, self.width)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in CRS units; of a rotated grid those of the box around it."""
        return self.extent_of(self.window)

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """(x, y) of the outer corners in CRS units: of the first pixel, then down, along the last row, and up."""
        ends = ((0, 0), (0, self.height), (self.width, self.height), (self.width, 0))
        return tuple((self.left + c * self.dx + r * self.rx, self.top + c * self.ry - r * self.dy) for c, r in ends)

    def extent_of(self, window: Window) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of a window in CRS units; of a rotated grid those of the box around it."""
        if self.upright:
            return (
                self.left + window.col * self.dx,
                self.top - window.row_stop * self.dy,
                self.left + window.col_stop * self.dx,
                self.top - window.row * self.dy,
            )
        corners = [(c, r) for c in (window.col, window.col_stop) for r in (window.row, window.row_stop)]
        xs = [self.left + c * self.dx + r * self.rx for c, r in corners]
        ys = [self.top + c * self.ry - r * self.dy for c, r in corners]
        return (min(xs), min(ys), max(xs), max(ys))

    def pixels_of(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Columns and rows [px] of places in CRS units, numbers or arrays of any one shape."""
        if self.rx == 0.0 and self.ry == 0.0:
            return (x - self.left) / self.dx, (self.top - y) / self.dy
        area = self.dx * self.dy + self.rx * self.ry
        east, south = x - self.left, self.top - y
        return (east * self.dy - south * self.rx) / area, (south * self.dx + east * self.ry) / area

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
        places = [self.pixels_of(x, y) for x in (left, right) for y in (top, bottom)]
        cols, rows = [c for c, _ in places], [r for _, r in places]
        col = floor(min(cols) + EDGE_TOLERANCE_PX) - halo_px
        col_stop = ceil(max(cols) - EDGE_TOLERANCE_PX) + halo_px
        row = floor(min(rows) + EDGE_TOLERANCE_PX) - halo_px
        row_stop = ceil(max(rows) - EDGE_TOLERANCE_PX) + halo_px
        return (row, row_stop), (col, col_stop)

    def same_as(self, other: "Grid") -> bool:
        """Whether both name the same pixels, up to rounding noise of a transform."""
        if (self.crs, self.width, self.height) != (other.crs, other.width, other.height):
            return False
        corners = ((0, 0), (self.width, self.height), (self.width, 0))
        places = [(g.left + c * g.dx + r * g.rx, g.top + c * g.ry - r * g.dy) for g in (self, other) for c, r in corners]
        gaps = [abs(a - b) for one, two in zip(places[:3], places[3:], strict=True) for a, b in zip(one, two, strict=True)]
        return max(gaps) <= EDGE_TOLERANCE_PX * self.resolution_m * 100
