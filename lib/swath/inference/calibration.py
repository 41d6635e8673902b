"""Probabilities that are as right as they are sure: a temperature that the manifest states, applied to every answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled
from swath.inputs import Predictor
from swath.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How the trainer's probabilities become calibrated ones.

    Args:
        method: Name of the rule. ``temperature``: each probability to the power of ``1 / temperature``, divided by their sum,
            which is the softmax of the scores divided by the temperature (Guo et al. 2017, arXiv:1706.04599). The order of the
            classes stays.
        temperature: Number above 1 where the model was too sure, below 1 where it was not sure enough.
    """

    temperature: float
    method: Literal["temperature"] = "temperature"

    def problems(self) -> Iterator[tuple[bool, str]]:
        """Whether each contradiction is there, and how it is said."""
        yield self.method != "temperature", f"calibration.method must be temperature, got {self.method!r}"
        known = isfinite(self.temperature) and 0.01 <= self.temperature <= 100.0
        yield not known, f"calibration.temperature must be in 0.01..100, got {self.temperature}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMatrix:
    """Confusion on polygons that the model had not seen.

    Args:
        confusion: Pixels by true class, then by mapped class, in the order of the manifest's classes.
        polygons: Polygons with pixels mapped as each class: pixels of one polygon are alike, so these are the independent checks.
    """

    confusion: tuple[tuple[int, ...], ...]
    polygons: tuple[int, ...]

    def problems(self, *, classes: int) -> Iterator[tuple[bool, str]]:
        """Whether each contradiction is there, and how it is said."""
        rows = {len(self.confusion), len(self.polygons), *map(len, self.confusion)}
        yield rows != {classes}, f"error_matrix must have {classes} rows and columns and as many numbers of polygons"
        numbers = [*self.polygons, *(n for row in self.confusion for n in row)]
        yield any(n < 0 for n in numbers), "error_matrix must hold counts"


class CalibratedPredictor:
    """A ``inputs.Predictor`` whose answers are calibrated.

    Args:
        predictor: The model as it was trained.
        calibration: What its manifest states.
    """

    def __init__(self, predictor: Predictor, *, calibration: Calibration) -> None:
        self._predictor, self._power = predictor, 1.0 / calibration.temperature

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        """Calibrated class probabilities [1], (class, ...)."""
        answer = np.ascontiguousarray(self._predictor.predict(features, place=place))
        made = np.empty((answer.shape[0], answer[0].size), dtype=np.float32)
        _calibrate(answer.reshape(answer.shape[0], -1), self._power, made)
        return made.reshape(answer.shape)


def calibrated(probabilities: NDArray[np.float32], *, temperature: float) -> NDArray[np.float32]:
    """Calibrated probabilities, (class, pixel), of the trainer's."""
    made = np.empty(probabilities.shape, dtype=np.float32)
    _calibrate(np.ascontiguousarray(probabilities), 1.0 / temperature, made)
    return made


def warm_up() -> None:
    """Compile the kernel, so that an image or an installation carries its machine code."""
    calibrated(np.full((2, 1), 0.5, dtype=np.float32), temperature=2.0)


@compiled
def _calibrate(probabilities: NDArray[np.float32], power: float, result: NDArray[np.float32]) -> None:
    """Fill ``result``, (class, pixel); in float64, pixel by pixel."""
    for i in range(probabilities.shape[1]):
        total = 0.0
        for k in range(probabilities.shape[0]):
            total += np.float64(probabilities[k, i]) ** power
        for k in range(probabilities.shape[0]):
            result[k, i] = np.float64(probabilities[k, i]) ** power / total
