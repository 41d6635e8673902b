"""Tombstones beside the ledger: each version once, of whatever ledger and interruption, and never guessed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from swath.errors import ConfigError
from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import TOMBSTONES
from swath.stores.local import LocalStore, local_store
from swath.upkeep.removed_files import has_removed, restore_removed, told_removed, told_versions, write_all_removed, write_removed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stone(scene: str, *, removed: datetime = NOW, by: str = "m") -> tuple[Any, ...]:
    moments = {"acquired": NOW - timedelta(days=90), "made": NOW - timedelta(days=50, microseconds=7)}
    return (
        f"{scene}.toa", "key", scene, "d", "toa", "toa-x", f"products/{scene}.json", moments["acquired"], "r", moments["made"],
        3, 10, "30 days", removed, by,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path / "out")


def test_what_is_written_is_restored_into_a_new_ledger_once(store: LocalStore) -> None:
    write_removed(store, [stone("a"), stone("b")], run_id="m", number=0)
    # an interrupted execution is continued by another, which says it again
    write_removed(store, [stone("b", removed=NOW + timedelta(days=1), by="n"), stone("c", by="n")], run_id="n", number=0)
    assert list(told_removed(store)) == [stone("a"), stone("b"), stone("c", by="n")]
    tables = DeltaTables(None, store)
    assert restore_removed(tables, store, run_id="again") == 3
    assert restore_removed(tables, store, run_id="once-more") == 0
    rows = tables.small("tombstones", TOMBSTONES, columns=TOMBSTONES.names) or []
    assert [tuple(row[n] for n in TOMBSTONES.names) for row in rows] == [stone("a"), stone("b"), stone("c", by="n")]


def test_a_ledger_without_such_files_writes_all_that_it_knows(store: LocalStore) -> None:
    tables = DeltaTables(None, store)
    write_all_removed(tables, store, run_id="m")
    assert not has_removed(store)
    tables.append("tombstones", [stone("a")], schema=TOMBSTONES, run_id="m", wave=0)
    write_all_removed(tables, store, run_id="n")
    assert (list(told_removed(store)), len(told_versions(store))) == ([stone("a")], 1)
    tables.append("tombstones", [stone("b")], schema=TOMBSTONES, run_id="n", wave=0)
    write_all_removed(tables, store, run_id="o")
    assert list(told_removed(store)) == [stone("a")], "later ones are written batch by batch"


@pytest.mark.parametrize("damage", [lambda d: d[:-9], lambda _: b"", lambda _: b"no gzip"])
def test_a_file_that_cannot_be_read_ends_a_rebuild(store: LocalStore, damage: Any) -> None:
    write_removed(store, [stone("a")], run_id="m", number=0)
    path = next(store.list("removed"))
    store.write(path, damage(store.read(path)))
    with pytest.raises(ConfigError, match=r"removed/m\.00000\.ndjson\.gz holds no tombstones .*: restore it, or delete it"):
        list(told_removed(store))
