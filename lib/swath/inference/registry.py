"""Names, versions and aliases of models, kept by MLflow. For the driver only; workers get a path and a digest."""

import logging
import os
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from swath.errors import ConfigError
from swath.inference.admission import admit
from swath.inference.digest import model_digest
from swath.inference.model_store import VARIABLE as EXPORTED
from swath.inference.model_store import ModelStore
from swath.inference.pinned import PinnedModel, pin

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

EXPERIMENT = "swath"
#: Where a model lies among the artifacts of the run that made it.
ARTIFACT = "model"
_PAGE = 1000
_REFERENCE = re.compile(r"(?:models:/)?(?P<name>[^/@:]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """One version of a model as the registry lists it."""

    name: str
    version: str
    digest: str
    aliases: tuple[str, ...]
    kind: str = ""
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """An MLflow registry.

    Args:
        uri: MLflow tracking URI (``sqlite:///...``, ``https://...``).
        artifacts: Where runs keep their artifacts when the registry is a database file; a server knows itself.
        cache: Where pinned models lie.
        exported: A store of exported models, which runs use instead of the registry; empty without one.
    """

    uri: str
    artifacts: Path
    cache: Path
    exported: str = ""

    @classmethod
    def beside(cls, output: Path, *, uri: str | None = None) -> Self:
        """The registry at ``uri``, or of MLFLOW_TRACKING_URI, or an SQLite file under ``output``/models.

        A site that has exported models instead names their store in SWATH_MODELS.
        """
        home = output.resolve() / "models"
        chosen = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}"
        exported = os.environ.get(EXPORTED, "") if uri is None else ""
        return cls(uri=chosen, artifacts=home / "artifacts", cache=home / "pinned", exported=exported)

    def resolve(self, reference: str) -> PinnedModel:
        """Pin a model: alias -> version -> files -> private copy -> digest, each once.

        Args:
            reference: ``models:/name@alias``, ``models:/name/3``, the same without ``models:/``, or a directory.

        Raises:
            ConfigError: There is no such model, or its files are not those that were registered.
        """
        match = _REFERENCE.fullmatch(reference)
        if match is None or Path(reference).is_dir():
            return self._local(reference)
        if self.exported:
            return ModelStore.at(self.exported).resolve(reference, cache=self.cache)
        found = self._version(match["name"], alias=match["alias"], version=match["version"])
        with tempfile.TemporaryDirectory() as scratch:
            directory = self._download(found, Path(scratch))
            pinned = pin(directory, cache=self.cache, name=found.name, version=str(found.version))
        promised = found.tags.get("digest")
        if promised and promised != pinned.digest:
            msg = f"{reference}: registered with digest {promised}, its files now have {pinned.digest}; register it anew"
            raise ConfigError(msg)
        return pinned

    def _local(self, reference: str) -> PinnedModel:
        if not Path(reference).is_dir():
            msg = (
                f"{reference!r} names no model: expected models:/<name>@<alias>, models:/<name>/<version>, "
                "<name>@<alias> or a model directory; `swath models list` shows what is registered"
            )
            raise ConfigError(msg)
        return pin(Path(reference), cache=self.cache)

    def register(self, directory: Path, *, name: str = "", run_id: str | None = None) -> RegisteredModel:
        """Log a model directory as artifacts and make it the next version of ``name``.

        Args:
            directory: The model.
            name: Registered name; the manifest's when empty.
            run_id: The training run to log to; a new one otherwise.

        Raises:
            ConfigError: It is no model that ``admit`` takes, or the registry cannot be reached.
        """
        manifest, digest = admit(directory), model_digest(directory)
        client, name = self.client(), name or manifest.name
        if run_id is None:
            run = client.create_run(self.experiment_id(), run_name=f"register {name}")
            client.set_terminated(run.info.run_id)
            run_id = run.info.run_id
        client.log_artifacts(run_id, str(directory), artifact_path=ARTIFACT)
        self._ensure_named(client, name)
        tags = {"digest": digest, "kind": manifest.kind, "licence": manifest.licence}
        tags |= {f"metric.{k}": repr(v) for k, v in manifest.metrics.items()}
        source = f"{client.get_run(run_id).info.artifact_uri}/{ARTIFACT}"
        made = client.create_model_version(name, source=source, run_id=run_id, tags=tags)
        return _listed(made)

    def promote(self, name: str, *, version: str, alias: str) -> RegisteredModel:
        """Point an alias at a version; whoever resolves the alias from now on gets it.

        Raises:
            ConfigError: There is no such version.
        """
        self._version(name, alias=None, version=version)
        self.client().set_registered_model_alias(name, alias, version)
        return _listed(self._version(name, alias=None, version=version))

    def list(self, name: str = "") -> tuple[RegisteredModel, ...]:
        """All versions, newest first, of one model or of all."""
        client = self.client()
        names = [m.name for m in client.search_registered_models(max_results=_PAGE)] if not name else [name]
        return tuple(_listed(client.get_model_version(n, v.version)) for n in names for v in _versions(client, n))

    def client(self) -> "MlflowClient":
        """An MLflow client of this registry."""
        # Sites without a link outwards must not wait for it.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        if self.uri.startswith("sqlite:///"):
            Path(urlsplit(self.uri).path[1:]).parent.mkdir(parents=True, exist_ok=True)
        from mlflow import MlflowClient  # noqa: PLC0415 (costs two seconds: only where it is used)

        # A new registry file is no news for whoever runs a pipeline.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        with warnings.catch_warnings():
            # SQLAlchemy 2.1 warns about how MLflow 3.17 declares its tables; nobody here can mend that.
            warnings.filterwarnings("ignore", message=".*noload.*", category=DeprecationWarning)
            return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def experiment_id(self) -> str:
        """The experiment that all training runs belong to; made at first use."""
        client = self.client()
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        # A database file has no artifact store of its own; MLflow would put it under the current folder.
        location = self.artifacts.resolve().as_uri() if self.uri.startswith("sqlite:") else None
        return str(client.create_experiment(EXPERIMENT, artifact_location=location))

    def _version(self, name: str, *, alias: str | None, version: str | None) -> "ModelVersion":
        client = self.client()
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 (as above)

        try:
            if alias is not None:
                return client.get_model_version_by_alias(name, alias)
            return client.get_model_version(name, str(version))
        except MlflowException as error:
            wanted = f"{name}@{alias}" if alias is not None else f"{name}/{version}"
            msg = f"the model registry {_public(self.uri)} has no {wanted}: {error.message}{_there(client, name)}"
            raise ConfigError(msg) from error

    def _download(self, found: "ModelVersion", scratch: Path) -> Path:
        from mlflow.artifacts import download_artifacts  # noqa: PLC0415 (as above)

        source = self.client().get_model_version_download_uri(found.name, found.version)
        return Path(download_artifacts(artifact_uri=source, dst_path=str(scratch), tracking_uri=self.uri))

    @staticmethod
    def _ensure_named(client: "MlflowClient", name: str) -> None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 (as above)

        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def _there(client: "MlflowClient", name: str) -> str:
    """What the registry holds instead of what was asked for; empty if it does not say."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 (as above)

    try:
        models = {m.name: m for m in client.search_registered_models(max_results=_PAGE)}
        if name not in models:
            return f"; it holds {', '.join(sorted(models)) or 'no model'}"
        aliases = ", ".join(f"{a} (version {v})" for a, v in sorted(models[name].aliases.items()))
        versions = ", ".join(str(v.version) for v in _versions(client, name))
    except MlflowException:
        return ""
    return f"; {name} has the aliases: {aliases or 'none'}; the versions: {versions or 'none'}"


def _versions(client: "MlflowClient", name: str) -> "list[ModelVersion]":
    quoted = name.replace("'", "")
    found = client.search_model_versions(f"name = '{quoted}'")
    return sorted(found, key=lambda v: -int(v.version))


def _listed(version: "ModelVersion") -> RegisteredModel:
    tags: Mapping[str, Any] = version.tags
    return RegisteredModel(
        name=version.name,
        version=str(version.version),
        digest=str(tags.get("digest", "")),
        aliases=tuple(sorted(version.aliases)),
        kind=str(tags.get("kind", "")),
        licence=str(tags.get("licence", "")),
        metrics={k.removeprefix("metric."): float(v) for k, v in tags.items() if k.startswith("metric.")},
    )


def _public(uri: str) -> str:
    """The URI without user and password."""
    scheme, mark, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
