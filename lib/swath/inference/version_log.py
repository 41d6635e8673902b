"""A model becomes a version in MLflow: its files, its signatures, what it says of itself."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from swath.inference.manifest import Manifest
from swath.inference.mlmodel import NativeWeights, write_mlmodel
from swath.inference.run_facts import DIGEST_PARAMETER
from swath.inference.signature import hint_of, signature_beside

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

#: Where a model is among the artifacts of the run that made it.
ARTIFACT = "model"
SIGNATURE = "signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEntry:
    """What is registered.

    Args:
        name: Registered name.
        directory: Folder of the model, admitted; its signature is beside it.
        manifest: Manifest of the model.
        digest: Digest of the folder.
        more: Tags of the version beside our own.
        beside: Files that become artifacts of the run, by folder.
        native: The weights as the library that trained keeps them.
    """

    name: str
    directory: Path
    manifest: Manifest
    digest: str
    more: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, Path] = field(default_factory=dict)
    native: NativeWeights | None = None

    def tags(self) -> Mapping[str, str]:
        """Tags of the version."""
        signature = signature_beside(self.directory)
        signed = {"signature": hint_of(signature)} if signature.is_file() else {}
        manifest = self.manifest
        tags = {**signed, **self.more, "digest": self.digest, "kind": manifest.kind, "licence": manifest.licence}
        return tags | {f"metric.{k}": repr(v) for k, v in manifest.metrics.items()}


def log_version(client: "MlflowClient", entry: VersionEntry, *, run_id: str) -> "ModelVersion":
    """Log a model to a run and make it the next version of its name."""
    tags, signature = dict(entry.tags()), signature_beside(entry.directory)
    client.log_param(run_id, DIGEST_PARAMETER, entry.digest)
    client.log_artifacts(run_id, str(entry.directory), artifact_path=ARTIFACT)
    with tempfile.TemporaryDirectory() as scratch:
        write_mlmodel(Path(scratch), manifest=entry.manifest, native=entry.native, run_id=run_id)
        client.log_artifacts(run_id, scratch, artifact_path=ARTIFACT)
    if signature.is_file():
        client.log_artifact(run_id, str(signature), artifact_path=SIGNATURE)
    for folder, path in entry.beside.items():
        client.log_artifact(run_id, str(path), artifact_path=folder)
    _ensure_named(client, entry.name)
    source = f"{client.get_run(run_id).info.artifact_uri}/{ARTIFACT}"
    return client.create_model_version(entry.name, source=source, run_id=run_id, tags=tags)


def finished_run(client: "MlflowClient", experiment: str, *, name: str) -> str:
    """A run of its own for a model that none was made for."""
    run_id = str(client.create_run(experiment, run_name=f"register {name}").info.run_id)
    client.set_terminated(run_id)
    return run_id


def _ensure_named(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 (costs seconds: only where it is used)

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
