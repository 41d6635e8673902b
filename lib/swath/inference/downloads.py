"""Files of a version as MLflow hands them out: the model, and its signature."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swath.inference.address import fetched
from swath.inference.signature import place_signature
from swath.inference.tracking import ask, in_our_words, is_file
from swath.inference.version_log import SIGNATURE

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """What a registry hands out.

    Args:
        client: MLflow's client of the registry.
        uri: Its address.
    """

    client: "MlflowClient"
    uri: str

    def model(self, found: "ModelVersion", *, into: Path) -> Path:
        """A version's files in a folder below ``into``; nothing of them is looked at.

        Raises:
            ConfigError: They cannot be had.
        """
        from mlflow.artifacts import download_artifacts  # noqa: PLC0415  a server's registry alone pays for MLflow

        called = f"{found.name}/{found.version}"
        source = ask(lambda: self.client.get_model_version_download_uri(found.name, found.version), uri=self.uri, asked=called)
        asked = f"files of {called}"

        def download() -> str:
            return str(download_artifacts(artifact_uri=source, dst_path=str(into), tracking_uri=self.uri))

        with in_our_words(uri=self.uri, asked=asked):
            return Path(download() if is_file(self.uri) else fetched(download, into=into, uri=self.uri, asked=asked))

    def signature(self, found: "ModelVersion", *, beside: Path) -> None:
        """Put the signature of a version beside its folder; nothing where the version is not signed.

        Raises:
            ConfigError: The version says that it is signed, and its run has no signature, or it cannot be had.
        """
        if not found.tags.get("signature") or not found.run_id:
            return
        aside, run_id = beside.with_name("signatures"), found.run_id
        aside.mkdir()
        called = f"{found.name}/{found.version}"
        folder = ask(
            lambda: self.client.download_artifacts(run_id, SIGNATURE, str(aside)),
            uri=self.uri,
            asked=f"the signature of {called}",
        )
        place_signature(Path(folder), beside=beside, called=called)
