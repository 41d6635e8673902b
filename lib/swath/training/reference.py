"""Reference rows of a forest: real samples, and rows at the edges of its decisions, with LightGBM's own answers."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swath.algo.feature_counts import count_values
from swath.inference.forest import Forest
from swath.inference.reference import PERCENTS, Reference
from swath.training.fit import feature_matrix
from swath.training.recipe import TrainingRecipe

if TYPE_CHECKING:
    from lightgbm import Booster

#: Real rows, spread evenly over the samples.
REAL_ROWS: Final = 256
#: Thresholds of each feature whose two sides are asked.
_CUTS: Final = 16
#: Per cent of the training data below the edges of the bins that its histogram has: twenty alike, and both ends.
EDGES: Final = (PERCENTS[0], *range(5, 100, 5), PERCENTS[-1])


def reference_of(booster: "Booster", forest: Forest, samples: pd.DataFrame, *, recipe: TrainingRecipe) -> Reference:
    """Rows and the trainer's answers.

    Args:
        booster: Booster that LightGBM fitted.
        forest: The same as arrays; its thresholds are asked.
        samples: Samples that the booster was fitted on.
        recipe: Names bands and classes.
    """
    matrix = feature_matrix(samples, recipe=recipe)
    chosen = np.linspace(0, len(matrix) - 1, min(REAL_ROWS, len(matrix))).round().astype(np.int64)
    features = np.concatenate([matrix[chosen], edges_of(matrix, forest)])
    wanted = recipe.features
    physical = (matrix.astype(np.float64) - wanted.offset) / wanted.scale
    edges = np.ascontiguousarray(np.percentile(physical, EDGES, axis=0).T)
    return Reference(
        bands=wanted.bands,
        classes=tuple(c.name for c in recipe.classes),
        of=wanted.of,
        scale=wanted.scale,
        offset=wanted.offset,
        features=features,
        probabilities=_answers(booster, features),
        percentiles=np.percentile(physical, PERCENTS, axis=0),
        edges=edges,
        counts=np.stack([count_values(physical[:, n : n + 1], edges[n]) for n in range(edges.shape[0])]),
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


def _answers(booster: "Booster", features: NDArray[np.float32]) -> NDArray[np.float32]:
    given = np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)
    both = given if given.ndim == 2 else np.stack([1.0 - given, given], axis=1)
    return both.astype(np.float32)
