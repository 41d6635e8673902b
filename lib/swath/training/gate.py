"""Challenger against champion, on samples that neither has learned: who may have the alias."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.pinned import PinnedModel
from swath.training.frozen import FrozenSamples
from swath.training.metrics import ModelMetrics
from swath.training.reliability import Reliability

#: Draws of the bootstrap, and the interval that is reported [%].
_DRAWS = 2000
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much worse a challenger may be.

    Args:
        macro_f1: Fall of the mean F1 over the classes.
        recall: Fall of any class's recall.
        calibration: Rise of the expected calibration error.
    """

    macro_f1: float = 0.01
    recall: float = 0.03
    calibration: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVerdict:
    """What the comparison says.

    Args:
        against: Why the challenger is refused; empty when it is not.
        numbers: Numbers of both models, by name; JSON-able.
    """

    against: tuple[str, ...]
    numbers: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The numbers in one line for people."""
        n = self.numbers
        low, high = n["macro_f1_difference_interval"]
        return (
            f"macro F1 {n['challenger']['macro_f1']:.4f} against {n['champion']['macro_f1']:.4f}, difference "
            f"{n['macro_f1_difference']:+.4f} (95 % {low:+.4f} to {high:+.4f} over {n['polygons']} polygons), calibration error "
            f"{n['challenger']['calibration_error']:.4f} against {n['champion']['calibration_error']:.4f}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """One model on the samples: confusion of each polygon, (polygon, true, predicted), and its calibration error."""

    confusion: NDArray[np.int64]
    calibration: float


def compare(challenger: PinnedModel, champion: PinnedModel, *, samples: FrozenSamples, bounds: Bounds) -> ModelVerdict:
    """Judge both on the same pixels; the interval is a paired bootstrap over polygons, because pixels of one are alike.

    Args:
        challenger: The model that shall have the alias.
        champion: The model that has it.
        samples: Learned by neither.
        bounds: Largest deterioration that the challenger may show.

    Raises:
        ConfigError: A model cannot be judged on these samples.
    """
    names = tuple(sorted(set(samples.labels.tolist())))
    if len(names) < 2:
        msg = f"the frozen samples hold {len(names)} class; two are needed to compare models"
        raise ConfigError(msg)
    ours, theirs = (_judged(m, samples, names=names) for m in (challenger, champion))
    weights = np.random.default_rng(0).multinomial(
        ours.confusion.shape[0], np.full(ours.confusion.shape[0], 1.0 / ours.confusion.shape[0]), size=_DRAWS
    )
    drawn = _macro_f1(np.tensordot(weights, ours.confusion, 1)) - _macro_f1(np.tensordot(weights, theirs.confusion, 1))
    numbers = {
        "challenger": _numbers(ours, names=names),
        "champion": _numbers(theirs, names=names),
        "macro_f1_difference": float(_macro_f1(ours.confusion.sum(axis=0)) - _macro_f1(theirs.confusion.sum(axis=0))),
        "macro_f1_difference_interval": [float(v) for v in np.percentile(drawn, _INTERVAL)],
        "polygons": int(ours.confusion.shape[0]),
        "pixels": int(samples.labels.size),
    }
    return ModelVerdict(against=tuple(_against(numbers, bounds=bounds)), numbers=numbers)


def _against(numbers: dict[str, Any], *, bounds: Bounds) -> Iterator[str]:
    ours, theirs = numbers["challenger"], numbers["champion"]
    if numbers["macro_f1_difference"] < -bounds.macro_f1:
        yield f"macro F1 falls by {-numbers['macro_f1_difference']:.4f}, allowed {bounds.macro_f1:g}"
    for name, recall in ours["recall"].items():
        fall = theirs["recall"][name] - recall
        if fall > bounds.recall:
            yield f"recall of {name} falls by {fall:.4f}, allowed {bounds.recall:g}"
    rise = ours["calibration_error"] - theirs["calibration_error"]
    if rise > bounds.calibration:
        yield f"the calibration error rises by {rise:.4f}, allowed {bounds.calibration:g}"


def _judged(model: PinnedModel, samples: FrozenSamples, *, names: tuple[str, ...]) -> _Judged:
    classes = [c.name for c in model.manifest.classes]
    absent = [n for n in names if n not in classes]
    if absent:
        msg = f"model {model.name} {model.version} has no class {', '.join(absent)}, which the frozen samples have"
        raise ConfigError(msg)
    probabilities = samples.probabilities(model)
    # Classes that the samples lack count as one more that is always wrong.
    index = np.array([names.index(c) if c in names else len(names) for c in classes])
    predicted = index[probabilities.argmax(axis=0)]
    truth = np.searchsorted(np.array(names), samples.labels)
    _, polygon = np.unique(samples.polygons, return_inverse=True)
    confusion = np.zeros((polygon.max() + 1, len(names) + 1, len(names) + 1), dtype=np.int64)
    np.add.at(confusion, (polygon, truth, predicted), 1)
    return _Judged(confusion=confusion, calibration=Reliability.of(probabilities.max(axis=0), predicted == truth).error)


def _macro_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean F1 over the classes that are there, of (..., true, predicted); the last class is none of them."""
    diagonal = np.diagonal(confusion, axis1=-2, axis2=-1)[..., :-1]
    whole = (confusion.sum(axis=-1) + confusion.sum(axis=-2))[..., :-1]
    present = confusion.sum(axis=-1)[..., :-1] > 0
    f1 = np.divide(2.0 * diagonal, whole, out=np.zeros(whole.shape), where=whole > 0)
    result: NDArray[np.float64] = (f1 * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)
    return result


def _numbers(judged: _Judged, *, names: tuple[str, ...]) -> dict[str, Any]:
    pooled = judged.confusion.sum(axis=0)
    recall = ModelMetrics(names=(*names, ""), confusion=pooled).recall
    return {
        "macro_f1": float(_macro_f1(pooled)),
        "recall": {n: float(r) for n, r in zip(names, recall[:-1], strict=True)},
        "calibration_error": judged.calibration,
    }
