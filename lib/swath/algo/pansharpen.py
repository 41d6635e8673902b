"""Pan-sharpening: the colours of multispectral bands at the resolution of the panchromatic one.

Weighted Brovey, as GDAL has it: each band, brought to the pan pixels by cubic convolution (Keys 1981, a = -0.5), times the ratio
of the pan band to the weighted sum of the bands.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_A = -0.5
_REACH = 2


def upsampled(values: Floats, *, rows: tuple[float, float], columns: tuple[float, float], shape: tuple[int, int]) -> Floats:
    """Bring a band to finer pixels by cubic convolution.

    Args:
        values: (y, x); NaN where invalid.
        rows: First and last edge of the fine pixels, in rows of ``values`` counted from its first edge: pan grids are often
            shifted against the others by a fraction of a pixel.
        columns: The same in columns.
        shape: Rows and columns of fine pixels between those edges.

    Returns:
        (y, x) of ``shape``. Where a pixel is invalid or beyond an edge, the others share its weight; NaN where the pixel of
        ``values`` under the centre is invalid.
    """
    down, right = _weights(values.shape[0], rows, shape[0]), _weights(values.shape[1], columns, shape[1])
    valid = np.isfinite(values)
    filled = np.where(valid, values, 0.0)
    made: Floats = down @ filled @ right.T
    if valid.all():
        return made
    share = down @ valid.astype(np.float64) @ right.T
    under = valid[np.ix_(_under(values.shape[0], rows, shape[0]), _under(values.shape[1], columns, shape[1]))]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(under & (share > 0.0), made / share, np.nan)


def brovey(bands: Floats, pan: Floats, *, weights: Sequence[float]) -> Floats:
    """Sharpen bands by the pan band.

    Args:
        bands: On the pan grid, (band, y, x); NaN where invalid.
        pan: (y, x); NaN where invalid.
        weights: Weights of the bands in the pan band's light; they need not add up to 1.

    Returns:
        (band, y, x); NaN where a band or the pan band is invalid, or the weighted sum is not above 0.
    """
    summed = np.tensordot(np.asarray(weights, dtype=np.float64), bands, axes=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(summed > 0.0, pan / summed, np.nan)
    sharp: Floats = bands * ratio
    return sharp


def _centres(edges: tuple[float, float], count: int) -> Floats:
    return np.asarray(edges[0] + (np.arange(count) + 0.5) * (edges[1] - edges[0]) / count)


def _under(size: int, edges: tuple[float, float], count: int) -> NDArray[np.intp]:
    return np.clip(np.floor(_centres(edges, count)), 0, size - 1).astype(np.intp)


def _weights(size: int, edges: tuple[float, float], count: int) -> Floats:
    """What each pixel gives to each fine pixel, (fine, pixel); rows sum up to 1."""
    far = np.abs(_centres(edges, count)[:, None] - (np.arange(size) + 0.5)[None, :])
    near = (_A + 2.0) * far**3 - (_A + 3.0) * far**2 + 1.0
    next_one = _A * far**3 - 5.0 * _A * far**2 + 8.0 * _A * far - 4.0 * _A
    found = np.where(far <= 1.0, near, np.where(far < _REACH, next_one, 0.0))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
