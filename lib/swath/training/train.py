"""From samples to a registered model: judge on held-out polygons, fit on all, write, log, register."""

import hashlib
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd

from swath import __version__
from swath.errors import ConfigError
from swath.inference.bundle import FROZEN
from swath.inference.calibration import Calibration, ErrorMatrix
from swath.inference.listing import RegisteredModel
from swath.inference.manifest import CARD_FILE, MANIFEST_FILE, Manifest
from swath.inference.mlmodel import NativeWeights
from swath.inference.reference import REFERENCE_FILE
from swath.inference.registry import Registry
from swath.training.calibrate import Calibrated, HeldOut, polygons_by_class
from swath.training.candidate import ModelCandidate, NotPromotedError, give_alias
from swath.training.card import card_of
from swath.training.draw import Drawn
from swath.training.frozen import FrozenSamples, split_frozen
from swath.training.learner import ForestLearner, Learned, Learner
from swath.training.metrics import ModelMetrics
from swath.training.origin import log_origin
from swath.training.picture import confusion_figure, reliability_figure
from swath.training.recipe import TrainingRecipe
from swath.training.split import split_by_polygon
from swath.training.tiles import LabelledTiles
from swath.training.unet_learner import UnetLearner, need_torch

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How good models of a recipe are on polygons that they have not seen.

    Args:
        splits: Metrics of each split.
        pooled: Metrics over all splits together.
        calibrated: What calibrating does on polygons it did not learn from either; None where the recipe asks for none.
        held_out: Answers of each split's model on its held-out polygons.
    """

    splits: tuple[ModelMetrics, ...]
    pooled: ModelMetrics
    calibrated: Calibrated | None = None
    held_out: tuple[HeldOut, ...] = ()

    @property
    def stated(self) -> dict[str, Any]:
        """What of it is a part of the manifest, beside the metrics."""
        if self.calibrated is None:
            return {}
        matrix = ErrorMatrix(
            confusion=tuple(map(tuple, self.pooled.confusion.tolist())),
            polygons=polygons_by_class(self.held_out, classes=len(self.pooled.names)),
        )
        return {"calibration": Calibration(temperature=self.calibrated.temperature), "error_matrix": matrix}

    def flat(self) -> Mapping[str, float]:
        """Pooled numbers by name, except accuracy and kappa: means over the splits, and the worst accuracy."""
        accuracies = [m.accuracy for m in self.splits]
        means = {
            "accuracy": fmean(accuracies),
            "accuracy_min": min(accuracies),
            "kappa": fmean(m.kappa for m in self.splits),
        }
        return {**self.pooled.flat(), **means, **(self.calibrated.flat() if self.calibrated is not None else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What training leaves.

    Args:
        model: Registered model.
        judgement: Scores on held-out polygons.
        run_id: MLflow run with parameters, metrics and the confusion matrix.
        refused: Scenes that gave no samples, and why.
        provenance: Scenes, digest of the samples and recipe, as the manifest has them.
        not_promoted: Why the alias that was asked for stays where it is; empty when it was given or not asked for.
    """

    model: RegisteredModel
    judgement: Judgement
    run_id: str
    refused: Mapping[str, str] = field(default_factory=dict)
    not_promoted: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """JSON-able, for the command line."""
        model = {"name": self.model.name, "version": self.model.version, "digest": self.model.digest}
        told = {**model, "aliases": list(self.model.aliases), "run_id": self.run_id, "refused": dict(self.refused)}
        return {**told, "metrics": dict(self.model.metrics), "not_promoted": self.not_promoted}


def train(drawn: Drawn, *, recipe: TrainingRecipe, registry: Registry, alias: str | None = None, name: str = "") -> Trained:
    """Judge, fit, log and register a model; the same samples and recipe give the same model, byte for byte.

    Args:
        drawn: The samples.
        recipe: Training recipe.
        registry: Registry that receives the model.
        alias: Alias that the new version asks for, when given: it gets it if it is no worse than the version that has it.
        name: Registered name; the recipe's when empty.

    Raises:
        ConfigError: No samples, a class without enough polygons, or an unknown label.
    """
    if drawn.samples.empty:
        reasons = "; ".join(drawn.refused.values()) or "no polygon is inside a scene, or its pixels are not valid"
        msg = f"there are no samples to train on: {reasons}"
        raise ConfigError(msg)
    samples, aside = split_frozen(drawn.samples, share=recipe.frozen)
    frozen = FrozenSamples.of_samples(aside, recipe=recipe, tiles=drawn.tiles).to_bytes() if len(aside) else b""
    learner = learner_of(recipe, tiles=drawn.tiles)
    judgement = judge(samples, recipe=recipe, learner=learner)
    provenance = _provenance(samples, recipe=recipe) | (_of_frozen(aside, frozen) if frozen else {})
    manifest = recipe.manifest(metrics=judgement.flat(), training=provenance, **learner.stated, **judgement.stated)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) / "model"
        learned = write_model(directory, samples, recipe=recipe, manifest=manifest, judgement=judgement, learner=learner)
        native = _native(learned, scratch=Path(scratch))
        with _training_run(registry, f"train {recipe.name}") as (client, run_id):
            _log(client, run_id, manifest=manifest, judgement=judgement)
            if frozen:
                _log_frozen(client, run_id, frozen, scratch=Path(scratch))
            log_origin(client, run_id, manifest=manifest)
            model = registry.register(directory, name=name, run_id=run_id, native=native)
    model, not_promoted = _promoted(model, registry=registry, alias=alias)
    return Trained(
        model=model,
        judgement=judgement,
        run_id=run_id,
        refused=drawn.refused,
        not_promoted=not_promoted,
        provenance=provenance,
    )


@contextmanager
def _training_run(registry: Registry, name: str) -> "Iterator[tuple[MlflowClient, str]]":
    """A run of MLflow, by its client and id; failed when the block fails."""
    client = registry.client()
    run_id = str(client.create_run(registry.experiment_id(), run_name=name).info.run_id)
    try:
        yield client, run_id
    except BaseException:
        client.set_terminated(run_id, status="FAILED")
        raise
    client.set_terminated(run_id)


def _promoted(model: RegisteredModel, *, registry: Registry, alias: str | None) -> tuple[RegisteredModel, str]:
    """The model with the alias that it asks for, or as it is with the reason why it did not get it."""
    if not alias:
        return model, ""
    try:
        return give_alias(registry, ModelCandidate(name=model.name, version=model.version, alias=alias), say=_LOG.info), ""
    except NotPromotedError as error:
        return model, str(error)


def check_trainable(recipe: TrainingRecipe) -> None:
    """Refuse a recipe before samples are drawn for it.

    Raises:
        ConfigError: It is of a U-Net, and PyTorch is not installed.
    """
    if recipe.unet is not None:
        need_torch()


def learner_of(recipe: TrainingRecipe, *, tiles: LabelledTiles | None = None) -> Learner:
    """What fits the models of a recipe.

    Args:
        recipe: The recipe.
        tiles: What is around the samples; a U-Net needs it.

    Raises:
        ConfigError: The recipe is of a U-Net, and there are no tiles.
    """
    if recipe.unet is None:
        return ForestLearner(recipe=recipe)
    if tiles is None:
        msg = f"recipe {recipe.name!r} trains a network that looks around: draw its samples with tiles (`swath train` does)"
        raise ConfigError(msg)
    return UnetLearner(recipe=recipe, settings=recipe.unet, tiles=tiles)


def judge(samples: pd.DataFrame, *, recipe: TrainingRecipe, learner: Learner | None = None) -> Judgement:
    """Fit and test on ``recipe.splits`` splits by polygon; by a forest without a learner.

    Raises:
        ConfigError: A class without two polygons, or an unknown label.
    """
    seeds = range(recipe.seed, recipe.seed + recipe.splits)
    splits = [split_by_polygon(samples, seed=s, held_out=recipe.held_out) for s in seeds]
    by = learner or learner_of(recipe)
    held = tuple(by.held_out(split) for split in splits)
    names = tuple(c.name for c in recipe.classes)
    metrics = tuple(ModelMetrics.of(h.truth, h.winner, names=names) for h in held)
    calibrated = Calibrated.of(held) if recipe.calibration == "temperature" else None
    return Judgement(splits=metrics, pooled=ModelMetrics.pooled(metrics), calibrated=calibrated, held_out=held)


def write_model(
    directory: Path, samples: pd.DataFrame, *, recipe: TrainingRecipe, manifest: Manifest, judgement: Judgement,
    learner: Learner | None = None,
) -> Learned:  # fmt: skip
    """Fit on all samples and write the model directory: weights, reference rows, manifest, card; gives what was fitted."""
    directory.mkdir(parents=True)
    by = learner or learner_of(recipe)
    learned = by.fit(samples, manifest=manifest)
    (directory / manifest.weights).write_bytes(learned.weights)
    (directory / REFERENCE_FILE).write_bytes(learned.reference.to_bytes())
    (directory / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    card = card_of(manifest, title=recipe.title, metrics=judgement.pooled, calibrated=judgement.calibrated)
    (directory / CARD_FILE).write_text(card, encoding="utf-8")
    return learned


def _native(learned: Learned, *, scratch: Path) -> NativeWeights | None:
    """The weights as their library keeps them: MLflow's flavour of it reads them."""
    if learned.native is None:
        return None
    path = scratch / learned.native.name
    path.write_text(learned.native.content, encoding="utf-8")
    return NativeWeights(flavour=learned.native.flavour, path=path, version=learned.native.version)


def _provenance(samples: pd.DataFrame, *, recipe: TrainingRecipe) -> dict[str, Any]:
    """Where the model comes from; nothing that changes when nothing changed (no time, no machine)."""
    polygons = samples[["polygon_id", "label"]].drop_duplicates()
    hashed = pd.util.hash_pandas_object(samples, index=False).to_numpy()
    return {
        "code": f"swath {__version__}",
        "recipe": recipe.plain(),
        "scenes": sorted(samples["scene_id"].unique().tolist()),
        "samples": len(samples),
        "samples_sha256": hashlib.sha256(hashed.astype("<u8").tobytes()).hexdigest(),
        "samples_by_class": {str(k): int(v) for k, v in samples["label"].value_counts(sort=False).sort_index().items()},
        "polygons_by_class": {str(k): int(v) for k, v in polygons["label"].value_counts().sort_index().items()},
        "splits": recipe.splits,
        "held_out": recipe.held_out,
    }


def _of_frozen(aside: pd.DataFrame, frozen: bytes) -> dict[str, Any]:
    return {"frozen_sha256": hashlib.sha256(frozen).hexdigest(), "frozen_polygons": int(aside["polygon_id"].nunique())}


def _log_frozen(client: "MlflowClient", run_id: str, frozen: bytes, *, scratch: Path) -> None:
    path = scratch / f"{hashlib.sha256(frozen).hexdigest()}.npz"
    path.write_bytes(frozen)
    client.log_artifact(run_id, str(path), artifact_path=FROZEN)


def _log(client: "MlflowClient", run_id: str, *, manifest: Manifest, judgement: Judgement) -> None:
    recipe = manifest.training["recipe"]
    for group in ("features", "forest", "unet"):
        for key, value in recipe.get(group, {}).items():
            client.log_param(run_id, f"{group}.{key}", value)
    for key in ("splits", "held_out", "seed"):
        client.log_param(run_id, key, recipe[key])
    for key, number in manifest.metrics.items():
        client.log_metric(run_id, key, number)
    for step, metrics in enumerate(judgement.splits):
        client.log_metric(run_id, "split_accuracy", metrics.accuracy, step=step)
    pooled = judgement.pooled
    client.log_dict(run_id, {"classes": list(pooled.names), "rows_are_truth": pooled.confusion.tolist()}, "confusion.json")
    client.log_figure(run_id, confusion_figure(pooled), "confusion.png")
    if judgement.calibrated is not None:
        client.log_dict(run_id, judgement.calibrated.plain(), "reliability.json")
        client.log_figure(run_id, reliability_figure(judgement.calibrated), "reliability.png")
