"""Losses of a ledger in PostgreSQL for real: the schema is dropped, and a dump of yesterday is restored."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from tests.catalog.conftest import Server

from swath.cli import drill as drilled
from swath.cli import upkeep
from swath.cli.main import main as command
from swath.ledger.open import open_tables
from swath.ledger.schemas import PRODUCTS, RUNS
from swath.runs.status import output_status
from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.stores.local import local_store
from swath.upkeep.drill import NAMED
from swath.upkeep.reconcile import compare

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]


def _products(output: Path) -> dict[str, Any]:
    rows = open_tables(None, local_store(output)).small(
        "products", PRODUCTS, columns=[n for n in PRODUCTS.names if n not in NAMED]
    )
    return {r["product_id"]: {**r, "records": sorted(r["records"])} for r in rows or ()}


def test_a_dropped_schema_and_a_dump_of_yesterday_come_back(
    spark: "SparkSession", run_job: Callable[..., "RunSummary"], server: Server, empty_database: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SWATH_LEDGER", "postgresql")
    monkeypatch.setenv("SWATH_POSTGRESQL_DSN", empty_database)

    @contextmanager
    def shared(*_: Any, **__: Any) -> Iterator["SparkSession"]:
        yield spark

    for module in (drilled, upkeep):
        monkeypatch.setattr(module, "session", shared)
    output, dump = tmp_path / "out", tmp_path / "yesterday.sql"
    first = simulate(kind="landsat9", folder=tmp_path, size=96, truth=False)
    run_job("toa", first.delivery, output=output, run_id="yesterday")
    program = server.programs / "pg_dump"
    subprocess.run([str(program), "--clean", "--if-exists", "-n", "swath_ledger", "-f", str(dump), empty_database], check=True)
    second = copied(first, folder=first.delivery.parent, rename={"193022_2024": "191999_2024"})
    run_job("toa", second.delivery, output=output, run_id="today")
    before = _products(output)
    assert len(before) == 2

    def lost(*words: str) -> int:
        with pytest.raises(SystemExit, match=r"^\d$") as ended:
            command(list(words))
        return int(ended.value.code or 0)

    assert lost("drill", str(output), "--copy", str(tmp_path / "copy")) == 0
    with psycopg.connect(empty_database, autocommit=True) as database:
        # nothing of the copy is left there
        outputs = database.execute("SELECT DISTINCT output FROM swath_ledger.changes").fetchall()
        assert outputs == [(str(output),)]
        database.execute("DROP SCHEMA swath_ledger CASCADE")
    assert lost("reconcile", str(output), "--rebuild") == 0
    assert _products(output) == before
    subprocess.run([str(server.programs / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump), empty_database], check=True)
    assert len(_products(output)) == 1
    assert lost("reconcile", str(output), "--fix") == 0
    assert _products(output) == before
    tables = open_tables(spark, local_store(output))
    assert compare(tables, local_store(output)).findings == []
    assert {r.run_id for r in output_status(tables).runs} >= {"yesterday", "today"}
    assert tables.read("runs", RUNS).filter("run_id = 'today' and made = 1").count() == 1
    again = run_job("toa", first.delivery.parent, output=output, run_id="again")
    assert (again.scenes.made, again.scenes.skipped) == (0, 2)
