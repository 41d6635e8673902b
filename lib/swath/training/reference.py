"""Reference rows of a model: real samples, and rows at the edges of a forest's decisions, with the trainer's own answers."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.feature_counts import count_values
from swath.inference.forest import Forest
from swath.inference.manifest import Manifest
from swath.inference.reference import PERCENTS, Reference

if TYPE_CHECKING:
    from lightgbm import Booster

#: Real rows, spread evenly over the samples.
REAL_ROWS: Final = 256
#: Thresholds of each feature whose two sides are asked.
_CUTS: Final = 16
#: Per cent of the training data below the edges of the bins that its histogram has: twenty alike, and both ends.
EDGES: Final = (PERCENTS[0], *range(5, 100, 5), PERCENTS[-1])


def rows_to_ask(matrix: NDArray[np.float32], forest: Forest | None) -> NDArray[np.float32]:
    """Real rows, spread evenly, then rows at the edges of a forest's decisions.

    Args:
        matrix: Real features, (row, feature).
        forest: Forest whose thresholds are asked; None for other models.
    """
    chosen = np.linspace(0, len(matrix) - 1, min(REAL_ROWS, len(matrix))).round().astype(np.int64)
    return matrix[chosen] if forest is None else np.concatenate([matrix[chosen], edges_of(matrix, forest)])


def reference_of(
    manifest: Manifest,
    *,
    features: NDArray[np.float32],
    answers: NDArray[np.float32],
    training: NDArray[np.float32] | None,
    tolerance: float = 0.0,
) -> Reference:
    """Rows, the trainer's answers, and what is known of the training data.

    Args:
        manifest: Manifest of the model: bands, classes and scale.
        features: Rows that were asked, (row, band).
        answers: The trainer's probabilities, (row, class).
        training: Features of all training data, (row, band); None where they are not known. Runs then compare nothing with them.
        tolerance: See ``Reference``.
    """
    known: dict[str, Any] = {"percentiles": np.full((len(PERCENTS), len(manifest.bands)), np.nan)}
    if training is not None:
        physical = (training.astype(np.float64) - manifest.offset) / manifest.scale
        edges = np.ascontiguousarray(np.percentile(physical, EDGES, axis=0).T)
        counts = np.stack([count_values(physical[:, n : n + 1], edges[n]) for n in range(edges.shape[0])])
        known = {"percentiles": np.percentile(physical, PERCENTS, axis=0), "edges": edges, "counts": counts}
    return Reference(
        bands=manifest.bands,
        classes=tuple(c.name for c in manifest.classes),
        of=manifest.of,
        scale=manifest.scale,
        offset=manifest.offset,
        features=features,
        probabilities=answers,
        tolerance=tolerance,
        **known,
    )


def edges_of(matrix: NDArray[np.float32], forest: Forest) -> NDArray[np.float32]:
    """A middling row with one feature after the other at NaN, the infinities, and thresholds with their two neighbours.

    Args:
        matrix: Real rows, (row, feature).
        forest: Its thresholds are asked.
    """
    middle = np.median(matrix, axis=0).astype(np.float32)
    rows = [np.full_like(middle, np.nan)]
    for number in range(forest.features):
        cuts = forest.cuts_of_feature(number)
        few = cuts[np.unique(np.linspace(0, cuts.size - 1, min(_CUTS, cuts.size)).astype(np.int64))] if cuts.size else cuts
        sides = [np.nextafter(few, np.float32(-np.inf)), few, np.nextafter(few, np.float32(np.inf))]
        for value in np.concatenate([np.array([np.nan, -np.inf, np.inf], dtype=np.float32), *sides]):
            row = middle.copy()
            row[number] = value
            rows.append(row)
    return np.stack(rows).astype(np.float32)


def booster_answers(booster: "Booster", features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities by LightGBM itself, (row, class), of features, (row, band)."""
    given = np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)
    both = given if given.ndim == 2 else np.stack([1.0 - given, given], axis=1)
    return both.astype(np.float32)
