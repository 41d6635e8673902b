"""The ledger's schema in PostgreSQL: made by a run that may, or once by a role of its own for all runs."""

from collections.abc import Mapping
from typing import Any

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
from psycopg import sql

from swath.ledger.pg_values import kind_of
from swath.stores.database import Database

Connection = psycopg.Connection[Any]
SCHEMA = "swath_ledger"
_INDEXED = ("product_id", "scene_id", "run_id", "item", "seq")
_LOG = """
    CREATE SCHEMA IF NOT EXISTS swath_ledger;
    CREATE TABLE IF NOT EXISTS swath_ledger.changes (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, output text NOT NULL, name text NOT NULL,
        run_id text, wave bigint, deleted json, at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (output, name, run_id, wave)
    );
    CREATE TABLE IF NOT EXISTS swath_ledger.exported (
        output text NOT NULL, target text NOT NULL, seq bigint NOT NULL, PRIMARY KEY (output, target)
    );
"""
_TABLE = """
    CREATE TABLE IF NOT EXISTS {} (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, output text NOT NULL, seq bigint NOT NULL
    )
"""


def table(name: str) -> sql.Identifier:
    """A table's full name."""
    return sql.Identifier(SCHEMA, name)


def has_log(connection: Connection) -> bool:
    """Whether the ledger's log is there."""
    found = connection.execute("SELECT to_regclass('swath_ledger.changes') IS NOT NULL").fetchone()
    return bool(found and found[0])


def prepare(connection: Connection, name: str, schema: pa.Schema) -> None:
    """Make what is not there yet, in the transaction of the caller; nothing at all where everything is.

    Args:
        connection: Connection in a transaction.
        name: Name of the table.
        schema: Schema of the table.
    """
    if _is_whole(connection, name, schema):
        # A role that may make nothing is refused even by IF NOT EXISTS.
        return
    # Two drivers that start together must not make the same table.
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('swath_ledger', 7))")
    connection.execute(_LOG)
    connection.execute(sql.SQL(_TABLE).format(table(name)))
    known = columns_of(connection, name)
    added = [
        sql.SQL("ADD COLUMN {} {}").format(sql.Identifier(c.name), sql.SQL(kind_of(c.type)))
        for c in schema
        if c.name not in known
    ]
    if added:
        connection.execute(sql.SQL("ALTER TABLE {} {}").format(table(name), sql.SQL(", ").join(added)))
    for column in (c for c in _INDEXED if c in (*schema.names, "seq")):
        index = sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (output, {})")
        connection.execute(index.format(sql.Identifier(f"{name}_{column}"), table(name), sql.Identifier(column)))


def migrate(database: Database, tables: Mapping[str, pa.Schema]) -> None:
    """Make the whole schema, as a role that may; runs with fewer rights find everything there.

    Args:
        database: Database of the ledger, existing or new.
        tables: Schemas by name.

    Raises:
        psycopg.Error: It does not answer, or refuses.
    """
    with database.connect("swath migrate") as connection, connection.transaction():
        for name, schema in tables.items():
            prepare(connection, name, schema)


def _is_whole(connection: Connection, name: str, schema: pa.Schema) -> bool:
    return has_log(connection) and columns_of(connection, name) >= {"id", "output", "seq", *schema.names}


def columns_of(connection: Connection, name: str) -> frozenset[str]:
    """Columns that a table has now."""
    # Not information_schema, which shows a role only what it has a right on.
    there = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
    return frozenset(row[0] for row in connection.execute(there, [f"{SCHEMA}.{name}"]))
