"""The temperature of a model, from polygons that it has not seen, and what it does on polygons that it has not seen either."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from swath.inference.calibration import calibrated
from swath.training.reliability import Reliability

#: Temperatures are looked for in this range, to this precision of their logarithm.
_RANGE: Final = (0.05, 20.0)
_PRECISION: Final = 1e-4
_GOLDEN: Final = (5.0**0.5 - 1.0) / 2.0
#: Less than any float32 probability that is not 0.
_LEAST: Final = 1e-45


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Answers of the model of one split on its held-out polygons.

    Args:
        probabilities: As trained [1], (class, pixel).
        truth: Index of the true class, (pixel,).
        polygons: Ids, (pixel,).
    """

    probabilities: NDArray[np.float32]
    truth: NDArray[np.int64]
    polygons: NDArray[np.str_]

    @property
    def winner(self) -> NDArray[np.int64]:
        """Index of the most probable class, (pixel,)."""
        found: NDArray[np.int64] = self.probabilities.argmax(axis=0)
        return found

    def taken(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of its pixels."""
        return type(self)(probabilities=self.probabilities[:, chosen], truth=self.truth[chosen], polygons=self.polygons[chosen])

    def reliability(self, *, temperature: float = 1.0) -> Reliability:
        """Reliability of the answers, as they are or at a temperature."""
        made = self.probabilities if temperature == 1.0 else calibrated(self.probabilities, temperature=temperature)
        return Reliability.of(made.max(axis=0), self.winner == self.truth)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibrated:
    """What calibrating does.

    Args:
        temperature: From all held-out polygons.
        before: Reliability as trained, on all held-out polygons.
        after: Reliability of calibrated answers: each half of the polygons at the temperature of the other half.
    """

    temperature: float
    before: Reliability
    after: Reliability

    @classmethod
    def of(cls, held_out: Sequence[HeldOut]) -> Self:
        """Fit on the held-out polygons of all splits, and cross-fit for the error."""
        every = _together(held_out)
        first = _first_half(every)
        halves = (every.taken(first), every.taken(~first))
        temperatures = [temperature_of(half) for half in halves]
        confidence, right = [], []
        for half, temperature in zip(halves, reversed(temperatures), strict=True):
            confidence.append(calibrated(half.probabilities, temperature=temperature).max(axis=0))
            right.append(half.winner == half.truth)
        after = Reliability.of(np.concatenate(confidence), np.concatenate(right))
        return cls(temperature=temperature_of(every), before=every.reliability(), after=after)

    def flat(self) -> dict[str, float]:
        """The numbers of a manifest."""
        return {"calibration_error": self.after.error, "calibration_error_as_trained": self.before.error}

    def plain(self) -> dict[str, Any]:
        """JSON-able: both curves."""
        return {"temperature": self.temperature, "as_trained": self.before.plain(), "calibrated": self.after.plain()}


def temperature_of(held_out: HeldOut) -> float:
    """The temperature with the least mean negative log likelihood, by golden section: there is one minimum."""
    logs = np.log(np.maximum(held_out.probabilities.astype(np.float64), _LEAST))
    of_truth = logs[held_out.truth, np.arange(held_out.truth.size)]

    def loss(log_temperature: float) -> float:
        power = float(np.exp(-log_temperature))
        return float((np.log(np.exp(logs * power).sum(axis=0)) - of_truth * power).mean())

    low, high = (float(np.log(t)) for t in _RANGE)
    while high - low > _PRECISION:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    # Rounded: the last digits are noise of the search.
    return round(float(np.exp((low + high) / 2.0)), 4)


def polygons_by_class(held_out: Sequence[HeldOut], *, classes: int) -> tuple[int, ...]:
    """Polygons with pixels mapped as each class, whatever the split."""
    every = _together(held_out)
    return tuple(int(np.unique(every.polygons[every.winner == k]).size) for k in range(classes))


def _together(held_out: Sequence[HeldOut]) -> HeldOut:
    return HeldOut(
        probabilities=np.concatenate([h.probabilities for h in held_out], axis=1),
        truth=np.concatenate([h.truth for h in held_out]),
        polygons=np.concatenate([h.polygons for h in held_out]),
    )


def _first_half(held_out: HeldOut) -> NDArray[np.bool_]:
    """Every other polygon of each class, (pixel,); a polygon of several splits is in one half."""
    chosen: list[str] = []
    for number in np.unique(held_out.truth):
        chosen.extend(np.unique(held_out.polygons[held_out.truth == number])[::2].tolist())
    return np.isin(held_out.polygons, chosen)
