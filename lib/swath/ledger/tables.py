"""The ledger of an output: Delta tables in it, or PostgreSQL, as ``SWATH_LEDGER`` says."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql.types import StructType

from swath.errors import ConfigError
from swath.ledger.delta import TABLES_FOLDER, DeltaTables
from swath.stores.base import Store
from swath.stores.lock import DSN_VARIABLE, CommitLock, dsn_for

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from swath.ledger.pg_rows import PgRows

#: ``delta`` (without it as well) or ``postgresql``; sites set it.
VARIABLE = "SWATH_LEDGER"
_MARK = "ledger.json"


class Tables(Protocol):
    """The tables of one output."""

    def exists(self, name: str) -> bool:
        """Whether somebody appended to the table, be it nothing."""
        ...

    def read(
        self,
        name: str,
        schema: StructType,
        *,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Sequence[Any]] | None = None,
    ) -> DataFrame:
        """The table; an empty one of the schema when it was never written.

        Args:
            name: Of the table.
            schema: Of the table.
            columns: Only these.
            where: Only rows with one of these values in a column.
        """
        ...

    def small(self, name: str, schema: StructType, *, columns: Sequence[str]) -> list[dict[str, Any]] | None:
        """Some columns of all rows, read without Spark; None when that is much. Moments are aware, in UTC."""
        ...

    def arrow(self, name: str, schema: StructType, *, columns: Sequence[str]) -> "pa.Table | None":
        """Some plain columns of all rows, however many, read without Spark; None when only Spark can. Moments are in UTC."""
        ...

    def append(
        self,
        name: str,
        rows: Sequence[Row | tuple[Any, ...]] | DataFrame,
        *,
        schema: StructType,
        run_id: str,
        wave: int,
        files: int = 1,
    ) -> None:
        """Append rows; repeating the append of the same run and wave does nothing.

        Args:
            name: Of the table.
            rows: Tuples in the order of ``schema``, or a DataFrame of it.
            schema: Of the table.
            run_id: Of the run.
            wave: Of the run.
            files: To write at most, where rows lie in files.

        Raises:
            AccountError: The rows are not in the table.
            LockError: Another driver commits, or the lock was lost: nothing was appended.
        """
        ...

    def delete(self, name: str, condition: Column) -> None:
        """Take rows out of a table; what they were can still be found."""
        ...

    def maintain(self, name: str, *, retention_h: float) -> None:
        """Tidy a table; what it was within the retention [hours] can still be read where it could be."""
        ...


def open_tables(
    spark: SparkSession | None, store: Store, *, lock: CommitLock | None = None, environ: Mapping[str, str] = os.environ
) -> Tables:
    """The tables of an output.

    Args:
        spark: The session; without one only what needs no Spark can be asked.
        store: The output.
        lock: Taken for each commit.
        environ: Says which kind.

    Raises:
        ConfigError: The kind is unknown or is not the output's, or PostgreSQL's connection string is missing or broken.
    """
    rows = _rows(store, environ)
    if rows is None:
        if store.size(_MARK) is not None:
            msg = f"the ledger of {store.root} is in PostgreSQL: set {VARIABLE}=postgresql and {DSN_VARIABLE}"
            raise ConfigError(msg)
        return DeltaTables(spark, store, lock=lock)
    if store.size(_MARK) is None and next(store.list(TABLES_FOLDER), None) is not None:
        msg = f"the ledger of {store.root} is in Delta, and {VARIABLE} is postgresql: unset it, or name another output"
        raise ConfigError(msg)
    from swath.ledger.pg_tables import PgTables  # noqa: PLC0415  psycopg only where a database is configured

    return PgTables(spark, store, rows=rows, lock=lock)


def has_ledger(store: Store, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody ran into an output before.

    Raises:
        ConfigError: See ``open_tables``.
    """
    rows = _rows(store, environ)
    if rows is not None:
        return rows.anything()
    return store.size(_MARK) is not None or next(store.list(TABLES_FOLDER), None) is not None


def _rows(store: Store, environ: Mapping[str, str]) -> "PgRows | None":
    kind = environ.get(VARIABLE, "") or "delta"
    if kind == "delta":
        return None
    if kind != "postgresql":
        msg = f"{VARIABLE} is {kind!r}; expected delta or postgresql"
        raise ConfigError(msg)
    dsn = dsn_for(VARIABLE, environ)
    from swath.ledger.pg_rows import PgRows  # noqa: PLC0415
    from swath.stores.database import Database  # noqa: PLC0415

    return PgRows(Database(dsn), output=store.root)
