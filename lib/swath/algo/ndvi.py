"""The normalised difference vegetation index."""

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled


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


@compiled
def _ndvi(red: NDArray[np.float64], nir: NDArray[np.float64], index: NDArray[np.float64]) -> None:
    for i in range(index.size):
        total, difference = nir[i] + red[i], nir[i] - red[i]
        # False for NaN too.
        bright = total > 0.0
        quotient = difference / (total if bright else 1.0)
        held = min(max(quotient, -1.0), 1.0)
        index[i] = held if bright else np.nan
