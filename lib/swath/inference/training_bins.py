"""The bins in which pixels are counted beside a model's training data."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.loader import local_copy
from swath.inference.reference import Reference, read_reference
from swath.product import LayerName


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingBins:
    """Edges between bins for each feature of a model, physical values.

    Args:
        layers: Names of the feature layers.
        edges: Ascending, (layer, edge): the first and the last are 0.1 and 99.9 % of the training data.
        counts: Training data by bin, (layer, edge + 1); None where training kept none.
    """

    layers: tuple[LayerName, ...]
    edges: NDArray[np.float64]
    counts: NDArray[np.int64] | None

    @classmethod
    def of(cls, reference: Reference) -> Self:
        """The bins that reference rows carry; percentiles alone tell what is outside."""
        layers = tuple(f"{reference.of}:{band}" for band in reference.bands)
        if reference.edges is None or reference.counts is None:
            return cls(layers=layers, edges=np.ascontiguousarray(reference.percentiles.T), counts=None)
        return cls(layers=layers, edges=reference.edges, counts=reference.counts)


def bins_at(path: str, digest: str) -> TrainingBins | None:
    """The bins of a pinned model; None where it has none, or is gone from its place."""
    try:
        return _bins_at(path, digest)
    except ConfigError:
        return None


@lru_cache(maxsize=8)
def _bins_at(path: str, digest: str) -> TrainingBins | None:
    reference = read_reference(Path(local_copy(path, digest)))
    if reference is None or (reference.edges is None and not np.isfinite(reference.percentiles).all()):
        return None
    return TrainingBins.of(reference)
