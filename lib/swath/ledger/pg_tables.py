"""The ledger's tables in PostgreSQL, with the same interface as the Delta tables. Only the driver asks the database."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import LongType, StructField, StructType

from swath.errors import ConfigError
from swath.ledger.delta import SMALL_BYTES, NeedsSparkError
from swath.ledger.pg_rows import ROW_ID, Change, PgRows, Rows
from swath.ledger.pg_schema import migrate
from swath.ledger.pg_values import as_table
from swath.ledger.schemas import TABLES
from swath.ledger.tables import AppendedRows, Tables
from swath.stores.base import Store
from swath.stores.database import Database, reason
from swath.stores.lock import CommitLock, NoLock

#: Says which ledger an output has, for readers that do not know.
MARK, MARKED = "ledger.json", b'{"kind": "postgresql"}\n'
#: What is larger than this goes to workers as a file [bytes].
_SENT_BYTES = 32 << 20
_SCRATCH = ".scratch/ledger"


class PgTables:
    """The tables of one output.

    Args:
        spark: The session.
        store: The output.
        rows: Row store of the output.
        lock: Taken for each commit, and checked right before it.
    """

    def __init__(self, spark: SparkSession | None, store: Store, *, rows: PgRows, lock: CommitLock | None = None) -> None:
        self._session, self._store, self._rows = spark, store, rows
        self._lock = lock or NoLock()

    @property
    def _spark(self) -> SparkSession:
        if self._session is None:
            raise NeedsSparkError
        return self._session

    def exists(self, name: str) -> bool:
        """Whether anything was appended to the table, even an empty commit."""
        return self._rows.exists(name)

    def read(
        self,
        name: str,
        schema: StructType,
        *,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Sequence[Any]] | None = None,
    ) -> DataFrame:
        """The table as it is now, or a part of it; the database looks for the part."""
        kept = StructType([schema[c] for c in columns or schema.names])
        return self._frame(self._rows.rows(name, kept.names, where=where), kept)

    def small(
        self, name: str, schema: StructType, *, columns: Sequence[str], where: Mapping[str, Sequence[Any]] | None = None
    ) -> list[dict[str, Any]] | None:
        """Some columns of all rows; None if the result is too large."""
        del schema
        if not self.exists(name):
            return []
        if where is None and self._rows.size(name, columns) > SMALL_BYTES:
            return None
        return [row for some in self._rows.rows(name, columns, where=where) for row in some]

    def arrow(self, name: str, schema: StructType, *, columns: Sequence[str]) -> pa.Table:
        """Some plain columns of all rows."""
        kept = to_arrow_schema(StructType([schema[c] for c in columns]))
        batches = self._rows.rows(name, columns) if self.exists(name) else iter(())
        return pa.concat_tables([kept.empty_table(), *(as_table(rows, kept) for rows in batches)])

    def append(
        self,
        name: str,
        rows: AppendedRows,
        *,
        schema: StructType,
        run_id: str,
        wave: int,
        files: int = 1,
    ) -> None:
        """Append rows; repeating the append of the same run and wave does nothing.

        Raises:
            AccountError: The database refuses the rows.
            ServiceError: The database was away for too long.
            LockError: Another driver commits, or the lock was lost: nothing was appended.
        """
        del files
        if not isinstance(rows, DataFrame) and not rows and self.exists(name):
            return
        given: Rows = rows if not isinstance(rows, DataFrame) else rows.select(*schema.names).toLocalIterator
        with self._lock.held():
            self._lock.check()
            if self._store.size(MARK) is None:
                self._store.write(MARK, MARKED)
            self._rows.append(name, given, schema=to_arrow_schema(schema), run_id=run_id, wave=wave)

    def delete(self, name: str, condition: Column) -> None:
        """Take rows out of a table; the log keeps what they were."""
        schema = StructType([*TABLES[name].fields, StructField(ROW_ID, LongType())])
        rows = self._frame(self._rows.rows(name, TABLES[name].names, ids=True), schema)
        ids = [r[ROW_ID] for r in rows.filter(condition).select(ROW_ID).collect()]
        with self._lock.held():
            self._lock.check()
            self._rows.delete(name, ids, schema=to_arrow_schema(TABLES[name]))

    def forget(self) -> None:
        """Remove every row of the output: for a copy of one that is not needed any more."""
        self._rows.forget()

    def maintain(self, name: str, *, retention_h: float) -> None:
        """Nothing has to be removed: only the server's statistics are taken anew."""
        del retention_h
        self._rows.tidy(name)

    def _frame(self, batches: Iterator[list[dict[str, Any]]], schema: StructType) -> DataFrame:
        """Rows for Spark: sent along when they are few, in a file of the output's scratch when they are many."""
        kind = to_arrow_schema(schema)
        tables = (as_table(rows, kind) for rows in batches)
        first: list[pa.Table] = []
        for table in tables:
            first.append(table)
            if sum(t.nbytes for t in first) > _SENT_BYTES:
                return self._filed(first, tables, schema)
        if not first:
            return self._spark.createDataFrame([], schema)
        return self._spark.createDataFrame(pa.concat_tables(first), schema)

    def _filed(self, first: Sequence[pa.Table], rest: Iterator[pa.Table], schema: StructType) -> DataFrame:
        folder = f"{_SCRATCH}/{uuid.uuid4().hex}"
        local = self._store.scratch() / f"{uuid.uuid4().hex}.parquet"
        try:
            with pq.ParquetWriter(local, to_arrow_schema(schema)) as writer:
                for table in (*first, *rest):
                    writer.write_table(table)
            self._store.put(local, f"{folder}/rows.parquet")
        finally:
            local.unlink(missing_ok=True)
        return self._spark.read.schema(schema).parquet(self._store.spark_path(folder))

    def export(self, into: Tables, *, target: str) -> int:
        """Repeat on Delta tables what happened here since the last time, in the same order; how many changes.

        An append is the same transaction there; a deletion is repeated, right away, when its note was lost: neither has an
        effect twice.

        Args:
            into: The Delta tables.
            target: Name of the target, by which it is recognised the next time.
        """
        changes = self._rows.changes(target=target)
        for change in changes:
            self._repeat(change, into)
            self._rows.exported(change.seq, target=target)
        return len(changes)

    def _repeat(self, change: Change, into: Tables) -> None:
        schema = TABLES[change.name]
        if change.run_id is not None and change.wave is not None:
            batches = self._rows.rows(change.name, schema.names, where={"seq": [change.seq]})
            few = next(batches, [])
            more = next(batches, None)
            rows: DataFrame | list[tuple[Any, ...]] = [tuple(_tuples(v) for v in row.values()) for row in few]
            if more is not None:
                rows = self._frame(chain([few, more], batches), schema)
            into.append(change.name, rows, schema=schema, run_id=change.run_id, wave=change.wave)
            return
        for gone in change.deleted or ():
            same = F.lit(True)
            for column, value in gone.items():
                same &= F.col(column).eqNullSafe(F.lit(value))
            into.delete(change.name, same)


def _tuples(value: Any) -> Any:
    """A list of structs as tuples, their fields in the order that JSON kept; everything else as it is."""
    return [tuple(v.values()) if isinstance(v, dict) else v for v in value] if isinstance(value, list) else value


def migrate_ledger(database: Database) -> None:
    """Make the schema of all tables, as a role that may; runs with fewer rights then find it there.

    Raises:
        ConfigError: The database does not answer, or refuses.
    """
    try:
        migrate(database, {name: to_arrow_schema(schema) for name, schema in TABLES.items()})
    except psycopg.Error as error:
        msg = f"{database}: the ledger's schema cannot be made ({reason(error)}); connect as a role that may create schemas"
        raise ConfigError(msg) from error
