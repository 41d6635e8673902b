"""Warping: pixels of an image at places that a mapping gives, by one of five kernels.

Places are columns and rows of the whole image, counted in pixels from its first edge: the centre of the first pixel is 0.5.
Every weight comes from the place itself and is summed in a fixed order, so a target pixel has the same bits whatever part
of the image is in memory. No kernel takes a share of an invalid pixel, nor of what is outside the image.

``sampled`` (nearest, bilinear, cubic) takes the centres of target pixels. Its result is valid where the image's pixel under
the centre is, so that all three kernels give the same valid pixels, which are those of gdalwarp. ``pooled`` (average, mode)
takes the corners of target pixels, and its result is valid where at least half of what the image covers of it is valid.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from swath.algo.warp_kernels import Rectangles, average, bilinear, mode, nearest, sharpen
from swath.grid import Window

#: The same names as ``pipeline.WarpKernel``, by what they take.
Sampling = Literal["nearest", "bilinear", "cubic"]
Pooling = Literal["average", "mode"]
#: Pixels of the image around a place (``sampled``) or around a target pixel (``pooled``) that a kernel may touch.
MARGIN_PX: Final[dict[Sampling | Pooling, int]] = {"nearest": 1, "bilinear": 1, "cubic": 2, "average": 1, "mode": 1}
#: A place closer than this to the next pixel belongs to that one [px]: it carries rounding noise.
TIE_PX: Final = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The part of an image that is in memory.

    Args:
        values: Pixels of ``window``, (y, x): float64 for bilinear, cubic and average; any type for nearest and mode.
        window: Window of the image that ``values`` cover.
        size: Height and width of the whole image [px].
        valid: True where a pixel may be used, (y, x); None where all may.
    """

    values: NDArray[Any]
    window: Window
    size: tuple[int, int]
    valid: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fill their window."""
        if self.values.shape != self.window.shape or (self.valid is not None and self.valid.shape != self.window.shape):
            msg = f"values {self.values.shape} and their validity do not fill the window {self.window.shape}"
            raise ValueError(msg)

    @property
    def place(self) -> tuple[int, int, int, int]:
        """First row and column in memory, height and width of the whole image."""
        return (self.window.row, self.window.col, *self.size)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """``valid`` as an array, contiguous."""
        return np.ones(self.values.shape, dtype=np.bool_) if self.valid is None else np.ascontiguousarray(self.valid)


@dataclass(frozen=True, slots=True)
class Warped:
    """What became of an image: values, (y, x), 0 where invalid; and True where they are valid."""

    values: NDArray[Any]
    valid: NDArray[np.bool_]


def sampled(image: Image, *, columns: NDArray[np.float64], rows: NDArray[np.float64], kernel: Sampling) -> Warped:
    """Pick or interpolate an image at the centres of target pixels.

    Bilinear divides by the weight of the valid pixels among the four around the centre. Cubic (Keys 1981, a = -0.5) does
    with all sixteen or, where one of them is invalid or outside, with the bilinear value: its negative lobes would overshoot.

    Args:
        image: The image; its window must hold the places and ``MARGIN_PX`` around them, as far as the image goes.
        columns: Column of each centre [px], (y, x); NaN where the mapping has none.
        rows: Row of each centre [px], (y, x).
        kernel: How.

    Returns:
        (y, x) of the target: the image's type for nearest, otherwise float64.

    Raises:
        ValueError: A pixel that the kernel touches is in the image but not in memory.
    """
    values, usable = np.ascontiguousarray(image.values), image.usable
    columns, rows = np.ascontiguousarray(columns), np.ascontiguousarray(rows)
    out = np.zeros(columns.shape, dtype=values.dtype if kernel == "nearest" else np.float64)
    valid = np.zeros(columns.shape, dtype=np.bool_)
    run = nearest if kernel == "nearest" else bilinear
    missed = run(values, usable, columns, rows, image.place, TIE_PX, out, valid)
    if kernel == "cubic":
        missed += sharpen(values, usable, columns, rows, image.place, out, valid)
    return _complete(Warped(out, valid), missed=missed)


def pooled(image: Image, *, columns: NDArray[np.float64], rows: NDArray[np.float64], kernel: Pooling) -> Warped:
    """Average an image, or find its most frequent value, over each target pixel.

    A target pixel covers a rectangle of the image: as wide and high as its four corners say, of the area of the
    parallelogram between them. Pixels count by how much of them is inside.

    Args:
        image: The image; its window must hold the corners and ``MARGIN_PX`` around them, as far as the image goes.
        columns: Column of each corner [px], (y + 1, x + 1); NaN where the mapping has none.
        rows: Row of each corner [px], (y + 1, x + 1).
        kernel: How. Of values that cover as much as each other, mode takes the smallest.

    Returns:
        (y, x) of the target: float64 for average, otherwise the image's type.

    Raises:
        ValueError: A pixel that the kernel touches is in the image but not in memory.
    """
    values, usable = np.ascontiguousarray(image.values), image.usable
    shape = (columns.shape[0] - 1, columns.shape[1] - 1)
    out = np.zeros(shape, dtype=np.float64 if kernel == "average" else values.dtype)
    valid = np.zeros(shape, dtype=np.bool_)
    run = average if kernel == "average" else mode
    missed = run(values, usable, _rectangles(columns, rows, size=image.size), image.place, out, valid)
    return _complete(Warped(out, valid), missed=missed)


def _rectangles(columns: NDArray[np.float64], rows: NDArray[np.float64], *, size: tuple[int, int]) -> Rectangles:
    """What target pixels cover of an image, from their corners; NaN where the centre is outside.

    The rectangle around the parallelogram of the corners is shrunk to its area, so that a rotated grid blurs nothing.
    """
    (column, ax, bx), (row, ay, by) = _centre_and_sides(columns), _centre_and_sides(rows)
    wide, high = np.abs(ax) + np.abs(bx), np.abs(ay) + np.abs(by)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.sqrt(np.abs(ax * by - bx * ay) / (wide * high)) / 2.0
        outside = ~((column >= 0.0) & (column < size[1]) & (row >= 0.0) & (row < size[0]))
    north, south = np.maximum(row - high * half, 0.0), np.minimum(row + high * half, float(size[0]))
    west, east = np.maximum(column - wide * half, 0.0), np.minimum(column + wide * half, float(size[1]))
    north[outside] = np.nan
    return north, south, west, east


def _centre_and_sides(
    corners: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean of one coordinate of four corners, and how far it goes along a target row and along a target column, each (y, x)."""
    a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]
    return (a + b + c + d) / 4.0, (b + d - a - c) / 2.0, (c + d - a - b) / 2.0


def _complete(warped: Warped, *, missed: int) -> Warped:
    if missed:
        msg = f"{missed} target pixels need pixels of the image that are not in memory"
        raise ValueError(msg)
    return warped
