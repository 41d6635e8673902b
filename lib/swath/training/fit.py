"""Fitting a forest of boosted trees; the same samples give the same forest."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.forest import MAX_THRESHOLDS, Forest
from swath.inference.lightgbm_text import parse_lightgbm
from swath.training.recipe import TrainingRecipe

if TYPE_CHECKING:
    from lightgbm import Booster


def fit_forest(samples: pd.DataFrame, *, recipe: TrainingRecipe) -> Forest:
    """Fit LightGBM on samples and convert it; see ``fit_booster``."""
    return parse_lightgbm(fit_booster(samples, recipe=recipe).model_to_string())


def fit_booster(samples: pd.DataFrame, *, recipe: TrainingRecipe) -> "Booster":
    """Fit LightGBM on samples.

    Each class weighs the same however many pixels were labelled: areas drawn by hand say nothing of how frequent a
    class is.

    Args:
        samples: Samples from ``samples_of``.
        recipe: Names the features, the classes and the settings.

    Raises:
        ConfigError: A class has no samples, or there is a label that is no class.
    """
    # Imported here: it costs a second, and a process that has it loaded must not fork and then use threads.
    import lightgbm  # noqa: PLC0415

    truth = class_numbers(samples, recipe=recipe)
    counts = np.bincount(truth, minlength=len(recipe.classes))
    if not counts.all():
        absent = [c.name for c, n in zip(recipe.classes, counts, strict=True) if not n]
        msg = f"no usable samples of class {', '.join(absent)}: label polygons of it inside the scenes"
        raise ConfigError(msg)
    weight = truth.size / (counts.size * counts[truth])
    data = lightgbm.Dataset(
        feature_matrix(samples, recipe=recipe), label=truth, weight=weight, params=_data_settings(), free_raw_data=True
    )
    return lightgbm.train(_settings(recipe), data, num_boost_round=recipe.forest.trees)


def feature_matrix(samples: pd.DataFrame, *, recipe: TrainingRecipe) -> NDArray[np.float32]:
    """Features, (pixel, feature), float32."""
    return samples[list(recipe.features.bands)].to_numpy(dtype=np.float32)


def class_numbers(samples: pd.DataFrame, *, recipe: TrainingRecipe) -> NDArray[np.int64]:
    """Index of each sample's class among the recipe's, (pixel,).

    Raises:
        ConfigError: A label is no class of the recipe.
    """
    order = {c.name: i for i, c in enumerate(recipe.classes)}
    unknown = sorted(set(samples["label"]) - set(order))
    if unknown:
        msg = f"labels {', '.join(unknown)} are not classes of the recipe, which has {', '.join(order)}"
        raise ConfigError(msg)
    return np.array([order[label] for label in samples["label"]], dtype=np.int64)


def _data_settings() -> dict[str, object]:
    # No branch for missing values: pixels with an invalid feature are never predicted.
    return {"max_bin": MAX_THRESHOLDS, "use_missing": False, "verbose": -1, "num_threads": 1}


def _settings(recipe: TrainingRecipe) -> dict[str, object]:
    classes = len(recipe.classes)
    objective = {"objective": "multiclass", "num_class": classes} if classes > 2 else {"objective": "binary"}
    return {
        **_data_settings(),
        **objective,
        "num_leaves": recipe.forest.leaves,
        "learning_rate": recipe.forest.learning_rate,
        "min_data_in_leaf": recipe.forest.min_leaf_px,
        "seed": 0,
        "deterministic": True,
        "force_col_wise": True,
    }
