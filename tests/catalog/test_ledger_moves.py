"""A ledger moves from PostgreSQL to Delta with all that it knows, and back by a rebuild; nothing is made twice on the way."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from swath.cli import upkeep
from swath.cli.main import main as command
from swath.ledger.open import MARK, open_tables
from swath.ledger.schemas import PRODUCTS
from swath.simulator.simulate import simulate
from swath.stores.local import local_store
from swath.upkeep.drill import NAMED
from swath.upkeep.reconcile import compare

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]


def _products(output: Path) -> list[dict[str, Any]]:
    columns = [n for n in PRODUCTS.names if n not in NAMED]
    rows = open_tables(None, local_store(output)).small("products", PRODUCTS, columns=columns)
    return [{**r, "records": sorted(r["records"])} for r in rows or ()]


def test_a_ledger_moves_from_postgresql_to_delta_and_back(
    spark: "SparkSession", run_job: Callable[..., "RunSummary"], empty_database: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    @contextmanager
    def shared(*_: Any, **__: Any) -> Iterator["SparkSession"]:
        yield spark

    monkeypatch.setattr(upkeep, "session", shared)
    monkeypatch.setenv("SWATH_POSTGRESQL_DSN", empty_database)

    def swath(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit, match=r"^\d$") as ended:
            command(list(words))
        return int(ended.value.code or 0), capsys.readouterr().err

    def again(run_id: str) -> tuple[int, int]:
        done = run_job("toa", scene, output=output, run_id=run_id)
        return done.scenes.made, done.scenes.skipped

    output, scene = tmp_path / "out", simulate(kind="landsat9", folder=tmp_path, size=96, truth=False).delivery
    monkeypatch.setenv("SWATH_LEDGER", "postgresql")
    assert again("one") == (1, 0)
    before = _products(output)
    assert swath("export", str(output), "--to", str(output))[0] == 0
    (output / MARK).unlink()
    monkeypatch.setenv("SWATH_LEDGER", "delta")
    tables = open_tables(spark, local_store(output))
    assert (_products(output), compare(tables, local_store(output)).findings) == (before, [])
    assert again("two") == (0, 1)
    # and back, into a database that knows nothing of it
    with psycopg.connect(empty_database, autocommit=True) as database:
        database.execute("DROP SCHEMA swath_ledger CASCADE")
    shutil.move(output / "tables", tmp_path / "tables-before")
    monkeypatch.setenv("SWATH_LEDGER", "postgresql")
    code, told = swath("reconcile", str(output), "--rebuild")
    assert code == 0
    assert "1 products and 2 runs recorded" in told
    assert (_products(output), compare(open_tables(spark, local_store(output)), local_store(output)).findings) == (before, [])
    assert again("three") == (0, 1)
