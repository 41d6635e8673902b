"""Classes by thresholds."""

import numpy as np
from numpy.typing import NDArray


def threshold_classes(values: NDArray[np.float64], *, thresholds: tuple[float, ...]) -> NDArray[np.uint8]:
    """How many thresholds each value reaches: class 0 is below the first, class n from the n-th on.

    Args:
        values: Any shape; NaN reaches none, the caller marks it invalid.
        thresholds: Ascending, at most 254.

    Returns:
        The shape of ``values``.
    """
    classes = np.zeros(values.shape, dtype=np.uint8)
    for threshold in thresholds:
        # A view: adding truth values would convert them first.
        classes += (values >= threshold).view(np.uint8)
    return classes
