"""The ledger of an output: Delta tables in it, or PostgreSQL, as ``SWATH_LEDGER`` says."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from swath.errors import ConfigError
from swath.ledger.delta import TABLES_FOLDER, DeltaTables
from swath.ledger.tables import Tables
from swath.settings import DSN, LEDGER, Settings
from swath.stores.base import Store
from swath.stores.lock import CommitLock

if TYPE_CHECKING:
    from swath.ledger.pg_rows import PgRows

MARK = "ledger.json"


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
        if store.size(MARK) is not None:
            msg = f"the ledger of {store.root} is in PostgreSQL: set {LEDGER}=postgresql and {DSN}"
            raise ConfigError(msg)
        return DeltaTables(spark, store, lock=lock)
    if store.size(MARK) is None and next(store.list(TABLES_FOLDER), None) is not None:
        msg = f"the ledger of {store.root} is in Delta, and {LEDGER} is postgresql: unset it, or name another output"
        raise ConfigError(msg)
    from swath.ledger.pg_tables import PgTables  # noqa: PLC0415  psycopg only where a database is configured

    return PgTables(spark, store, rows=rows, lock=lock)


def has_ledger(store: Store, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a run has used this output before.

    Raises:
        ConfigError: See ``open_tables``.
    """
    rows = _rows(store, environ)
    if rows is not None:
        return rows.anything()
    return store.size(MARK) is not None or next(store.list(TABLES_FOLDER), None) is not None


def _rows(store: Store, environ: Mapping[str, str]) -> "PgRows | None":
    settings = Settings.of(environ)
    if settings.ledger == "delta":
        return None
    dsn = settings.dsn_for(LEDGER)
    from swath.ledger.pg_rows import PgRows  # noqa: PLC0415
    from swath.stores.database import Database  # noqa: PLC0415

    return PgRows(Database(dsn), output=store.root)
