"""The normalised difference vegetation index."""

import numpy as np
from numpy.typing import NDArray


def ndvi(*, red: NDArray[np.float64], nir: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(nir - red) / (nir + red)``, -1 to 1: Rouse et al. (1974), NASA SP-351.

    Args:
        red: Reflectance, any shape; NaN where invalid.
        nir: Reflectance, same shape.

    Returns:
        NaN where either is invalid or their sum is not above 0. Negative reflectances of dark pixels would carry the
        index past 1; it is held there.
    """
    total = nir + red
    index = nir - red
    # False for NaN too.
    bright = total > 0.0
    if not bright.all():
        total[~bright] = np.nan
    index /= total
    clipped: NDArray[np.float64] = np.clip(index, -1.0, 1.0, out=index)
    return clipped
