"""Thousands of commits leave tens of files: rows, transactions and earlier versions stay what they were."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from pyspark.sql.pandas.types import to_arrow_schema
from tests.faults.delta_log import rows_of

from swath.ledger import delta, delta_joins
from swath.ledger.delta import DeltaTables
from swath.ledger.delta_joins import join_small
from swath.ledger.delta_log import DeltaLog
from swath.ledger.schemas import PRODUCTS, RUNS
from swath.stores.local import local_store

NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


def run_row(wave: int) -> tuple[Any, ...]:
    at = NOON + timedelta(seconds=wave)
    return ("r", wave, "toa", "s", "{}", 1, 1, 0, 0, 8, 8, 0, 0, True, 1.5, at, None, "1", "laptop", "me", None, None, 1)


def product_row(wave: int) -> tuple[Any, ...]:
    asset = ("red", "toa:red", "a.tif", "k", 5, "d", None)
    return (
        f"p{wave}", "k", "s", "d", "toa", 1, "c", "i.json", [1.0, 2.0], NOON, "p", [asset] * (wave % 3), "[]",
        {"thumbnail": "t.png"}, [("m", "1", "d")], {}, "{}", "1", "r", wave, "laptop", NOON,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "schema", "row"), [("runs", RUNS, run_row), ("products", PRODUCTS, product_row)])
def test_small_files_are_joined_as_a_table_grows(
    name: str, schema: Any, row: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_joins, "MANY", 20)
    store = local_store(tmp_path / "out")
    tables = DeltaTables(None, store)
    for wave in range(75):
        tables.append(name, [row(wave)], schema=schema, run_id="r", wave=wave)
    rows = rows_of(tmp_path / "out" / "tables" / name)
    assert sorted(r["wave"] for r in rows) == list(range(75))
    log = DeltaLog.of(store, f"tables/{name}")
    assert len(log.files) < 30
    assert log.transactions == {f"r.{name}": 74}
    # Each version is as it was: what was joined is still there for who reads an earlier one.
    versions = sorted((tmp_path / "out" / "tables" / name / "_delta_log").glob("[0-9]*.json"))
    joins = [v for v in versions if '"operation":"OPTIMIZE"' in v.read_text(encoding="utf-8")]
    assert len(joins) >= 2
    actions = [json.loads(line) for line in joins[0].read_text(encoding="utf-8").splitlines()]
    assert all(not a["remove"]["dataChange"] for a in actions if "remove" in a)
    assert all((tmp_path / "out" / "tables" / name / a["remove"]["path"]).is_file() for a in actions if "remove" in a)
    fresh = DeltaTables(None, store)
    few = fresh.small(name, schema, columns=schema.names)
    assert few is not None
    first = next(r for r in few if r["wave"] == 4)
    assert [type(v) for v in first.values()] == [type(v) for v in few[-1].values()]
    assert first["started" if name == "runs" else "made"].tzinfo is not None
    # A repeated wave has no effect.
    fresh.append(name, [row(3)], schema=schema, run_id="r", wave=3)
    assert len(rows_of(tmp_path / "out" / "tables" / name)) == 75


def test_a_join_gives_way_to_another_driver_and_to_files_of_other_writers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_joins, "MANY", 3)
    store = local_store(tmp_path / "out")
    tables = DeltaTables(None, store)
    for wave in range(4):
        tables.append("runs", [run_row(wave)], schema=RUNS, run_id="r", wave=wave)
    stale = DeltaLog.of(store, "tables/runs")
    tables.append("runs", [run_row(4)], schema=RUNS, run_id="r", wave=4)
    schema = to_arrow_schema(RUNS)
    assert not join_small(stale, schema=schema, store=store)
    assert stale.version == 4
    assert len(stale.files) == 5
    # Spark keeps moments as INT96.
    one = tmp_path / "out" / "tables" / "runs" / next(iter(stale.files))
    pq.write_table(pq.read_table(one), one, use_deprecated_int96_timestamps=True, store_schema=False)
    assert not join_small(stale, schema=schema, store=store)
    assert len(rows_of(tmp_path / "out" / "tables" / "runs")) == 5


def test_a_few_rows_of_a_large_table_are_found_without_reading_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = DeltaTables(None, local_store(tmp_path / "out"))
    for wave in range(5):
        tables.append("products", [product_row(10 * wave + n) for n in range(10)], schema=PRODUCTS, run_id="r", wave=wave)
    monkeypatch.setattr(delta, "SMALL_BYTES", 0)
    assert tables.small("products", PRODUCTS, columns=["product_id"]) is None
    columns = ["product_id", "assets", "pictures", "made"]
    wanted = {"product_id": ["p7", "p41", "p999"]}
    found = tables.small("products", PRODUCTS, columns=columns, where=wanted)
    assert found is not None
    monkeypatch.setattr(delta, "SMALL_BYTES", 1 << 30)
    every = tables.small("products", PRODUCTS, columns=columns) or []
    assert found == [r for r in every if r["product_id"] in wanted["product_id"]]
    assert [r["product_id"] for r in found] == ["p7", "p41"]
    assert tables.small("products", PRODUCTS, columns=columns, where={**wanted, "pipeline": ["other"]}) == []
    assert tables.small("products", PRODUCTS, columns=columns, where={"product_id": []}) == []
