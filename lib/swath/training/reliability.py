"""Whether a model is as right as it is sure."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

#: Bins of equal width over the confidence.
BINS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """Confidence and accuracy by bins of confidence, each (bin,); 0 where a bin is empty.

    Args:
        confidence: Mean probability of the class on the map [1].
        accuracy: Share of pixels that are right [1].
        pixels: Number of pixels.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    pixels: NDArray[np.int64]

    @classmethod
    def of(cls, confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> Self:
        """Count pixels by their confidence; both (pixel,)."""
        bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
        pixels = np.bincount(bins, minlength=BINS)
        whole = np.maximum(pixels, 1)
        return cls(
            confidence=np.bincount(bins, weights=confidence, minlength=BINS) / whole,
            accuracy=np.bincount(bins, weights=right, minlength=BINS) / whole,
            pixels=pixels,
        )

    @property
    def error(self) -> float:
        """Expected calibration error (Guo et al. 2017, arXiv:1706.04599): mean distance of confidence and accuracy by bin."""
        return float((np.abs(self.confidence - self.accuracy) * self.pixels).sum() / self.pixels.sum())

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {"confidence": self.confidence.tolist(), "accuracy": self.accuracy.tolist(), "pixels": self.pixels.tolist()}
