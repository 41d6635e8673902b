"""PostgreSQL with pgSTAC. Imported on the driver alone, and only where a catalogue is configured."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from pypgstac import __version__ as client_version
from pypgstac.db import PgstacDB
from pypgstac.load import Loader, Methods
from pypgstac.migrate import Migrate
from tenacity import stop_after_attempt, wait_random_exponential

from swath.errors import CatalogueError, ConfigError
from swath.sinks.served.items import served_collection
from swath.stores.database import Database, reason

Json = dict[str, Any]
_Connection = psycopg.Connection[tuple[Any, ...]]
_NAME = "swath catalog"
#: pgSTAC's relations are found in its own schema, PostGIS in ``public``. Nothing may wait for ever: a run waits with it.
_SETTINGS: Mapping[str, str] = {"search_path": "pgstac, public", "lock_timeout": "20s", "statement_timeout": "5min"}
_MIGRATION: Mapping[str, str] = {"search_path": "pgstac, public"}
#: Any number; its holder changes collections, or the schema.
_LOCK = 7_202_611_250
_KNOWN = """
    SELECT i.collection, i.id, coalesce(l ->> 'file:checksum', '')
    FROM items i, jsonb_array_elements(i.content -> 'links') l
    WHERE l ->> 'rel' = 'canonical' AND starts_with(l ->> 'href', %s)
"""
_MIGRATE = "Run swath catalog migrate as a role that owns the schema (on RDS the master user)"


class PgStac:
    """The served catalogue in one database.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def session(self) -> Iterator["PgStacSession"]:
        """A connection for upserts.

        Raises:
            CatalogueError: The database does not answer.
            ConfigError: There is no schema, or one that this client does not know.
        """
        with self._connected(_SETTINGS) as connection:
            self._require_schema(connection)
            yield PgStacSession(connection, database=self._database)

    def version(self) -> str | None:
        """Version of the schema; None when there is none.

        Raises:
            CatalogueError: The database does not answer.
        """
        with self._connected(_SETTINGS) as connection:
            return _version(connection)

    def migrate(self) -> tuple[str | None, str]:
        """Make the schema, or bring it up to this client's version; two jobs that do so take turns.

        Returns:
            The version before (None when there was none) and now.

        Raises:
            CatalogueError: The database does not answer.
            ConfigError: The schema is newer, or the role may not change it.
        """
        with self._connected(_MIGRATION) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            before = _version(connection)
            if before is not None and _numbers(before) > _numbers(client_version):
                raise ConfigError(self._newer(before))
            try:
                return before, str(Migrate(_Pgstac(connection)).run_migration())
            except psycopg.OperationalError:
                raise
            except Exception as error:  # pypgstac raises nothing more precise
                why = reason(error) if isinstance(error, psycopg.Error) else str(error)
                way = f"from {before or 'nothing'} to {client_version}"
                raise ConfigError(f"{self._database}: the schema cannot be brought {way}: {why}. {_MIGRATE}") from error

    @contextmanager
    def _connected(self, settings: Mapping[str, str]) -> Iterator[_Connection]:
        try:
            with closing(self._database.connect(_NAME)) as connection:
                for name, value in settings.items():
                    connection.execute("SELECT set_config(%s, %s, false)", (name, value))
                yield connection
        except psycopg.Error as error:
            raise CatalogueError(f"{self._database}: {reason(error)}", down=True) from error

    def _require_schema(self, connection: _Connection) -> None:
        found = _version(connection)
        if found is None:
            raise ConfigError(f"{self._database} has no pgSTAC schema; expected {client_version}. {_MIGRATE}")
        if _numbers(found)[:2] < _numbers(client_version)[:2]:
            raise ConfigError(f"{self._database} has pgSTAC {found}; expected {client_version}, older schemas differ. {_MIGRATE}")
        if _numbers(found)[:2] > _numbers(client_version)[:2]:
            raise ConfigError(self._newer(found))

    def _newer(self, found: str) -> str:
        return (
            f"{self._database} has pgSTAC {found}; this swath knows up to {client_version}. Use a swath whose pypgstac is {found}"
        )


class PgStacSession:
    """Upserts over one connection.

    Args:
        connection: Connection in autocommit mode, with pgSTAC's search path.
        database: Name of the database for messages.
    """

    def __init__(self, connection: _Connection, *, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._loader = _Loader(_Pgstac(connection))

    def upsert(self, items: Sequence[Json], *, base: str) -> None:
        """Collections first, then their items, each in bulk; repeating it changes nothing.

        Args:
            items: Items with absolute hrefs; of two with one id the later counts.
            base: URI that the output's root has for readers.

        Raises:
            CatalogueError: The database refused it; ``down`` if the connection is gone.
        """
        # One statement cannot update a row twice.
        unique = {(i["collection"], i["id"]): i for i in items}
        try:
            for name in sorted({collection for collection, _ in unique}):
                self._collection(name, items=[i for (c, _), i in unique.items() if c == name], base=base)
            self._loader.load_items(iter(unique.values()), Methods.upsert)
        except psycopg.OperationalError as error:
            down = self._connection.closed or self._connection.broken
            raise CatalogueError(f"{self._database}: {reason(error)}", down=down) from error
        except Exception as error:  # pypgstac raises nothing more precise for an item that it cannot read
            why = reason(error) if isinstance(error, psycopg.Error) else str(error)
            raise CatalogueError(f"{self._database}: {why}") from error

    def known(self, *, base: str) -> dict[tuple[str, str], str]:
        """Checksums of the files whose items of one output are served, by collection and id.

        Args:
            base: URI that the output's root has for readers; items of other outputs are left aside.

        Raises:
            CatalogueError: The database does not answer.
        """
        try:
            rows = self._connection.execute(_KNOWN, (f"{base.rstrip('/')}/",)).fetchall()
        except psycopg.Error as error:
            raise CatalogueError(f"{self._database}: {reason(error)}") from error
        return {(collection, name): checksum for collection, name, checksum in rows}

    def remove(self, names: Sequence[tuple[str, str]]) -> None:
        """Take items out, by collection and id; those that are not there are passed over.

        Raises:
            CatalogueError: The database refused it.
        """
        try:
            for collection, name in names:
                self._connection.execute("DELETE FROM items WHERE collection = %s AND id = %s", (collection, name))
        except psycopg.Error as error:
            raise CatalogueError(f"{self._database}: {reason(error)}") from error

    def _collection(self, name: str, *, items: Sequence[Json], base: str) -> None:
        with self._connection.transaction():
            # What it says of extent and bands only grows: two drivers must not read the same record and write their own.
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            row = self._connection.execute("SELECT content FROM collections WHERE id = %s", (name,)).fetchone()
            before = row[0] if row else None
            record = served_collection(name, items=items, before=before, base=base)
            if record != before:
                self._loader.load_collections(iter([record]), Methods.upsert)


class _Pgstac(PgstacDB):
    """pypgstac over a connection of our own: with its pool it would connect anew where ours, and its lock, was lost."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__(connection=connection)
        self._ours = connection

    def connect(self) -> _Connection:
        """Ours."""
        return self._ours

    def query(self, query: Any, args: list[Any] | None = None, row_factory: Any = tuple_row) -> Iterator[Any]:  # type: ignore[override]
        """Rows, without its three retries."""
        with self._ours.cursor(row_factory=row_factory) as cursor:
            yield from cursor.execute(query, args)


class _Loader(Loader):
    """Retries what other writers cause, for seconds; pypgstac's own retries take a quarter of an hour."""

    load_partition = Loader.load_partition.retry_with(
        stop=stop_after_attempt(4), wait=wait_random_exponential(multiplier=1, max=5)
    )


def _version(connection: _Connection) -> str | None:
    row = connection.execute("SELECT to_regclass('pgstac.migrations') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return None
    latest = connection.execute("SELECT version FROM pgstac.migrations ORDER BY datetime DESC, version DESC LIMIT 1").fetchone()
    return str(latest[0]) if latest else None


def _numbers(version: str) -> tuple[int, ...]:
    """``0.10.0`` as numbers; what is not released counts as the newest."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else (10**6,)
