"""A database whose disk is full: waited for, and nothing of an append is kept; with space it goes on."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from psycopg.conninfo import make_conninfo
from tests.catalog.conftest import Server

from swath.errors import ServiceError
from swath.ledger.pg_rows import PgRows
from swath.stores.database import Database

pytestmark = pytest.mark.timeout(300)
SCHEMA = pa.schema(
    [("run_id", pa.string()), ("wave", pa.int64()), ("spec", pa.string()), ("started", pa.timestamp("us", tz="UTC"))]
)
_NAME = "small_disk"


@pytest.fixture
def small(server: Server) -> Iterator[str]:
    """A database on a file system of 20 MB."""
    folder = Path(server.folder) / _NAME
    folder.mkdir()
    mounted = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no file system of its own can be mounted here: {mounted.stderr.strip()}")
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE {_NAME} LOCATION '{folder}'")
        admin.execute(f"CREATE DATABASE {_NAME} TEMPLATE template0 TABLESPACE {_NAME}")
        yield make_conninfo(server.dsn("postgres"), dbname=_NAME)
        admin.execute(f"DROP DATABASE {_NAME} WITH (FORCE)")
        admin.execute(f"DROP TABLESPACE {_NAME}")
    subprocess.run(["/usr/bin/umount", str(folder)], check=True)
    folder.rmdir()


def _rows(number: int) -> list[tuple[str, int, str, datetime]]:
    """Rows of 10 kB that nothing compresses."""
    draw = random.Random(5)  # noqa: S311  no secret
    return [("r", n, draw.randbytes(5_000).hex(), datetime(2026, 1, 1, tzinfo=UTC)) for n in range(number)]


def test_a_full_disk_keeps_nothing_half_and_is_waited_for(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_DATABASE_WAIT_S", "1")
    rows = PgRows(Database(small), output="s3://products/ard")
    assert rows.append("runs", _rows(1), schema=SCHEMA, run_id="r", wave=0)
    with psycopg.connect(small, autocommit=True) as admin:
        admin.execute("CREATE TABLE ballast AS SELECT repeat(md5(n::text), 50) AS x FROM generate_series(1, 1000) AS n")
    with pytest.raises(ServiceError, match="No space left on device"):
        rows.append("runs", _rows(4_000), schema=SCHEMA, run_id="r", wave=1)
    assert [r["wave"] for some in rows.rows("runs", ["wave"]) for r in some] == [0]
    with psycopg.connect(small, autocommit=True) as admin:
        # a person makes room; what the broken append wrote is dead, and given back
        admin.execute("DROP TABLE ballast")
        admin.execute("VACUUM swath_ledger.runs")
    assert rows.append("runs", _rows(2), schema=SCHEMA, run_id="r", wave=1)
    assert not rows.append("runs", _rows(2), schema=SCHEMA, run_id="r", wave=1)
