"""A log written without Spark, read by a second implementation; Spark itself reads it in tests/spark/test_delta_rows.py."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from tests.faults.delta_log import rows_of

from swath.ledger.delta_log import DeltaLog
from swath.ledger.delta_rows import read_rows, write_rows
from swath.stores.local import LocalStore, local_store

FOLDER = "tables/runs"
SCHEMA: dict[str, Any] = {
    "type": "struct",
    "fields": [
        {"name": "wave", "type": "long", "nullable": True, "metadata": {}},
        {"name": "name", "type": "string", "nullable": True, "metadata": {}},
        {"name": "at", "type": "timestamp", "nullable": True, "metadata": {}},
    ],
}
ARROW = pa.schema([("wave", pa.int64()), ("name", pa.string()), ("at", pa.timestamp("us", "UTC"))])
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path / "out")


def append(log: DeltaLog, wave: int, *, application: str = "run.runs", name: str | None = "a") -> bool:
    add = write_rows([(wave, name, NOON)], ARROW, store=log.store, folder=log.folder)
    return log.append(add, schema=SCHEMA, application=application, wave=wave)


def actions(store: LocalStore, version: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (store.read(f"{FOLDER}/_delta_log/{version:020d}.json") or b"").splitlines()]


def test_rows_are_there_for_who_reads_the_log(store: LocalStore, tmp_path: Path) -> None:
    log = DeltaLog.of(store, FOLDER)
    assert append(log, 0)
    assert append(log, 1, name=None)
    expected = [{"wave": 0, "name": "a", "at": NOON}, {"wave": 1, "name": None, "at": NOON}]
    assert rows_of(tmp_path / "out" / FOLDER) == expected
    again = DeltaLog.of(store, FOLDER)
    assert (again.version, again.transactions, again.schema, again.files) == (1, {"run.runs": 1}, SCHEMA, log.files)
    assert read_rows(list(again.files), ["wave", "at"], store=store, folder=FOLDER) == [
        {"wave": 0, "at": NOON},
        {"wave": 1, "at": NOON},
    ]


def test_a_transaction_is_committed_once_whoever_asks(store: LocalStore) -> None:
    first, second = DeltaLog.of(store, FOLDER), DeltaLog.of(store, FOLDER)
    assert append(first, 3)
    # The second one read the log before: it finds the version taken, and then its own transaction in it.
    assert not append(second, 3)
    assert not append(first, 2)
    assert append(second, 3, application="other.runs")
    assert DeltaLog.of(store, FOLDER).version == 1


def test_two_writers_at_one_version_both_get_theirs(store: LocalStore) -> None:
    first, second = DeltaLog.of(store, FOLDER), DeltaLog.of(store, FOLDER)
    assert append(first, 0, application="one")
    assert append(second, 0, application="two")
    # One of them made the table: it has one protocol and one schema.
    told = [set(a) for v in range(2) for a in actions(store, v)]
    assert told.count({"protocol"}) == told.count({"metaData"}) == 1
    assert len(DeltaLog.of(store, FOLDER).files) == 2


def test_a_commit_without_rows_makes_the_table(store: LocalStore, tmp_path: Path) -> None:
    assert DeltaLog.of(store, FOLDER).append(None, schema=SCHEMA, application="run.runs", wave=0)
    assert rows_of(tmp_path / "out" / FOLDER) == []
    assert [next(iter(a)) for a in actions(store, 0)] == ["commitInfo", "protocol", "metaData", "txn"]


def test_statistics_tell_ends_that_hold_for_every_row(store: LocalStore) -> None:
    rows = [(5, "b", NOON), (-2, "a" * 40, NOON), (None, None, NOON)]
    add = write_rows(rows, ARROW, store=store, folder=FOLDER)
    assert json.loads(add["stats"]) == {
        "numRecords": 3, "minValues": {"wave": -2}, "maxValues": {"wave": 5}, "nullCount": {"wave": 1, "name": 1},
    }  # fmt: skip
    assert store.size(f"{FOLDER}/{add['path']}") == add["size"]


@pytest.mark.parametrize(
    "beyond",
    [
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"]}},
        {"metaData": {"schemaString": json.dumps(SCHEMA), "partitionColumns": ["wave"], "configuration": {}}},
        {"metaData": {"schemaString": json.dumps(SCHEMA), "partitionColumns": [], "configuration": {"delta.appendOnly": "true"}}},
        {"add": {"path": "x", "size": 1, "deletionVector": {"storageType": "u"}}},
        {"add": {"path": "s3://elsewhere/x", "size": 1}},
        {"metaData": {"schemaString": '{"type":"struct","fields":[]}', "partitionColumns": [], "configuration": {}}},
    ],
)
def test_a_table_that_is_more_than_plain_is_left_alone(store: LocalStore, beyond: dict[str, Any]) -> None:
    log = DeltaLog.of(store, FOLDER)
    append(log, 0)
    store.write(log.commit_path(1), json.dumps(beyond).encode())
    assert not DeltaLog.of(store, FOLDER).fits(SCHEMA)
    # Who knew it as it was finds out when the version is taken.
    with pytest.raises(ValueError, match="tables/runs is of another kind since version 1: run again"):
        append(log, 1)


def test_a_checkpoint_is_all_that_a_reader_needs(store: LocalStore) -> None:
    log = DeltaLog.of(store, FOLDER)
    for wave in range(24):
        append(log, wave, application=f"run-{wave % 3}.runs")
    names = [path.rsplit("/", 1)[-1] for path in store.list(f"{FOLDER}/_delta_log")]
    assert [n for n in names if "checkpoint" in n and n != "_last_checkpoint"] == [
        "00000000000000000010.checkpoint.parquet", "00000000000000000020.checkpoint.parquet",
    ]  # fmt: skip
    pointer = json.loads(store.read(f"{FOLDER}/_delta_log/_last_checkpoint") or b"")
    assert pointer["version"] == 20
    assert (pointer["size"], pointer["numOfAddFiles"]) == (2 + 3 + 21, 21)
    for old in range(20):
        store.delete(log.commit_path(old))
    again = DeltaLog.of(store, FOLDER)
    assert (again.version, again.checkpoint, again.schema, again.files) == (23, 20, SCHEMA, log.files)
    assert again.transactions == {"run-0.runs": 21, "run-1.runs": 22, "run-2.runs": 23}
    assert again.fits(SCHEMA)
    assert {path: add["stats"] for path, add in again.added.items()} == {path: add["stats"] for path, add in log.added.items()}


def test_a_table_that_is_more_than_plain_gets_no_checkpoint_of_ours(store: LocalStore) -> None:
    log = DeltaLog.of(store, FOLDER)
    append(log, 0)
    features = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"]}}
    store.write(log.commit_path(1), json.dumps(features).encode())
    log.advance()
    log.write_checkpoint()
    assert not [path for path in store.list(FOLDER) if "checkpoint" in path]


def test_a_checkpoint_forgets_what_was_removed_long_ago(store: LocalStore) -> None:
    log = DeltaLog.of(store, FOLDER)
    append(log, 0)
    append(log, 1)
    old, new = log.files
    removals = [{"remove": {"path": old, "deletionTimestamp": 1}}, {"remove": {"path": new, "deletionTimestamp": 1 << 50}}]
    store.write(log.commit_path(2), "".join(f"{json.dumps(line)}\n" for line in removals).encode())
    log.advance()
    log.write_checkpoint()
    again = DeltaLog.of(store, FOLDER)
    assert (again.version, again.checkpoint, again.files, list(again.removed)) == (2, 2, {}, [new])


def test_a_moment_without_a_zone_is_refused(store: LocalStore) -> None:
    with pytest.raises(ValueError, match="a moment without a time zone: 2024-08-05 12:00:00"):
        write_rows([(0, "a", NOON.replace(tzinfo=None))], ARROW, store=store, folder=FOLDER)
    assert list(store.list("")) == []


def test_a_file_that_is_gone_is_an_error(store: LocalStore) -> None:
    with pytest.raises(FileNotFoundError, match=r"tables/runs/gone\.parquet"):
        read_rows(["gone.parquet"], ["wave"], store=store, folder=FOLDER)
