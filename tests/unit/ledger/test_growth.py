"""Tables of an earlier swath are read and continued, and so are those of a later one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql.types import StructType
from tests.faults.delta_log import rows_of

from swath.ledger import delta_joins
from swath.ledger.delta import DeltaTables
from swath.ledger.delta_log import DeltaLog
from swath.ledger.growth import compatible
from swath.ledger.schemas import RUNS
from swath.runs.status import output_status
from swath.stores.local import local_store

NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)
NEW = ("submitted_by", "image", "site_digest", "attempt")
EARLIER = StructType([field for field in RUNS.fields if field.name not in NEW])
_OLD: tuple[Any, ...] = ("toa", "s", "{}", 1, 1, 0, 0, 8, 8, 0, 0, True, 1.5, NOON, NOON, "0.1", "laptop")


def earlier(run_id: str, wave: int = 0) -> tuple[Any, ...]:
    return (run_id, wave, *_OLD)


def now(run_id: str, wave: int = 0, *, attempt: int = 1) -> tuple[Any, ...]:
    return (*earlier(run_id, wave), "anna@desk", "r/swath@sha256:ab", "cd" * 32, attempt)


def test_a_table_of_an_earlier_swath_is_read_and_continued(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    DeltaTables(None, store).append("runs", [earlier("a")], schema=EARLIER, run_id="a", wave=0)
    tables = DeltaTables(None, store)
    before = tables.small("runs", RUNS, columns=["run_id", "attempt"])
    assert before == [{"run_id": "a", "attempt": None}]
    assert output_status(tables).runs[0].origin.submitted_by is None
    tables.append("runs", [now("b", attempt=2)], schema=RUNS, run_id="b", wave=0)
    tables.append("runs", [now("b", attempt=2)], schema=RUNS, run_id="b", wave=0)
    found = DeltaTables(None, store).small("runs", RUNS, columns=["run_id", "attempt"], where={"run_id": ["a", "b"]})
    assert found == [{"run_id": "a", "attempt": None}, {"run_id": "b", "attempt": 2}]
    read = DeltaTables(None, store).arrow("runs", RUNS, columns=["run_id", "submitted_by"])
    assert read is not None
    assert read.to_pydict() == {"run_id": ["a", "b"], "submitted_by": [None, "anna@desk"]}
    told = {run.run_id: run.origin for run in output_status(DeltaTables(None, store)).runs}
    assert (told["b"].submitted_by, told["b"].attempt, told["a"].attempt) == ("anna@desk", 2, None)
    # one commit says so, and keeps who the table is
    log = DeltaLog.of(store, "tables/runs")
    said = [json.loads(line) for line in (store.read(log.commit_path(1)) or b"").splitlines()]
    first = [json.loads(line) for line in (store.read(log.commit_path(0)) or b"").splitlines()]
    ids = [next(a["metaData"]["id"] for a in actions if "metaData" in a) for actions in (first, said)]
    assert ids[0] == ids[1]
    assert log.schema == RUNS.jsonValue()


def test_an_earlier_swath_continues_a_table_of_this_one(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    DeltaTables(None, store).append("runs", [now("b")], schema=RUNS, run_id="b", wave=0)
    tables = DeltaTables(None, store)
    tables.append("runs", [earlier("a")], schema=EARLIER, run_id="a", wave=0)
    assert [r["run_id"] for r in tables.small("runs", EARLIER, columns=["run_id"]) or []] == ["b", "a"]
    assert DeltaLog.of(store, "tables/runs").schema == RUNS.jsonValue()
    assert {r["run_id"]: r.get("attempt") for r in rows_of(tmp_path / "tables" / "runs")} == {"a": None, "b": 1}


def test_files_of_both_are_joined_and_no_column_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta_joins, "MANY", 12)
    store = local_store(tmp_path)
    tables = DeltaTables(None, store)
    for wave in range(9):
        tables.append("runs", [earlier("a", wave)], schema=EARLIER, run_id="a", wave=wave)
    for wave in range(13):
        tables.append("runs", [now("b", wave)], schema=RUNS, run_id="b", wave=wave)
    log = DeltaLog.of(store, "tables/runs")
    assert len(log.files) < 12
    rows = DeltaTables(None, store).small("runs", RUNS, columns=RUNS.names) or []
    assert sorted((r["run_id"], r["wave"], r["attempt"]) for r in rows) == [
        *(("a", w, None) for w in range(9)), *(("b", w, 1) for w in range(13))
    ]  # fmt: skip
    # whoever knows fewer columns than the table has joins nothing
    for wave in range(20, 45):
        tables.append("runs", [earlier("c", wave)], schema=EARLIER, run_id="c", wave=wave)
    assert len(DeltaLog.of(store, "tables/runs").files) > 25


@pytest.mark.parametrize(
    "other",
    [
        StructType([]),
        StructType([RUNS.fields[1], RUNS.fields[0]]),
        StructType([*RUNS.fields[:3], RUNS["cpu_s"], *RUNS.fields[3:]]),
    ],
)
def test_anything_else_is_left_to_spark(other: StructType) -> None:
    assert not compatible(other.jsonValue(), RUNS.jsonValue())
