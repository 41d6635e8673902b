"""Append to Delta tables, at most once for each wave of a run, and see in the log itself that it happened."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, takewhile
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from swath.errors import AccountError, SwathError
from swath.ledger.delta_joins import join_small
from swath.ledger.delta_log import DeltaLog
from swath.ledger.delta_rows import GivenRows, read_columns, read_rows, read_where, write_rows
from swath.ledger.tables import AppendedRows
from swath.stores.base import Store
from swath.stores.lock import CommitLock, NoLock

TABLES_FOLDER = "tables"
_LISTING_TASKS = 16
#: A table of so many bytes is read by Spark.
SMALL_BYTES = 16 << 20
#: And one of so many also where a few of its rows are looked for: 100,000 products have some 100 MB.
SEARCHED_BYTES = 1 << 30


class NeedsSparkError(SwathError):
    """Only Spark can answer, and there is no session."""


class DeltaTables:
    """The Delta tables of one output.

    Args:
        spark: The session; without one only what needs no Spark can be asked.
        store: The output.
        lock: Taken for each commit, and checked right before it.
    """

    def __init__(self, spark: SparkSession | None, store: Store, *, lock: CommitLock | None = None) -> None:
        self._session = spark
        self._store = store
        self._lock = lock or NoLock()
        self._newest: dict[str, int] = {}
        self._logs: dict[str, DeltaLog] = {}

    @property
    def _spark(self) -> SparkSession:
        if self._session is None:
            raise NeedsSparkError
        return self._session

    def exists(self, name: str) -> bool:
        """Whether the table has a commit; not always the first one, for Delta removes what a checkpoint made superfluous."""
        return name in self._newest or next(self._log(name), None) is not None

    def read(
        self,
        name: str,
        schema: StructType,
        *,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Sequence[Any]] | None = None,
    ) -> DataFrame:
        """The table; an empty one of the schema when it was never written."""
        there = self.exists(name)
        rows = self._spark.read.format("delta").load(self.path(name)) if there else self._spark.createDataFrame([], schema)
        known = set(rows.columns)
        # a table of an earlier swath lacks columns
        rows = rows.withColumns({c.name: F.lit(None).cast(c.dataType) for c in schema if c.name not in known})
        for column, values in (where or {}).items():
            rows = rows.filter(F.col(column).isin(list(values)))
        return rows.select(*(columns if columns is not None else schema.names))

    def small(
        self, name: str, schema: StructType, *, columns: Sequence[str], where: Mapping[str, Sequence[Any]] | None = None
    ) -> list[dict[str, Any]] | None:
        """Some columns of all rows, or of those with given values, read without Spark.

        None when the table is large for that, or more than a plain one.

        Moments are aware, in UTC.
        """
        if not self.exists(name):
            return []
        log = self._log_of(name)
        if not log.fits(schema.jsonValue()) or sum(log.files.values()) > (SMALL_BYTES if where is None else SEARCHED_BYTES):
            return None
        if where is not None:
            return read_where(list(log.files), columns, where=where, store=self._store, folder=log.folder)
        return read_rows(list(log.files), columns, store=self._store, folder=log.folder)

    def arrow(self, name: str, schema: StructType, *, columns: Sequence[str]) -> pa.Table | None:
        """Some plain columns of all rows, however many, read without Spark; None when the table is more than a plain one."""
        kept = to_arrow_schema(StructType([schema[c] for c in columns]))
        if not self.exists(name):
            return kept.empty_table()
        log = self._log_of(name)
        return read_columns(list(log.files), kept, store=self._store, folder=log.folder) if log.fits(schema.jsonValue()) else None

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
        """Append rows as a transaction of the run (with the table's name: Delta's application) and the wave (its version).

        Raises:
            AccountError: The commit is not in the table's log: another process wrote over it.
            LockError: Another driver commits, or the lock was lost: nothing was appended.
        """
        if not isinstance(rows, DataFrame) and not rows and self.exists(name):
            return
        application = f"{run_id}.{name}"
        with self._lock.held():
            self._lock.check()
            if isinstance(rows, DataFrame) or not self._append_few(name, rows, schema, application=application, wave=wave):
                frame = rows if isinstance(rows, DataFrame) else self._frame(rows, schema)
                (
                    frame.coalesce(files).write.format("delta").mode("append")
                    .option("txnAppId", application).option("txnVersion", wave).option("mergeSchema", "true")
                    .save(self.path(name))
                )  # fmt: skip
                self._logs.pop(name, None)
            self._see(name, application=application, wave=wave)

    def _frame(self, rows: GivenRows, schema: StructType) -> DataFrame:
        """Rows of the driver for Spark."""
        return self._spark.createDataFrame(list(rows() if callable(rows) else rows), schema, verifySchema=False)

    def _append_few(self, name: str, rows: GivenRows, schema: StructType, *, application: str, wave: int) -> bool:
        """Append without Spark; False when that cannot be."""
        log, plain = self._log_of(name), schema.jsonValue()
        if not log.fits(plain):
            return False
        if not log.has(application, wave=wave):
            added = write_rows(rows, to_arrow_schema(schema), store=self._store, folder=log.folder) if rows else None
            log.append(added, schema=plain, application=application, wave=wave)
            if log.version == log.checkpoint:  # as often as checkpoints are written
                join_small(log, schema=to_arrow_schema(schema), store=self._store)
        return True

    def _log_of(self, name: str) -> DeltaLog:
        """The table's log as it is now."""
        folder = f"{TABLES_FOLDER}/{name}"
        if name in self._logs:
            self._logs[name].advance()
        else:
            self._logs[name] = DeltaLog.of(self._store, folder)
        return self._logs[name]

    def delete(self, name: str, condition: Column) -> None:
        """Take rows out of a table; the version before stays readable until the janitor's retention is over."""
        with self._lock.held():
            self._lock.check()
            DeltaTable.forPath(self._spark, self.path(name)).delete(condition)

    def maintain(self, name: str, *, retention_h: float) -> None:
        """Join small files, and remove those that no version within the retention needs."""
        table = DeltaTable.forPath(self._spark, self.path(name))
        # Delta lists a table's files with as many tasks as this (10,000 by default), however few they are.
        self._spark.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", str(_LISTING_TASKS))
        with self._lock.held():
            self._lock.check()
            table.optimize().executeCompaction()
        table.vacuum(retention_h)

    def path(self, name: str) -> str:
        """The URI of a table."""
        return self._store.spark_path(f"{TABLES_FOLDER}/{name}")

    def _see(self, name: str, *, application: str, wave: int) -> None:
        """Find our transaction in the log.

        A commit without Spark was read back already; otherwise the log is read from its newest commit backwards.
        """
        if name in self._logs and self._logs[name].has(application, wave=wave):
            return
        version = -1
        for version in self._versions(name):
            for line in (self._store.read(_commit(name, version)) or b"").splitlines():
                done = json.loads(line).get("txn")
                if done and done["appId"] == application and done["version"] >= wave:
                    return
        if version > 0:  # older commits are in a checkpoint: a repeated append of long ago
            return
        msg = (
            f"table {name}: expected transaction {application} {wave} in the log, which ends with version "
            f"{self._newest.get(name, -1)}; got none. Either this store lists and reads late what was written (swath doctor asks "
            "it; such a store needs its ledger in PostgreSQL), or another driver writes to this table without its lock: stop it. "
            "Then run swath reconcile, and run again"
        )
        raise AccountError(msg)

    def _versions(self, name: str) -> Iterator[int]:
        """Commits of a table, newest first: those since we last looked without a listing, then all that are there."""
        if name in self._newest:
            there = takewhile(lambda v: self._store.size(_commit(name, v)) is not None, count(self._newest[name] + 1))
            fresh = list(there)
            self._newest[name] += len(fresh)
            yield from reversed(fresh)
        found = sorted((_version(path) for path in self._log(name)), reverse=True)
        if found:
            self._newest[name] = found[0]
        yield from found

    def _log(self, name: str) -> Iterator[str]:
        """Commits that are files of their own."""
        for path in self._store.list(f"{TABLES_FOLDER}/{name}/_delta_log"):
            file = path.rsplit("/", 1)[-1]
            if file.endswith(".json") and file.removesuffix(".json").isdigit():
                yield path


def _commit(name: str, version: int) -> str:
    return f"{TABLES_FOLDER}/{name}/_delta_log/{version:020d}.json"


def _version(path: str) -> int:
    return int(path.rsplit("/", 1)[-1].removesuffix(".json"))
