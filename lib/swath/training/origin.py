"""Data and code of a training, as MLflow shows them: datasets with their digests, the commit, the recipe."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swath.inference.manifest import Manifest
from swath.inference.run_facts import COMMIT_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

#: Longest digest of a dataset that MLflow keeps; the whole is in a tag beside it.
_MAX_DIGEST = 36
#: What MLflow asks of a dataset: training or evaluation.
_CONTEXT = "mlflow.data.context"
RECIPE_TAG = "swath.recipe_sha256"


def log_origin(client: "MlflowClient", run_id: str, *, manifest: Manifest) -> None:
    """Log the samples as datasets, the recipe, and the commit of the code that trains.

    Args:
        client: Client of the registry.
        run_id: The training run.
        manifest: What training wrote down.
    """
    training = manifest.training
    text = json.dumps(training["recipe"], sort_keys=True, indent=2) + "\n"
    client.set_tag(run_id, RECIPE_TAG, hashlib.sha256(text.encode()).hexdigest())
    client.log_text(run_id, text, "recipe.json")
    client.set_tag(run_id, "swath.code", training["code"])
    commit = commit_here()
    if commit:
        client.set_tag(run_id, COMMIT_TAG, commit)
    client.log_inputs(run_id, datasets=list(_datasets(training, name=manifest.name)))


def commit_here() -> str:
    """Commit of the checkout that this code is executed from; empty where it is an installed package or git is absent."""
    try:
        words = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return "" if done.returncode else done.stdout.strip()


def _datasets(training: Mapping[str, Any], *, name: str) -> "Iterator[DatasetInput]":
    scenes = list(training["scenes"])
    yield _dataset(
        f"{name} samples", training["samples_sha256"], context="training", scenes=scenes,
        profile={"samples": training["samples"], "samples_by_class": training["samples_by_class"]},
    )  # fmt: skip
    if "frozen_sha256" in training:
        profile = {"polygons": training["frozen_polygons"]}
        yield _dataset(f"{name} frozen", training["frozen_sha256"], context="evaluation", scenes=scenes, profile=profile)


def _dataset(name: str, sha256: str, *, context: str, scenes: list[str], profile: Mapping[str, Any]) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415 (costs seconds: only where models are trained)

    made = Dataset(
        name=name, digest=sha256[:_MAX_DIGEST], source_type="swath", source=json.dumps({"scenes": scenes}),
        profile=json.dumps(profile),
    )  # fmt: skip
    return DatasetInput(made, [InputTag(_CONTEXT, context), InputTag("swath.sha256", sha256)])
