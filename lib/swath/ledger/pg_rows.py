"""The account's rows in PostgreSQL: each append with its transaction's mark, at once or not at all; and a log of what happened.

``swath_ledger.changes`` is the log: one row an append, which names its transaction once, or a deletion. ``seq`` is in the order
of commits within an output. Every table has its own columns beside ``id``, ``output`` and ``seq``.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
from psycopg import errors, sql
from psycopg.rows import dict_row

from swath.errors import AccountError, ConfigError, ServiceError
from swath.ledger.pg_schema import columns_of, has_log, prepare, table
from swath.ledger.pg_values import stored
from swath.stores.database import Database, hopeless, reason, waiting_for

T = TypeVar("T")
Connection = psycopg.Connection[Any]
Rows = Sequence[Sequence[Any]] | Callable[[], Iterable[Sequence[Any]]]
ROW_ID = "_id"
#: Rows that travel together.
_BATCH = 1000
#: Columns that name a row, as far as a table has them; and those that are asked for by value.
IDENTITY = ("product_id", "product_key", "scene_id", "digest", "href", "pipeline", "run_id", "wave", "asset", "strip", "n")
_TABLES = ("scenes", "products", "tiles", "sources", "quarantine", "runs", "tombstones")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row of the log.

    Args:
        seq: Number.
        name: Name of the table.
        run_id: Id of the transaction; None for a deletion.
        wave: Number of the wave of the transaction.
        deleted: Key columns of each deleted row.
    """

    seq: int
    name: str
    run_id: str | None
    wave: int | None
    deleted: Sequence[Mapping[str, Any]] | None


class PgRows:
    """The rows of one output.

    Args:
        database: Database of the rows.
        output: URI of the output.
    """

    def __init__(self, database: Database, *, output: str) -> None:
        self._database = database
        self._output = output.replace("s3a://", "s3://", 1).rstrip("/")
        self._met = False
        self._known: set[str] = set()
        self._there: set[str] = set()
        self._columns: dict[str, frozenset[str]] = {}

    def exists(self, name: str) -> bool:
        """Whether anything was appended to the table, even an empty commit."""
        if name not in self._there:
            self._there |= self._asked(self._names)
        return name in self._there

    def anything(self) -> bool:
        """Whether the output has any table."""
        return self._asked(lambda c: bool(self._names(c)))

    def append(self, name: str, rows: Rows, *, schema: pa.Schema, run_id: str, wave: int) -> bool:
        """Append rows and note their transaction, in one transaction; a noted one is not repeated.

        Args:
            name: Name of the table.
            rows: Rows in the order of ``schema``, structs in the order of their fields; or a function that
                gives them, called anew for each try.
            schema: Schema of the table.
            run_id: Id of the transaction.
            wave: Number of the wave of the transaction.

        Returns:
            Whether this was the first time.

        Raises:
            AccountError: The database refuses the rows.
            ServiceError: The database was away for too long.
        """

        def work(connection: Connection) -> bool:
            with connection.transaction():
                if name not in self._known:
                    prepare(connection, name, schema)
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [self._output])
                seq = connection.execute(
                    "INSERT INTO swath_ledger.changes (output, name, run_id, wave) VALUES (%s, %s, %s, %s) "
                    "ON CONFLICT DO NOTHING RETURNING seq",
                    [self._output, name, run_id, wave],
                ).fetchone()
                if seq is None:
                    return False
                columns = sql.SQL(", ").join(map(sql.Identifier, ["output", "seq", *schema.names]))
                into = sql.SQL("COPY {} ({}) FROM STDIN").format(table(name), columns)
                with connection.cursor() as cursor, cursor.copy(into) as copy:
                    for row in rows() if callable(rows) else rows:
                        copy.write_row([self._output, seq[0], *(stored(v, c.type) for v, c in zip(row, schema, strict=True))])
            return True

        first = self._asked(work)
        self._known.add(name)
        self._columns.pop(name, None)
        return first

    def size(self, name: str, columns: Sequence[str]) -> int:
        """Bytes that some columns of a table take, compressed as they are."""
        there = [c for c in columns if c in self._columns_of(name)]
        sizes = sql.SQL(" + ").join(sql.SQL("coalesce(pg_column_size({}), 0)").format(sql.Identifier(c)) for c in there)
        query = sql.SQL("SELECT coalesce(sum({}), 0) FROM {} WHERE output = %s").format(sizes, table(name))
        return self._asked(lambda c: int(c.execute(query, [self._output]).fetchone()[0]))  # type: ignore[index]

    def rows(
        self, name: str, columns: Sequence[str], *, where: Mapping[str, Sequence[Any]] | None = None, ids: bool = False
    ) -> Iterator[list[dict[str, Any]]]:
        """Some columns of the rows, some at a time; moments are aware, in UTC, lists and maps as JSON has them.

        Args:
            name: Name of the table.
            columns: Which.
            where: Values that a column may have.
            ids: Add what ``delete`` knows a row by, as ``_id``.
        """
        if not self.exists(name):
            return
        asked = [sql.SQL("output = %s"), *(sql.SQL("{} = ANY(%s)").format(sql.Identifier(c)) for c in where or ())]
        there = self._columns_of(name)
        # a table of an earlier swath lacks columns until the first append of this one
        wanted: list[sql.Composable] = [
            sql.Identifier(c) if c in there else sql.SQL("NULL AS {}").format(sql.Identifier(c)) for c in columns
        ]
        wanted += [sql.SQL("id AS {}").format(sql.Identifier(ROW_ID))] if ids else []
        query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(", ").join(wanted), table(name), sql.SQL(" AND ").join(asked)
        )
        values = [self._output, *(list(values) for values in (where or {}).values())]
        waits, began = waiting_for(self._database), False
        while True:
            try:
                for found in self._read(query, values):
                    began = True
                    yield found
            except psycopg.OperationalError as error:
                # Who reads has some of them already: they cannot be asked for once more.
                if began or not waits.wait(reason(error)):
                    raise ServiceError(self._away(error)) from error
            else:
                return

    def _read(self, query: sql.Composed, values: Sequence[Any]) -> Iterator[list[dict[str, Any]]]:
        """Rows on a connection of its own: how long the reader takes, and what it asks meanwhile, is unknown."""
        with (
            self._database.connect("swath ledger") as connection,
            connection.transaction(),
            connection.cursor(name="rows", row_factory=dict_row) as cursor,
        ):
            cursor.execute(query, values)
            while found := cursor.fetchmany(_BATCH):
                yield found

    def delete(self, name: str, ids: Sequence[int], *, schema: pa.Schema) -> None:
        """Take rows out, and note what they were."""
        columns = sql.SQL(", ").join(sql.Identifier(c) for c in IDENTITY if c in schema.names)
        query = sql.SQL("DELETE FROM {} WHERE output = %s AND id = ANY(%s) RETURNING {}").format(table(name), columns)

        def work(connection: Connection) -> None:
            with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [self._output])
                gone = cursor.execute(query, [self._output, list(ids)]).fetchall()
                if gone:
                    cursor.execute(
                        "INSERT INTO swath_ledger.changes (output, name, deleted) VALUES (%s, %s, %s)",
                        [self._output, name, json.dumps(gone)],
                    )

        self._asked(work)

    def forget(self) -> None:
        """Remove every row of the output, and what the log says of it: for a copy of an output that is not needed any more."""

        def work(connection: Connection) -> None:
            with connection.transaction():
                for name in ("changes", "exported", *(n for n in _TABLES if columns_of(connection, n))):
                    connection.execute(sql.SQL("DELETE FROM {} WHERE output = %s").format(table(name)), [self._output])

        if self.anything():
            self._asked(work)

    def tidy(self, name: str) -> None:
        """Let the planner of queries know the table; dead rows are the server's own business."""
        self._asked(lambda c: c.execute(sql.SQL("ANALYZE {}").format(table(name))))

    def changes(self, *, target: str) -> list[Change]:
        """What was not exported to a place yet, in order."""
        query = (
            "SELECT seq, name, run_id, wave, deleted FROM swath_ledger.changes WHERE output = %s AND seq > coalesce("
            "(SELECT seq FROM swath_ledger.exported WHERE output = %s AND target = %s), 0) ORDER BY seq"
        )
        found = self._asked(lambda c: c.execute(query, [self._output, self._output, target]).fetchall() if has_log(c) else [])
        return [Change(seq=s, name=n, run_id=r, wave=w, deleted=d) for s, n, r, w, d in found]

    def exported(self, seq: int, *, target: str) -> None:
        """Note that everything up to ``seq`` is there."""
        query = (
            "INSERT INTO swath_ledger.exported (output, target, seq) VALUES (%s, %s, %s) "
            "ON CONFLICT (output, target) DO UPDATE SET seq = greatest(swath_ledger.exported.seq, excluded.seq)"
        )
        self._asked(lambda c: c.execute(query, [self._output, target, seq]))

    def _columns_of(self, name: str) -> frozenset[str]:
        """Columns that a table has now."""
        if name not in self._columns:
            self._columns[name] = self._asked(lambda c: columns_of(c, name))
        return self._columns[name]

    def _names(self, connection: Connection) -> set[str]:
        """Tables of the output."""
        if not has_log(connection):
            return set()
        query = (
            "SELECT name FROM unnest(%s::text[]) AS t(name) WHERE EXISTS "
            "(SELECT FROM swath_ledger.changes c WHERE c.output = %s AND c.name = t.name)"
        )
        return {row[0] for row in connection.execute(query, [list(_TABLES), self._output])}

    def _asked(self, work: Callable[[Connection], T]) -> T:
        """Run a function on a connection of its own: minutes pass between two waves, in which one may break unseen.

        Raises:
            ConfigError: The database was never reached, and waiting would not help.
            ServiceError: The database was away for longer than a run waits.
            AccountError: The database refuses the statement.
        """
        waits = waiting_for(self._database)
        while True:
            try:
                with self._database.connect("swath ledger") as connection:
                    found = work(connection)
            except errors.ReadOnlySqlTransaction as error:
                # In the middle of a run that is a failover; at its beginning a replica was named.
                if not self._met:
                    msg = f"the ledger in {self._database} is read-only ({reason(error)}): name the writer, not a read replica"
                    raise ConfigError(msg) from error
                if not waits.wait(reason(error)):
                    raise ServiceError(self._away(error)) from error
            except psycopg.OperationalError as error:
                if not self._met and hopeless(error):
                    msg = f"the ledger in {self._database} does not answer ({reason(error)}); check SWATH_POSTGRESQL_DSN"
                    raise ConfigError(msg) from error
                if not waits.wait(reason(error)):
                    raise ServiceError(self._away(error)) from error
            except psycopg.Error as error:
                msg = f"the ledger in {self._database} refuses: {reason(error)}; nothing of it was kept"
                raise AccountError(msg) from error
            else:
                waits.answered()
                self._met = True
                return found

    def _away(self, error: psycopg.Error) -> str:
        return f"the ledger in {self._database} does not answer ({reason(error)})"
