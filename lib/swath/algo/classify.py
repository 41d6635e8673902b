"""Classes by thresholds."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

#: Values that stay in a core's cache while all thresholds are compared with them.
_RUN: Final = 2048


def threshold_classes(values: NDArray[np.float64], *, thresholds: tuple[float, ...], invalid: int = 0) -> NDArray[np.uint8]:
    """How many thresholds each value reaches: class 0 is below the first, class n from the n-th on.

    Args:
        values: Any shape; NaN is invalid.
        thresholds: Ascending, at most 254.
        invalid: Class of NaN, 0..255.

    Returns:
        The shape of ``values``.
    """
    classes = np.empty(values.shape, dtype=np.uint8)
    _threshold(np.ravel(values), np.array(thresholds, dtype=np.float64), invalid, classes.reshape(-1))
    return classes


@compiled
def _threshold(  # noqa: PLR0917 (compiled functions take positions)
    values: NDArray[np.float64], thresholds: NDArray[np.float64], invalid: int, classes: NDArray[np.uint8]
) -> None:
    reached = np.empty(_RUN, dtype=np.int64)  # as wide as the values: whole registers are added
    for start in range(0, values.size, _RUN):
        part, out = values[start : start + _RUN], classes[start : start + _RUN]
        reached[:] = 0
        # One comparison a loop: the processor then makes many at once.
        for k in range(thresholds.size):
            threshold = thresholds[k]
            for i in range(part.size):
                reached[i] += 1 if part[i] >= threshold else 0
        for i in range(part.size):
            out[i] = reached[i] if part[i] == part[i] else invalid  # NaN alone is unequal to itself
