"""The score of ``best_pixel``: how far clouds are, how near the wanted day, how steep the view, how little haze."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.source import Source

#: From this distance on a cloud no longer matters [m].
FAR_M: Final = 1500.0
#: Days from the wanted one at which that part of the score falls to 1/e.
DAYS: Final = 60.0
#: Blue reflectance of haze that halves that part of the score.
HAZY: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Sums weighted parts, each 0 (worst) to 1.

    Args:
        weights: Weight of each part (``stack.recipe.WEIGHTS``).
        day: The wanted day.
        blue: Number of the blue band in the stack, or of the shortest band; None without one: then haze is not judged.
    """

    weights: Mapping[str, float]
    day: date
    blue: int | None

    @property
    def reach_m(self) -> float:
        """How far a cloud matters [m]."""
        return FAR_M if self.weights.get("cloud_distance") else 0.0

    def score(
        self,
        source: Source,
        shape: tuple[int, int],
        *,
        blue: NDArray[np.float32] | None,
        cloud_distance_m: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        """The score of every pixel of a source, (y, x).

        Args:
            source: Tells day and view; one without a view angle gets the least of that part.
            shape: (height, width).
            blue: Reflectance of the band that tells haze, (y, x); None without one.
            cloud_distance_m: (y, x); None where no mask is looked at: then all are as far.
        """
        away = abs((source.acquired.astimezone(UTC).date() - self.day).days)
        flat = self.weights.get("day_of_year", 0.0) * np.exp(-((away / DAYS) ** 2))
        if source.off_nadir_deg is not None:
            flat += self.weights.get("off_nadir", 0.0) * max(0.0, float(np.cos(np.radians(source.off_nadir_deg))))
        found = np.full(shape, flat, dtype=np.float64)
        if cloud_distance_m is not None:
            found += self.weights.get("cloud_distance", 0.0) * np.clip(cloud_distance_m / FAR_M, 0.0, 1.0)
        if blue is not None:
            found += self.weights.get("haze", 0.0) / (1.0 + np.maximum(blue, 0.0) / HAZY)
        return found.astype(np.float32)
