"""What fits a model: judged and written in one way, whatever kind of model it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from swath.inference.forest_predictor import ForestPredictor
from swath.inference.lightgbm_text import parse_lightgbm
from swath.inference.manifest import Manifest
from swath.inference.reference import Reference
from swath.training.calibrate import HeldOut
from swath.training.fit import class_numbers, feature_matrix, fit_booster, fit_forest
from swath.training.recipe import TrainingRecipe
from swath.training.reference import booster_answers, reference_of, rows_to_ask
from swath.training.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedNative:
    """Weights as the library that trained keeps them, for MLflow's flavour of it.

    Args:
        flavour: Flavour of MLflow.
        name: File name.
        content: Content of the file; data, no code.
        version: Version of the library.
    """

    flavour: Literal["lightgbm"]
    name: str
    content: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What fitting leaves.

    Args:
        weights: Content of the file of weights.
        reference: Rows with the trainer's own answers.
        native: Weights as their library keeps them; None where MLflow reads ours.
    """

    weights: bytes
    reference: Reference
    native: LearnedNative | None = None


class Learner(Protocol):
    """Fits models of one kind by one recipe."""

    @property
    def stated(self) -> Mapping[str, Any]:
        """What of it is a part of the manifest."""
        ...

    def held_out(self, split: Split) -> HeldOut:
        """Fit on one side of a split; answers on the other."""
        ...

    def fit(self, samples: pd.DataFrame, *, manifest: Manifest) -> Learned:
        """Fit on all samples."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestLearner:
    """Forests of boosted trees, by LightGBM."""

    recipe: TrainingRecipe

    @property
    def stated(self) -> Mapping[str, Any]:
        """Nothing: a forest takes features as they are."""
        return {}

    def held_out(self, split: Split) -> HeldOut:
        """Fit on one side of a split; answers on the other."""
        predictor = ForestPredictor(fit_forest(split.training, recipe=self.recipe))
        features = np.ascontiguousarray(feature_matrix(split.held_out, recipe=self.recipe).T)
        return HeldOut(
            probabilities=predictor.predict(features),
            truth=class_numbers(split.held_out, recipe=self.recipe),
            polygons=split.held_out["polygon_id"].to_numpy(dtype=str),
        )

    def fit(self, samples: pd.DataFrame, *, manifest: Manifest) -> Learned:
        """Fit on all samples."""
        booster = fit_booster(samples, recipe=self.recipe)
        text = booster.model_to_string()
        forest, matrix = parse_lightgbm(text), feature_matrix(samples, recipe=self.recipe)
        rows = rows_to_ask(matrix, forest)
        reference = reference_of(manifest, features=rows, answers=booster_answers(booster, rows), training=matrix)
        native = LearnedNative(flavour="lightgbm", name="model.lgb", content=text, version=version("lightgbm"))
        return Learned(weights=forest.to_bytes(), reference=reference, native=native)
