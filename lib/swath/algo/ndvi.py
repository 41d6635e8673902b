"""The normalised difference vegetation index."""

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled, using

#: Delivered numbers of a band, (y, x), 8 or 16 bits unsigned, and the reflectance of each number [1], NaN where invalid.
Coded = tuple[NDArray[np.unsignedinteger], NDArray[np.float64]]


def ndvi(*, red: NDArray[np.float64], nir: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(nir - red) / (nir + red)``, -1 to 1: Rouse et al. (1974), NASA SP-351.

    Args:
        red: Reflectance, any shape; NaN where invalid.
        nir: Reflectance, same shape.

    Returns:
        NaN where either is invalid or their sum is not above 0. Negative reflectances of dark pixels would carry the
        index past 1; it is held there.
    """
    index = np.empty(np.shape(red))
    _ndvi(np.ravel(red), np.ravel(nir), index.reshape(-1))
    return index


def coded_ndvi(*, red: Coded, nir: Coded) -> NDArray[np.float64]:
    """``ndvi`` of delivered numbers, equal bit for bit; the reflectances are never held as arrays.

    Args:
        red: Delivered numbers and the reflectance of each number.
        nir: The same of the near infrared band, same shape.

    Returns:
        (y, x), as ``ndvi``.
    """
    index = np.empty(red[0].shape)
    _coded_ndvi(np.ascontiguousarray(red[0]), red[1], np.ascontiguousarray(nir[0]), nir[1], index)
    return index


def _normalised(dark: NDArray[np.float64], light: NDArray[np.float64], index: NDArray[np.float64]) -> None:
    """The formula: NaN where a value is invalid or the sum is not above 0, held between -1 and 1."""
    for x in range(index.size):
        total, difference = light[x] + dark[x], light[x] - dark[x]
        # False for NaN too.
        bright = total > 0.0
        quotient = difference / (total if bright else 1.0)
        held = min(max(quotient, -1.0), 1.0)
        index[x] = held if bright else np.nan


@using(_normalised)
def _coded_ndvi(  # noqa: PLR0917 (compiled functions take positions)
    red: NDArray[np.unsignedinteger],
    red_table: NDArray[np.float64],
    nir: NDArray[np.unsignedinteger],
    nir_table: NDArray[np.float64],
    index: NDArray[np.float64],
) -> None:
    dark, light = np.empty(index.shape[1]), np.empty(index.shape[1])
    for y in range(index.shape[0]):
        for x in range(dark.size):
            dark[x] = red_table[red[y, x]]
            light[x] = nir_table[nir[y, x]]
        _normalised(dark, light, index[y])


#: The formula over whole arrays of one dimension.
_ndvi = compiled(_normalised)
