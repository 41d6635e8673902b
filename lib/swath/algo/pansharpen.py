"""Pan-sharpening: the colours of multispectral bands at the resolution of the panchromatic one.

Weighted Brovey, as GDAL has it: each band, brought to the pan pixels by cubic convolution (Keys 1981, a = -0.5), times the ratio
of the pan band to the weighted sum of the bands.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_A = -0.5
#: Pixels that a fine pixel is made of, along an axis, counted from the one under which its centre's own begins.
_TAPS = (-1, 0, 1, 2)
#: Pixels of a band around a window that its fine pixels read.
REACH_PX = 3


def upsampled(values: Floats, *, rows: Floats, columns: Floats, first: tuple[int, int], size: tuple[int, int]) -> Floats:
    """Bring a band to finer pixels by cubic convolution.

    A fine pixel has the same bits whatever part of the band is in memory: its place is absolute, and sums have a fixed order.

    Args:
        values: Pixels of a part of the band, (y, x); NaN where invalid.
        rows: Centres of the fine pixels, in rows counted from the band's first edge.
        columns: The same in columns.
        first: Row and column of the band that ``values`` begins at.
        size: Rows and columns of the whole band.

    Returns:
        (row, column). Where a pixel is invalid or beyond the band's edge, the others share its weight; NaN where the pixel under
        the centre is invalid or beyond the edge.
    """
    down, across = _taps(rows, size=size[0], first=first[0]), _taps(columns, size=size[1], first=first[1])
    valid = np.isfinite(values)
    filled = np.where(valid, values, 0.0)
    made = _apply(filled, down, across)
    share = _apply(valid.astype(np.float64), down, across)
    inside = ((rows >= 0) & (rows < size[0]))[:, None] & ((columns >= 0) & (columns < size[1]))[None, :]
    under = valid[np.ix_(_held(np.floor(rows), first[0], values.shape[0]), _held(np.floor(columns), first[1], values.shape[1]))]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(inside & under & (share > 0.0), made / share, np.nan)


def brovey(bands: Floats, pan: Floats, *, weights: Sequence[float]) -> Floats:
    """Sharpen bands by the pan band.

    Args:
        bands: Bands on the pan grid, (band, y, x); NaN where invalid.
        pan: (y, x); NaN where invalid.
        weights: Weights of the bands in the pan band's light; they need not add up to 1. A band of weight 0 has no share in the
            sum, nor have its gaps.

    Returns:
        (band, y, x); NaN where a band, one of those that are summed or the pan band is invalid, or the sum is not above 0.
    """
    summed = np.zeros(pan.shape)
    for band, weight in zip(bands, weights, strict=True):
        if weight:
            summed += weight * band
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(summed > 0.0, pan / summed, np.nan)
    sharp: Floats = bands * ratio
    return sharp


def shares_of_light(bands: Sequence[tuple[float, float]], pan: tuple[float, float]) -> list[float]:
    """How much of the pan band's light each band has, from their spectra: overlaps in wavelength, which sum up to 1.

    Args:
        bands: Centre and full width at half maximum of each [um].
        pan: Those of the pan band [um].

    Returns:
        A weight for each band, 0 to 1; all 0 where none overlaps the pan band.
    """
    low, high = pan[0] - pan[1] / 2, pan[0] + pan[1] / 2
    overlaps = [max(0.0, min(high, c + w / 2) - max(low, c - w / 2)) for c, w in bands]
    total = sum(overlaps)
    return [o / total for o in overlaps] if total else overlaps


def _taps(centres: Floats, *, size: int, first: int) -> tuple[NDArray[np.intp], Floats]:
    """Indices into the pixels in memory, and weights, both (tap, fine pixel); pixels beyond the band's edge weigh nothing."""
    base = np.floor(centres - 0.5)
    index = base[None, :] + np.asarray(_TAPS, dtype=np.float64)[:, None]
    far = np.abs(centres[None, :] - 0.5 - index)
    near = (_A + 2.0) * far**3 - (_A + 3.0) * far**2 + 1.0
    next_one = _A * far**3 - 5.0 * _A * far**2 + 8.0 * _A * far - 4.0 * _A
    weight = np.where(far <= 1.0, near, np.where(far < 2.0, next_one, 0.0))
    weight = np.where((index >= 0) & (index < size), weight, 0.0)
    return (index - first).astype(np.intp), weight


def _apply(values: Floats, down: tuple[NDArray[np.intp], Floats], across: tuple[NDArray[np.intp], Floats]) -> Floats:
    wide = np.zeros((values.shape[0], across[0].shape[1]))
    for index, weight in zip(*across, strict=True):
        wide += values[:, np.clip(index, 0, values.shape[1] - 1)] * weight
    made = np.zeros((down[0].shape[1], wide.shape[1]))
    for index, weight in zip(*down, strict=True):
        made += wide[np.clip(index, 0, values.shape[0] - 1)] * weight[:, None]
    return made


def _held(index: Floats, first: int, count: int) -> NDArray[np.intp]:
    return np.clip(index - first, 0, count - 1).astype(np.intp)
