"""Source pixels behind each target pixel of one axis, and their weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Taps:
    """For each target position of one axis: source indices and weights, both (taps, n)."""

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
