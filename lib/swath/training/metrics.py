"""How good a classification is, from its confusion matrix."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelMetrics:
    """A confusion matrix and what follows from it.

    Args:
        names: Class names, in the order of the matrix.
        confusion: Pixels by (true class, predicted class).
    """

    names: tuple[str, ...]
    confusion: NDArray[np.int64]

    @classmethod
    def of(cls, truth: NDArray[np.int64], predicted: NDArray[np.int64], *, names: tuple[str, ...]) -> Self:
        """Count pairs of class indices, both (pixel,)."""
        size = len(names)
        pairs = np.bincount(truth * size + predicted, minlength=size * size)
        return cls(names=names, confusion=pairs.reshape(size, size))

    @classmethod
    def pooled(cls, parts: Iterable[Self]) -> Self:
        """All pixels of several judgements together."""
        every = list(parts)
        return cls(names=every[0].names, confusion=np.sum([m.confusion for m in every], axis=0))

    @property
    def accuracy(self) -> float:
        """Share of pixels on the diagonal."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def kappa(self) -> float:
        """Agreement beyond chance (Cohen 1960, doi:10.1177/001316446002000104); 0 where chance explains it all."""
        total = int(self.confusion.sum())
        by_chance = float((self.confusion.sum(axis=0) * self.confusion.sum(axis=1)).sum() / total**2)
        return (self.accuracy - by_chance) / (1.0 - by_chance) if by_chance < 1.0 else 0.0

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of what was called a class that is it (user's accuracy), (class,); 0 where nothing was."""
        return _share(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of a class that was found (producer's accuracy), (class,); 0 where there is none."""
        return _share(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of precision and recall, (class,)."""
        return _share(2 * np.diag(self.confusion), self.confusion.sum(axis=0) + self.confusion.sum(axis=1))

    def flat(self) -> Mapping[str, float]:
        """All numbers by name: ``accuracy``, ``kappa``, ``f1.<class>`` ..."""
        numbers = {"accuracy": self.accuracy, "kappa": self.kappa}
        for kind, values in (("precision", self.precision), ("recall", self.recall), ("f1", self.f1)):
            numbers |= {f"{kind}.{n}": float(v) for n, v in zip(self.names, values, strict=True)}
        return numbers


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(part.size), where=whole > 0)
