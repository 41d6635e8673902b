"""A model that cannot change any more: copied by content, named by digest."""

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.manifest import Manifest, read_manifest
from swath.inference.signature import signature_beside
from swath.inference.step_model import StepModel

#: What represents a version when a model comes from a folder.
LOCAL_VERSION = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedModel:
    """A resolved model: what the plan carries and workers load.

    Args:
        name: Registered name, or the manifest's for a folder.
        version: Version in the registry; ``local`` for a folder.
        digest: Digest of the directory.
        path: A private copy in a folder that is named after the digest.
        manifest: Manifest: inputs and outputs of the model.
        source: Source of the model: address of a registry or a store, or a folder; informative only.
        by_lock: A lock named its digest, and no registry was asked.
        signed_by: Hint of the trusted key that signed it; empty when no signature was verified.
    """

    name: str
    version: str
    digest: str
    path: Path
    manifest: Manifest
    source: str = ""
    by_lock: bool = False
    signed_by: str = ""

    @property
    def of_step(self) -> StepModel:
        """The model as a step knows it."""
        return StepModel(name=self.name, version=self.version, digest=self.digest, manifest=self.manifest)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report says of how the model was found."""
        locked = f"its lock named the digest, no registry was asked; taken from {self.source}" if self.by_lock else ""
        signed = f"signed by key {self.signed_by}" if self.signed_by else ""
        return tuple(n for n in (locked, signed) if n)


class ModelSource(Protocol):
    """Where models are looked up: a registry, or nowhere when a file is only checked."""

    def resolve(self, reference: str) -> PinnedModel:
        """The version that ``reference`` means."""
        ...


def pin(directory: Path, *, cache: Path, name: str = "", version: str = LOCAL_VERSION, source: str = "") -> PinnedModel:
    """Copy a model directory to ``cache/<digest>`` and take its digest from the copy.

    The copy comes first and is what is digested, so a directory that changes meanwhile cannot be half pinned.

    Args:
        directory: The model as found.
        cache: Folder of pinned models that all runs share.
        name: Registered name; the manifest's when empty.
        version: Registered version.
        source: Address that the directory was fetched from; the directory itself when empty.

    Raises:
        ConfigError: The directory is not a model.
    """
    model_digest(directory)  # refuses links and oversize before anything is copied
    draft = cache / f".{uuid.uuid4().hex}"
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(directory, draft, symlinks=True)
        digest, manifest = model_digest(draft), read_manifest(draft)
        home = cache / digest
        if not home.is_dir():
            settle(draft, home)
        signature = signature_beside(directory)
        if signature.is_file():
            shutil.copyfile(signature, signature_beside(home))
        if model_digest(home) != digest:
            msg = f"{home}: the pinned copy was changed; remove the folder and run again"
            raise ConfigError(msg)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return PinnedModel(
        name=name or manifest.name, version=version, digest=digest, path=home, manifest=manifest, source=source or str(directory)
    )


def settle(draft: Path, home: Path) -> None:
    """Give a finished copy its name, unless another process did."""
    try:
        draft.rename(home)
    except OSError:  # another run pinned the same model meanwhile
        if not home.is_dir():
            raise
