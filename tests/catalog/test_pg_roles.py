"""Roles of the database: runs read and write rows, and can make, change and drop nothing; a replica is refused."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from psycopg.conninfo import make_conninfo

from swath.errors import ConfigError
from swath.ledger.pg_rows import PgRows
from swath.ledger.pg_tables import migrate_ledger
from swath.stores.database import Database

pytestmark = pytest.mark.timeout(300)
ROLES = Path(__file__).resolve().parents[2] / "emr-on-eks" / "sql" / "roles.sql"
SCHEMA = pa.schema([("run_id", pa.string()), ("wave", pa.int64()), ("started", pa.timestamp("us", tz="UTC"))])
ROW = ("r", 0, datetime(2026, 1, 1, tzinfo=UTC))


def _roles(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(ROLES.read_text(encoding="utf-8"))


def _as(dsn: str, role: str) -> str:
    return make_conninfo(dsn, user=role)


@pytest.fixture
def least(database: str) -> str:
    """The database as a run sees it, made as the file says."""
    _roles(database)
    with pytest.raises(ConfigError, match=r"cannot be made .*permission denied"):
        migrate_ledger(Database(_as(database, "swath_run")))
    migrate_ledger(Database(_as(database, "swath_migrate")))
    _roles(database)
    return _as(database, "swath_run")


def test_a_run_reads_and_writes_rows_with_the_least_rights(least: str) -> None:
    rows = PgRows(Database(least), output="s3://products/ard")
    assert rows.append("runs", [ROW], schema=SCHEMA, run_id="r", wave=0)
    assert not rows.append("runs", [ROW], schema=SCHEMA, run_id="r", wave=0)
    assert rows.exists("runs")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE swath_ledger.products",
        "DROP SCHEMA swath_ledger CASCADE",
        "DROP SCHEMA pgstac CASCADE",
        "TRUNCATE swath_ledger.runs",
        "ALTER TABLE swath_ledger.products ADD COLUMN x text",
        "CREATE TABLE swath_ledger.x ()",
        "CREATE TABLE public.x ()",
        "CREATE SCHEMA x",
        "DELETE FROM swath_ledger.changes",
        "UPDATE swath_ledger.changes SET wave = 1",
        "CREATE ROLE x",
    ],
)
def test_a_run_can_make_change_and_drop_nothing(least: str, statement: str) -> None:
    with (
        psycopg.connect(least, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"permission denied|must be owner"),
    ):
        connection.execute(statement)


@pytest.fixture
def replica(server: Any, database: str) -> Iterator[str]:
    """A standby of the server, by streaming: it answers, and takes nothing."""
    folder, port = server.folder / "standby", server.port + 1
    as_whom: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_whom = {"user": "postgres", "group": "postgres", "extra_groups": []}

    def run(program: str, *words: str) -> None:
        with (server.folder / "standby.log").open("ab") as told:
            subprocess.run(
                [str(server.programs / program), *words], check=True, cwd=server.folder, stdout=told, stderr=told, **as_whom
            )

    run(
        "pg_basebackup", "-D", str(folder), "-h", str(server.folder), "-p", str(server.port), "-U", "postgres", "-R", "-c", "fast"
    )
    options = f"-c port={port} -c unix_socket_directories={server.folder} -c listen_addresses="
    run(
        "pg_ctl", "start", "--wait", "--pgdata", str(folder), "--log", str(server.folder / "standby.server"), "--options", options
    )
    yield make_conninfo(database, port=port)
    run("pg_ctl", "stop", "--wait", "--mode", "immediate", "--pgdata", str(folder))
    shutil.rmtree(folder)


def test_a_read_replica_that_is_named_by_mistake_is_refused(replica: str) -> None:
    rows = PgRows(Database(replica), output="s3://products/ard")
    with pytest.raises(ConfigError, match=r"is read-only .*name the writer, not a read replica"):
        rows.append("runs", [ROW], schema=SCHEMA, run_id="r", wave=0)
