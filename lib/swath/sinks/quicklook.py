"""Quicklooks: small PNG pictures of a product, with transparent nodata."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from swath.product import Category

#: The longest side of a picture [px].
LONGEST_SIDE = 512
#: Percentiles of the valid pixels that become black and white.
DARKEST_PERCENT, BRIGHTEST_PERCENT = 2.0, 98.0
#: Brightness that the median pixel gets; the exponent that does it stays in this range. Clouds take most of a linear
#: stretch: without this the land under them is black.
MEDIAN_BRIGHTNESS = 0.36
EXPONENTS = (0.35, 1.0)
#: Runs only: a quarter of the time of the default and at most a tenth more bytes.
_STRATEGY = imagecodecs.PNG.STRATEGY.RLE
Stored = NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """How stored values become brightness: ``((v - low) / (high - low)) ** exponent``, for red, green and blue."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    exponent: float = 1.0


def stretch_of(red: Stored, green: Stored, *, blue: Stored, nodata: int, usable: NDArray[np.bool_] | None = None) -> Stretch:
    """The 2 to 98 % stretch of a product: each band by itself, one exponent for all.

    A stretch of each band takes haze and its blue off; what is white (clouds, bare ground) stays white.

    Args:
        red: Stored values, (y, x); ``nodata`` where invalid. So are ``green`` and ``blue``.
        green: Green band, as ``red``.
        blue: Blue band, as ``red``.
        nodata: The stored value of invalid pixels.
        usable: Pixels to look at (clear ones, say), (y, x); all valid ones when None or when too few are left.
    """
    every = _factor(red.shape)
    bands = np.stack([band[::every, ::every] for band in (red, green, blue)])
    valid = np.all(bands != nodata, axis=0)
    usable = None if usable is None else usable[::every, ::every]
    if usable is not None and np.count_nonzero(valid & usable) * 100 >= np.count_nonzero(valid):
        valid = valid & usable
    if not valid.any():
        return Stretch(low=(0.0, 0.0, 0.0), high=(1.0, 1.0, 1.0))
    low, high = np.percentile(bands[:, valid], (DARKEST_PERCENT, BRIGHTEST_PERCENT), axis=1)
    high = np.maximum(high, low + 1.0)
    linear = (bands[:, valid] - low[:, np.newaxis]) / (high - low)[:, np.newaxis]
    median = float(np.clip(np.median(np.clip(linear, 0.0, 1.0).mean(axis=0)), 1e-3, 1.0 - 1e-3))
    exponent = float(np.clip(np.log(MEDIAN_BRIGHTNESS) / np.log(median), *EXPONENTS))
    return Stretch(low=_triple(low), high=_triple(high), exponent=exponent)


def true_colour_png(red: Stored, green: Stored, *, blue: Stored, nodata: int, stretch: Stretch | None = None) -> bytes:
    """A true-colour picture.

    Args:
        red: Stored values, (y, x); ``nodata`` where invalid. So are ``green`` and ``blue``.
        green: Green band, as ``red``.
        blue: Blue band, as ``red``.
        nodata: The stored value of invalid pixels; they become transparent.
        stretch: Give the same one to pictures that are to be compared; None for the picture's own.

    Returns:
        An RGBA PNG of at most ``LONGEST_SIDE`` pixels a side.
    """
    bands = [_shrunk(b, nodata=nodata) for b in (red, green, blue)]
    if stretch is None:
        stretch = stretch_of(bands[0], bands[1], blue=bands[2], nodata=nodata)
    low, high = (np.array(v).reshape(3, 1, 1) for v in (stretch.low, stretch.high))
    stack = np.stack(bands)
    valid = np.all(stack != nodata, axis=0)
    bright = np.clip((stack - low) / (high - low), 0.0, 1.0) ** stretch.exponent
    return _png(np.rint(bright * 255.0).astype(np.uint8), valid=valid)


def class_png(classes: NDArray[np.uint8], categories: Sequence[Category]) -> bytes:
    """A class map in the colours of its legend; values without a category are transparent.

    Args:
        classes: Class values, (y, x).
        categories: The legend.

    Returns:
        An RGBA PNG of at most ``LONGEST_SIDE`` pixels a side.
    """
    factor = _factor(classes.shape)
    # The centre pixel of each cell: classes cannot be averaged.
    small = classes[factor // 2 :: factor, factor // 2 :: factor] if factor > 1 else classes
    colours, known = np.zeros((256, 3), dtype=np.uint8), np.zeros(256, dtype=np.bool_)
    for category in categories:
        colours[category.value], known[category.value] = category.rgb, True
    return _png(np.moveaxis(colours[small], -1, 0), valid=known[small])


def shrunk_png(png: bytes, *, side: int) -> bytes:
    """A quicklook with at most ``side`` pixels a side: every n-th pixel, for thumbnails of thumbnails."""
    image: NDArray[np.uint8] = imagecodecs.png_decode(png)
    every = max(1, ceil(max(image.shape[:2]) / side))
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(image[::every, ::every]), strategy=_STRATEGY))


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return (float(values[0]), float(values[1]), float(values[2]))


def _factor(shape: tuple[int, ...]) -> int:
    return max(1, ceil(max(shape) / LONGEST_SIDE))


def _shrunk(values: Stored, *, nodata: int) -> Stored:
    """The mean of the valid pixels of each cell of ``factor`` x ``factor``; nodata where none is valid."""
    factor = _factor(values.shape)
    if factor == 1:
        return values
    pad = [(0, -n % factor) for n in values.shape]
    whole = np.pad(values, pad, constant_values=nodata)
    rows, cols = whole.shape[0] // factor, whole.shape[1] // factor
    cells = whole.reshape(rows, factor, cols, factor)
    valid = cells != nodata
    number = valid.sum(axis=(1, 3))
    total = np.where(valid, cells, 0).sum(axis=(1, 3), dtype=np.int64)
    mean = np.rint(total / np.maximum(number, 1)).astype(values.dtype)
    return np.where(number > 0, mean, np.asarray(nodata, dtype=values.dtype))


def _png(colours: NDArray[np.uint8], *, valid: NDArray[np.bool_]) -> bytes:
    """Encode (3, y, x) colours; nothing but zeros hides under transparent pixels."""
    alpha = np.where(valid, np.uint8(255), np.uint8(0))
    rgba = np.ascontiguousarray(np.dstack([*np.where(valid, colours, np.uint8(0)), alpha]))
    return bytes(imagecodecs.png_encode(rgba, strategy=_STRATEGY))
