"""Names, versions and aliases of models, kept by MLflow. For the driver only; workers get a path and a digest."""

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from swath.errors import ConfigError
from swath.inference.address import AbsentError, public
from swath.inference.admission import AdmissionTerms, admit, findings_of
from swath.inference.digest import model_digest
from swath.inference.downloads import Downloads
from swath.inference.findings import Finding
from swath.inference.foreign import refuse_foreign
from swath.inference.listing import PAGE, RegisteredModel, held_instead, listed, versions_of
from swath.inference.lock import LockedModel, ModelLock, locked_copy, pinned_by
from swath.inference.manifest import read_manifest
from swath.inference.mlmodel import NativeWeights, remove_mlmodel
from swath.inference.model_store import ModelStore
from swath.inference.pinned import LOCAL_VERSION, PinnedModel, pin
from swath.inference.registry_file import list_of_file
from swath.inference.run_facts import check_digest, origin_of
from swath.inference.signature import hint_of, signature_beside
from swath.inference.tracking import ask, client_of, in_our_words, is_file, need_mlflow
from swath.inference.version_file import version_of_file
from swath.inference.version_log import VersionEntry, finished_run, log_version
from swath.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

EXPERIMENT = "swath"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_FILES: Mapping[str, Path] = MappingProxyType({})
_RELOCK = "find out who changed it, or take it with `swath models lock --update`"
_REFERENCE = re.compile(r"(?:models:/)?(?P<name>[^/@:]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """An MLflow registry.

    Args:
        uri: MLflow tracking URI (``sqlite:///...``, ``https://...``).
        artifacts: Root of the runs' artifacts if the registry is a database file; a server has its own.
        cache: Folder of pinned models.
        exported: A store of exported models, which runs use instead of the registry; empty without one.
        lock: Meaning of references; with a lock nothing else is accepted.
    """

    uri: str
    artifacts: Path
    cache: Path
    exported: str = ""
    lock: ModelLock | None = None

    @classmethod
    def beside(cls, output: Path, *, uri: str | None = None) -> Self:
        """The registry at ``uri``, or of MLFLOW_TRACKING_URI, or an SQLite file under ``output``/models.

        A site that has exported models instead names their store in SWATH_MODELS.
        """
        home = output.resolve() / "models"
        chosen = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}"
        exported = Settings.of().models if uri is None else ""
        return cls(uri=chosen, artifacts=home / "artifacts", cache=home / "pinned", exported=exported)

    @property
    def home(self) -> Path:
        """The folder of what is kept beside the registry."""
        return self.artifacts.parent

    @property
    def absent(self) -> bool:
        """Whether it is a database of its own that has not been made: asking MLflow about it would make it, and its folder."""
        return self._file is not None and not self._file.exists()

    def resolve(self, reference: str) -> PinnedModel:
        """Pin a model: alias -> version -> files -> private copy -> digest, each once.

        Args:
            reference: ``models:/name@alias``, ``models:/name/3``, the same without ``models:/``, ``name/3@sha256:...``, or a
                directory.

        Raises:
            ConfigError: There is no such model, its files are not those that were registered or locked, or admission
                refuses them.
            RegistryAwayError: The registry does not answer.
        """
        pinned, terms = self._pinned(reference), AdmissionTerms.here()
        admit(pinned.path, called=reference, terms=terms)
        signature = signature_beside(pinned.path)
        return replace(pinned, signed_by=hint_of(signature)) if terms.keys and signature.exists() else pinned

    def origin(self, pinned: PinnedModel) -> Mapping[str, str]:
        """What the registry knows of where a version comes from: its run, the commit, and an earlier source.

        Models of folders and stores have none.
        """
        if self.exported or pinned.by_lock or pinned.version == LOCAL_VERSION:
            return {}
        return origin_of(self.client(), self._version(pinned.name, alias=None, version=pinned.version), uri=self.uri)

    def check(self, reference: str) -> tuple[Finding, ...]:
        """What admission says of a model; a directory is looked at where it is.

        Raises:
            ConfigError: There is no such model, or its files are not those that were registered.
        """
        directory = Path(reference)
        return findings_of(directory if directory.is_dir() else self._pinned(reference).path, called=reference)

    def _pinned(self, reference: str) -> PinnedModel:
        locked = self.lock.of(reference) if self.lock is not None else pinned_by(reference)
        return self._found(reference) if locked is None else self._locked(reference, locked)

    def _locked(self, reference: str, locked: LockedModel) -> PinnedModel:
        """A model by its digest: from this machine or a store, otherwise from the registry, compared with the lock."""
        copy = locked_copy(locked, cache=self.cache, exported=self.exported)
        if copy is not None:
            path, source = copy
            return PinnedModel(
                name=locked.name, version=locked.version, digest=locked.digest, path=path, manifest=read_manifest(path),
                source=source, by_lock=True,
            )  # fmt: skip
        found = self._found(reference if locked.version == LOCAL_VERSION else f"{locked.name}/{locked.version}")
        if found.digest != locked.digest:
            msg = f"{reference}: locked with digest {locked.digest}, {found.source} now has {found.digest}; {_RELOCK}"
            raise ConfigError(msg)
        return found

    def _found(self, reference: str) -> PinnedModel:
        match = _REFERENCE.fullmatch(reference)
        if match is None or Path(reference).is_dir():
            return self._local(reference)
        if self.exported:
            return ModelStore.at(self.exported).resolve(reference, cache=self.cache)
        asked = {"alias": match["alias"], "version": match["version"]}
        if self._file is not None and (here := version_of_file(self._file, name=match["name"], **asked)) is not None:
            return here.pinned(cache=self.cache, source=public(self.uri))
        found = self._version(match["name"], **asked)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            server = Downloads(client=self.client(), uri=self.uri)
            directory = server.model(found, into=Path(scratch))
            refuse_foreign(directory, called=f"{found.name}/{found.version}")
            remove_mlmodel(directory)
            server.signature(found, beside=directory)
            pinned = pin(directory, cache=self.cache, name=found.name, version=str(found.version), source=public(self.uri))
        check_digest(self.client(), found, pinned.digest, uri=self.uri)
        return pinned

    @property
    def _file(self) -> Path | None:
        """The database file that the registry is; None for a server."""
        folder, _, file = self.uri.partition("sqlite:///")
        return Path(file) if file and not folder else None

    def _local(self, reference: str) -> PinnedModel:
        if not Path(reference).is_dir():
            msg = (
                f"{reference!r} names no model: expected models:/<name>@<alias>, models:/<name>/<version>, "
                "<name>@<alias> or a model directory; `swath models list` shows what is registered"
            )
            raise AbsentError(msg)
        return pin(Path(reference), cache=self.cache)

    def register(
        self, directory: Path, *, name: str = "", run_id: str | None = None, more: Mapping[str, str] = _NOTHING,
        beside: Mapping[str, Path] = _NO_FILES, native: NativeWeights | None = None, called: str = "",
    ) -> RegisteredModel:  # fmt: skip
        """Log a model directory as artifacts and make it the next version of ``name``.

        Args:
            directory: The model; a signature beside it goes along.
            name: Registered name; the manifest's when empty.
            run_id: The training run to log to; a new one otherwise.
            more: Tags of the version beside our own: where the model comes from.
            beside: Files that become artifacts of the run, by folder.
            native: The weights as the library that trained keeps them, for MLflow's loaders.
            called: Name in messages, for folders that users have never heard of; the directory when empty.

        Raises:
            ConfigError: The directory is not a model that ``admit`` takes, or the registry cannot be reached.
        """
        manifest, digest = admit(directory, called=called), model_digest(directory)
        entry = VersionEntry(
            name=name or manifest.name, directory=directory, manifest=manifest, digest=digest, more=more, beside=beside,
            native=native,
        )  # fmt: skip
        client, experiment = self.client(), self.experiment_id() if run_id is None else ""
        with in_our_words(uri=self.uri, asked=f"registering {entry.name}"):
            return listed(log_version(client, entry, run_id=run_id or finished_run(client, experiment, name=entry.name)))

    def download(self, reference: str, *, into: Path) -> "tuple[ModelVersion, Path]":
        """A version as MLflow has it, and its files in a folder below ``into``: nothing of them is looked at.

        Raises:
            ConfigError: The reference is no version of a registry, or there is none.
        """
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            msg = f"{reference!r} names no version of a registry: expected models:/<name>/<version> or models:/<name>@<alias>"
            raise ConfigError(msg)
        found = self._version(match["name"], alias=match["alias"], version=match["version"])
        return found, Downloads(client=self.client(), uri=self.uri).model(found, into=into)

    def promote(self, name: str, *, version: str, alias: str) -> RegisteredModel:
        """Point an alias at a version; from now on the alias resolves to it.

        Raises:
            ConfigError: There is no such version, or it is none that a run would take.
        """
        self.resolve(f"{name}/{version}")
        client = self.client()
        with in_our_words(uri=self.uri, asked=f"{name}@{alias}"):
            before = client.get_registered_model(name).aliases.get(alias)
            client.set_registered_model_alias(name, alias, version)
            if before is not None and str(before) != version:
                client.set_registered_model_alias(name, previous_of(alias), str(before))
        return listed(self._version(name, alias=None, version=version))

    def version_of(self, name: str, *, alias: str) -> str:
        """The version that an alias means.

        Raises:
            AbsentError: There is no such model or alias.
        """
        return str(self._version(name, alias=alias, version=None).version)

    def list(self, name: str = "") -> tuple[RegisteredModel, ...]:
        """All versions, newest first, of one model or of all."""
        found = list_of_file(self._file, name=name) if self._file is not None else None
        if found is not None:
            return found
        client = self.client()

        def every() -> tuple[RegisteredModel, ...]:
            names = [m.name for m in client.search_registered_models(max_results=PAGE)] if not name else [name]
            return tuple(listed(client.get_model_version(n, v.version)) for n in names for v in versions_of(client, n))

        return ask(every, uri=self.uri, asked=name or "its models")

    def client(self) -> "MlflowClient":
        """An MLflow client of this registry.

        Raises:
            ConfigError: The address is none, or nothing answers there.
        """
        return client_of(self.uri)

    def experiment_id(self) -> str:
        """The experiment that all training runs belong to; made at first use."""
        client = self.client()
        found = ask(lambda: client.get_experiment_by_name(EXPERIMENT), uri=self.uri, asked=f"experiment {EXPERIMENT}")
        if found is not None:
            return str(found.experiment_id)
        # A database file has no artifact store of its own; MLflow would put it under the current folder.
        location = self.artifacts.resolve().as_uri() if is_file(self.uri) else None
        return str(client.create_experiment(EXPERIMENT, artifact_location=location))

    def _version(self, name: str, *, alias: str | None, version: str | None) -> "ModelVersion":
        wanted = f"{name}@{alias}" if alias is not None else f"{name}/{version}"
        if self.absent:
            # MLflow takes five seconds of a core to load, and would make the database.
            need_mlflow(self.uri)
            msg = f"the model registry {self.uri} has no {wanted}: nothing is registered there yet; `swath models register` does"
            raise AbsentError(msg)
        client = self.client()

        def found() -> "ModelVersion":
            if alias is not None:
                return client.get_model_version_by_alias(name, alias)
            return client.get_model_version(name, str(version))

        try:
            return ask(found, uri=self.uri, asked=wanted)
        except AbsentError as error:
            told = ask(lambda: held_instead(client, name, alias=alias or ""), uri=self.uri, asked="its models")
            msg = f"{error}{told}"
            raise AbsentError(msg) from error


def previous_of(alias: str) -> str:
    """The alias that the version before keeps."""
    return "previous" if alias == "production" else f"previous-{alias}"
