"""Models in a folder or bucket, by digest: for workers of other machines, and for sites that no registry server reaches.

``<digest>/<file>`` are a model's files, ``<digest>.sig`` its signature, ``<digest>.json`` lists them and is written last: no
reader has to list a folder, which some stores do late. ``names/<name>/<version>.json`` and
``names/<name>/aliases.json`` give the digests their names.
"""

import json
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from swath.errors import ConfigError
from swath.inference.address import AbsentError
from swath.inference.digest import MAX_MODEL_BYTES, MAX_MODEL_FILES, model_digest
from swath.inference.manifest import read_manifest
from swath.inference.pinned import PinnedModel, settle
from swath.inference.signature import MAX_SIGNATURE_BYTES, signature_beside
from swath.stores.base import Store
from swath.stores.own_folder import own_folder
from swath.stores.registry import open_store

#: Location of a site's models, exported from a registry: a folder or ``s3://``.
VARIABLE = "SWATH_MODELS"
_REFERENCE = re.compile(r"(?:models:/)?(?P<name>[^/@:]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[^/@]+))")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """One version of a model in a store."""

    name: str
    version: str
    digest: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelStore:
    """Models in a store.

    Args:
        store: The folder or prefix that holds them.
    """

    store: Store

    @classmethod
    def at(cls, uri: str, *, create: bool = False) -> Self:
        """The models at a folder or ``s3://`` prefix.

        Args:
            uri: Where.
            create: Make a folder that is not there.

        Raises:
            ConfigError: The scheme is unknown, or the folder cannot be written.
        """
        return cls(open_store(uri, create=create))

    def put(self, directory: Path, *, digest: str) -> None:
        """Store a model's files, unless they are there.

        Args:
            directory: A pinned model.
            digest: Digest of the model folder.
        """
        signature = signature_beside(directory)
        if signature.is_file():
            self.store.write(f"{digest}.sig", signature.read_bytes())
        if self.holds(digest):
            return
        names = sorted(p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file())
        for name in names:
            copy = self.store.scratch() / uuid.uuid4().hex
            try:
                shutil.copyfile(directory / name, copy)
                self.store.publish(copy, f"{digest}/{name}")
            finally:
                copy.unlink(missing_ok=True)
        self.store.write(f"{digest}.json", json.dumps({"files": names}).encode())

    def holds(self, digest: str) -> bool:
        """Whether a model of this digest is here."""
        return self.store.size(f"{digest}.json") is not None

    def fetch(self, digest: str, *, cache: Path) -> Path:
        """A local copy of a model, fetched once a machine.

        Args:
            digest: Which.
            cache: Folder of the copies, by digest.

        Raises:
            ConfigError: The model is missing, or its files do not match its digest.
        """
        home = cache / digest
        if home.is_dir() and model_digest(home) == digest:
            return home
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = cache / f".{uuid.uuid4().hex}"
        try:
            self._copy(digest, into=draft)
            found = model_digest(draft)
            if found != digest:
                msg = f"{self.store.root}/{digest}: the model's files have digest {found}; export it again"
                raise ConfigError(msg)
            if home.is_dir():  # the copy was altered
                shutil.rmtree(home, ignore_errors=True)
            settle(draft, home)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return home

    def fetch_signed(self, digest: str, *, cache: Path) -> Path:
        """As ``fetch``, with the signature beside the copy, where there is one: for admission, on the driver."""
        home = self.fetch(digest, cache=cache)
        data = self.store.read(f"{digest}.sig")
        if data is not None and len(data) <= MAX_SIGNATURE_BYTES:
            signature_beside(home).write_bytes(data)
        return home

    def _copy(self, digest: str, *, into: Path) -> None:
        size = 0
        for name in self._files(digest):
            target = into / name
            target.parent.mkdir(parents=True, exist_ok=True)
            path = f"{digest}/{name}"
            size += self.store.size(path) or 0
            if size > MAX_MODEL_BYTES:
                msg = f"{self.store.root}/{digest}: larger than {MAX_MODEL_BYTES} bytes"
                raise ConfigError(msg)
            try:
                with self.store.fetch(path) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
            except FileNotFoundError as error:
                msg = f"{self.store.root}/{path}: the model has no such file any more; export it again"
                raise ConfigError(msg) from error

    def _files(self, digest: str) -> list[str]:
        told = self._read(f"{digest}.json") if _DIGEST.fullmatch(digest) else None
        if told is None:
            msg = f"{self.store.root} holds no model with digest {digest}: swath models export NAME --to {self.store.root}"
            raise ConfigError(msg)
        names = [str(n) for n in told.get("files", ())]
        plain = (n for n in names if not PurePosixPath(n).is_absolute() and ".." not in PurePosixPath(n).parts and n)
        if list(plain) != names or not 0 < len(names) <= MAX_MODEL_FILES:
            msg = f"{self.store.root}/{digest}.json: not the list of a model's files"
            raise ConfigError(msg)
        return names

    def export(self, model: PinnedModel, *, aliases: tuple[str, ...] = ()) -> StoredModel:
        """Store a model under its name and version, and let aliases mean it.

        Raises:
            ConfigError: The version is there with another digest.
        """
        path = f"names/{model.name}/{model.version}.json"
        there = self._read(path)
        if there is not None and there["digest"] != model.digest:
            msg = f"{self.store.root}/{path}: this version has digest {there['digest']}, not {model.digest}; register a new one"
            raise ConfigError(msg)
        self.put(model.path, digest=model.digest)
        self.store.write(path, json.dumps({"digest": model.digest}).encode())
        told = self._aliases(model.name) | dict.fromkeys(aliases, model.version)
        if aliases:
            self.store.write(f"names/{model.name}/aliases.json", json.dumps(told, sort_keys=True).encode())
        mine = tuple(sorted(a for a, v in told.items() if v == model.version))
        return StoredModel(name=model.name, version=model.version, digest=model.digest, aliases=mine)

    def resolve(self, reference: str, *, cache: Path) -> PinnedModel:
        """Pin a model by its name: alias -> version -> digest -> local copy.

        Args:
            reference: ``models:/name@alias``, ``models:/name/3``, or the same without ``models:/``.
            cache: Folder of pinned models.

        Raises:
            ConfigError: There is no such model, or its files are not those of its digest.
        """
        match = _REFERENCE.fullmatch(reference)
        version = (match["version"] or self._aliases(match["name"]).get(match["alias"])) if match else None
        told = self._read(f"names/{match['name']}/{version}.json") if match and version else None
        if match is None or version is None or told is None:
            names = ", ".join(f"{m.name}/{m.version}" for m in self.list()) or "none"
            msg = f"{self.store.root} holds no model {reference!r}; it holds: {names}"
            raise AbsentError(msg)
        path = self.fetch_signed(told["digest"], cache=cache)
        return PinnedModel(
            name=match["name"], version=version, digest=told["digest"], path=path, manifest=read_manifest(path),
            source=str(self.store.root),
        )  # fmt: skip

    def list(self) -> Iterator[StoredModel]:
        """Every version of every model, in order."""
        for path in self.store.list("names"):
            parts = PurePosixPath(path)
            if parts.name == "aliases.json" or len(parts.parts) != 3:
                continue
            name, version = parts.parent.name, parts.stem
            aliases = tuple(sorted(a for a, v in self._aliases(name).items() if v == version))
            yield StoredModel(name=name, version=version, digest=(self._read(path) or {})["digest"], aliases=aliases)

    def verify(self) -> Iterator[tuple[StoredModel, str]]:
        """Every version with what is wrong with its files; an empty text where nothing is."""
        for model in self.list():
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    read_manifest(self.fetch(model.digest, cache=Path(scratch)))
                except ConfigError as error:
                    yield model, str(error)
                else:
                    yield model, ""

    def _aliases(self, name: str) -> dict[str, str]:
        return dict(self._read(f"names/{name}/aliases.json") or {})

    def _read(self, path: str) -> dict[str, Any] | None:
        data = self.store.read(path)
        if data is None:
            return None
        try:
            loaded = json.loads(data)
        except ValueError as error:
            msg = f"{self.store.root}/{path}: not JSON: {error}"
            raise ConfigError(msg) from error
        if not isinstance(loaded, dict):
            msg = f"{self.store.root}/{path}: expected a JSON object"
            raise ConfigError(msg)
        return loaded


def worker_cache() -> Path:
    """Where this machine keeps models of stores: below the temporary folder, for this user alone.

    Raises:
        ConfigError: Others made the folder, or can open it.
    """
    return own_folder("swath-models")


def shared_models(models: Mapping[str, Mapping[str, str]], *, output: str) -> dict[str, dict[str, str]]:
    """The models of a run where its workers find them.

    Workers see a folder that is the output, and what was pinned in it. They do not see the driver's disk, so for an output in a
    bucket the models go there too.

    Args:
        models: Path and digest of each pinned model, by name.
        output: Output URI of the run.

    Returns:
        The same with places that every worker reaches.
    """
    if not output.startswith(("s3://", "s3a://")):
        return {name: dict(m) for name, m in models.items()}
    place = f"{output.rstrip('/')}/models/pinned"
    found = {}
    for name, model in models.items():
        if "://" not in model["path"]:
            ModelStore.at(place).put(Path(model["path"]), digest=model["digest"])
        found[name] = {"path": model["path"] if "://" in model["path"] else place, "digest": model["digest"]}
    return found
