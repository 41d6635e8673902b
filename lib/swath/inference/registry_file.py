"""The list of a registry that is a database file, without MLflow, whose import takes five seconds of a core.

Only the layout is read that the MLflow of the lock makes. ``version_file`` reads what a run uses.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swath.inference.listing import RegisteredModel, listed

#: Revision of the tables that MLflow 3.17.2 makes; a test holds both equal.
LAYOUT: Final = "dc11669786a5"
_DELETED: Final = "Deleted_Internal"
_VERSIONS: Final = """
    SELECT name, version FROM model_versions
    WHERE workspace = 'default' AND coalesce(current_stage, '') != ? AND (? = '' OR name = ?) ORDER BY name, version DESC
"""
_TAGS: Final = "SELECT key, value FROM model_version_tags WHERE workspace = 'default' AND name = ? AND version = ?"
_ALIASES: Final = "SELECT alias FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND version = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """What ``listed`` reads of a version of MLflow."""

    name: str
    version: int
    tags: Mapping[str, str]
    aliases: tuple[str, ...]


def list_of_file(path: Path, *, name: str = "") -> tuple[RegisteredModel, ...] | None:
    """All versions in a database file, newest first, of one model or of all; None where its layout is another one.

    The file is opened for reading alone: MLflow would upgrade it.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            if not is_known_layout(database):
                return None
            rows = database.execute(_VERSIONS, (_DELETED, name, name)).fetchall()
            return tuple(listed(_version(database, name=row[0], version=row[1])) for row in rows)
    except sqlite3.Error:
        return None


def is_known_layout(database: sqlite3.Connection) -> bool:
    """Whether the tables are those of the MLflow of the lock."""
    return bool(database.execute("SELECT version_num FROM alembic_version").fetchall() == [(LAYOUT,)])


def _version(database: sqlite3.Connection, *, name: str, version: int) -> _Version:
    of = (name, version)
    return _Version(
        name=name,
        version=version,
        tags=dict(database.execute(_TAGS, of).fetchall()),
        aliases=tuple(alias for (alias,) in database.execute(_ALIASES, of)),
    )
