"""A version of a registry that is a database file, as a run needs it, without MLflow, whose import takes five seconds of a core.

It is read under the same terms as MLflow's answer: the digest is compared with the version's tag and with its run's parameter.
Only versions whose files are on this machine are read like this, and only of the layout that the MLflow of the lock makes;
anything else, also a version that is not there, is left to MLflow and its words.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from swath.errors import ConfigError
from swath.inference.foreign import refuse_foreign
from swath.inference.mlmodel import remove_mlmodel
from swath.inference.pinned import PinnedModel, pin
from swath.inference.registry_file import is_known_layout
from swath.inference.run_facts import DIGEST_PARAMETER, compare_digests
from swath.inference.signature import place_signature
from swath.inference.version_log import SIGNATURE

_BY_ALIAS: Final = """
    SELECT version FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND alias = ?
"""
_VERSION: Final = """
    SELECT coalesce(storage_location, source), coalesce(run_id, '') FROM model_versions
    WHERE workspace = 'default' AND name = ? AND version = ? AND status = 'READY'
        AND coalesce(current_stage, '') != 'Deleted_Internal'
"""
_TAGS: Final = "SELECT key, value FROM model_version_tags WHERE workspace = 'default' AND name = ? AND version = ?"
_RUN: Final = "SELECT artifact_uri FROM runs WHERE run_uuid = ?"
_PARAMETERS: Final = "SELECT key, value FROM params WHERE run_uuid = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFile:
    """A version, and where its files are.

    Args:
        name: Registered name.
        version: Version.
        tags: Tags of the version.
        folder: Folder of its files.
        artifacts: Folder of all artifacts of its run; None without a run.
        kept: Parameters of its run; empty without a run.
    """

    name: str
    version: str
    tags: Mapping[str, str]
    folder: Path
    artifacts: Path | None
    kept: Mapping[str, str]

    def pinned(self, *, cache: Path, source: str) -> PinnedModel:
        """Pin the version: a private copy, admitted as one that MLflow hands out.

        Args:
            cache: Folder of pinned models.
            source: Address of the registry.

        Raises:
            ConfigError: The folder is not the model that was registered.
        """
        called = f"{self.name}/{self.version}"
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            directory = Path(scratch) / "model"
            try:
                # Links are copied as links: the digest refuses them.
                shutil.copytree(self.folder, directory, symlinks=True)
            except OSError as error:
                msg = f"{called}: its files in {self.folder} cannot be copied: expected plain files that can be read ({error})"
                raise ConfigError(msg) from error
            refuse_foreign(directory, called=called)
            remove_mlmodel(directory)
            if self.tags.get("signature") and self.artifacts is not None:
                place_signature(self.artifacts / SIGNATURE, beside=directory, called=called)
            pinned = pin(directory, cache=cache, name=self.name, version=self.version, source=source)
        compare_digests(pinned.digest, kept=self.kept.get(DIGEST_PARAMETER, ""), tag=self.tags.get("digest", ""), called=called)
        return pinned


def version_of_file(path: Path, *, name: str, alias: str | None, version: str | None) -> VersionFile | None:
    """The version that a reference means; None where MLflow has to be asked.

    Args:
        path: The database file; it is opened for reading alone.
        name: Registered name.
        alias: Alias of the version, or None.
        version: Number of the version where there is no alias.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return _found(database, name=name, alias=alias, version=version) if is_known_layout(database) else None
    except sqlite3.Error:
        return None


def _found(database: sqlite3.Connection, *, name: str, alias: str | None, version: str | None) -> VersionFile | None:
    if alias is not None:
        meant = database.execute(_BY_ALIAS, (name, alias)).fetchone()
        version = str(meant[0]) if meant else None
    told = database.execute(_VERSION, (name, version)).fetchone() if version is not None else None
    if told is None or (folder := _local(told[0])) is None:
        return None
    run_id = str(told[1])
    run = database.execute(_RUN, (run_id,)).fetchone()
    artifacts = _local(run[0]) if run else None
    if run_id and artifacts is None:
        return None
    return VersionFile(
        name=name,
        version=str(version),
        tags=dict(database.execute(_TAGS, (name, version)).fetchall()),
        folder=folder,
        artifacts=artifacts,
        kept=dict(database.execute(_PARAMETERS, (run_id,)).fetchall()),
    )


def _local(uri: str | None) -> Path | None:
    """The folder of this machine that a place of artifacts is, where it is there."""
    parts = urlsplit(uri or "")
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost") or not parts.path:
        return None
    folder = Path(unquote(parts.path) if parts.scheme else parts.path)
    return folder if folder.is_absolute() and folder.is_dir() else None
