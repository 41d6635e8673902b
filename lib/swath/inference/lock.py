"""``models.lock``: which files a reference means, by digest. With it neither an alias nor a tag of a registry decides."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.model_store import ModelStore, worker_cache
from swath.inference.pinned import PinnedModel

LOCK_FILE = "models.lock"
LOCK_FORMAT = 1
#: ``name/3@sha256:...``: a version that its digest pins, as plans of jobs carry it.
_PIN = re.compile(r"(?:models:/)?(?P<name>[^/@:]+)/(?P<version>[^/@:]+)@sha256:(?P<digest>[0-9a-f]{64})")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedModel:
    """What one reference means.

    Args:
        name: Registered name.
        version: Version in the registry; ``local`` for a folder.
        digest: Digest of the model's folder.
        source: Source of the model when it was locked; informative only, nothing is fetched from it.
        signed_by: Hint of the key whose signature was verified then; empty without one.
    """

    name: str
    version: str
    digest: str
    source: str = ""
    signed_by: str = ""

    def __post_init__(self) -> None:
        """Refuse what pins nothing.

        Raises:
            ConfigError: No digest, or no name.
        """
        if not _DIGEST.fullmatch(self.digest) or not self.name or not self.version:
            msg = f"expected name, version and a digest of 64 hex digits, got {self.name}/{self.version} {self.digest!r}"
            raise ConfigError(msg)

    @classmethod
    def of(cls, pinned: PinnedModel) -> Self:
        """What a resolved model is."""
        return cls(
            name=pinned.name, version=pinned.version, digest=pinned.digest, source=pinned.source, signed_by=pinned.signed_by
        )

    @property
    def pin(self) -> str:
        """As a reference of its own: ``name/3@sha256:...``."""
        return f"{self.name}/{self.version}@sha256:{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLock:
    """References and what they mean.

    Args:
        path: File that it was read from; for messages.
        models: Models by reference, without ``models:/``.
    """

    path: str = LOCK_FILE
    models: Mapping[str, LockedModel] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a lock.

        Raises:
            ConfigError: There is none, or it is no lock.
        """
        try:
            with path.open("rb") as file:
                return cls(path=str(path), models=_models(json.loads(file.read(_MAX_BYTES))))
        except FileNotFoundError as error:
            msg = f"{path}: there is no lock; `swath models lock PIPELINE --lock {path}` writes it"
            raise ConfigError(msg) from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
            msg = f"{path}: not a lock of models (format {LOCK_FORMAT}): {error}"
            raise ConfigError(msg) from error

    def to_text(self) -> str:
        """The lock as its file: JSON, sorted, ends with a newline."""
        plain = {"format": LOCK_FORMAT, "models": {r: asdict(m) for r, m in self.models.items()}}
        return json.dumps(plain, sort_keys=True, indent=2) + "\n"

    def of(self, reference: str) -> LockedModel:
        """What a reference means.

        Raises:
            ConfigError: The lock does not have it: nothing else is accepted.
        """
        found = self.models.get(plain_reference(reference))
        if found is None:
            msg = (
                f"{reference}: {self.path} has no such reference, it has {', '.join(sorted(self.models)) or 'none'}; "
                f"`swath models lock PIPELINE --lock {self.path}` adds it"
            )
            raise ConfigError(msg)
        return found


def _models(plain: Any) -> dict[str, LockedModel]:
    if plain["format"] != LOCK_FORMAT:
        msg = f"format {plain['format']!r}"
        raise ValueError(msg)
    return {plain_reference(str(r)): LockedModel(**m) for r, m in plain["models"].items()}


def plain_reference(reference: str) -> str:
    """The reference without ``models:/``."""
    return reference.removeprefix("models:/")


def pinned_by(reference: str) -> LockedModel | None:
    """What ``name/3@sha256:...`` pins; None for other references."""
    match = _PIN.fullmatch(reference)
    return LockedModel(name=match["name"], version=match["version"], digest=match["digest"]) if match else None


def locked_copy(locked: LockedModel, *, cache: Path, exported: str) -> tuple[Path, str] | None:
    """Files of a locked model without asking a registry, and where they were; None when this site does not have them.

    Args:
        locked: The model.
        cache: Folder where runs pin models.
        exported: A store of exported models; empty without one.
    """
    for folder in (cache, worker_cache()):
        home = folder / locked.digest
        if home.is_dir() and model_digest(home) == locked.digest:
            return home, "the cache of this machine"
    if exported and (store := ModelStore.at(exported)).holds(locked.digest):
        return store.fetch_signed(locked.digest, cache=cache), exported
    return None
