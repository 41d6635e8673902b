"""A commit is seen in the log itself, without listing the log each time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from swath.errors import AccountError
from swath.ledger.delta import DeltaTables
from swath.stores.local import LocalStore


class Listed(LocalStore):
    """Counts its listings."""

    listings = 0

    def list(self, prefix: str) -> Iterator[str]:
        type(self).listings += 1
        return super().list(prefix)


@pytest.fixture
def tables(tmp_path: Path) -> DeltaTables:
    Listed.listings = 0
    return DeltaTables(cast("Any", None), Listed(tmp_path))


def commit(tables: DeltaTables, version: int, *, application: str = "run.runs", wave: int = 0) -> None:
    lines = [{"commitInfo": {}}, {"txn": {"appId": application, "version": wave}}, {"add": {"path": "x"}}]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    tables._store.write(f"tables/runs/_delta_log/{version:020d}.json", text.encode())


def see(tables: DeltaTables, *, application: str = "run.runs", wave: int) -> None:
    tables._see("runs", application=application, wave=wave)


def test_a_thousand_waves_list_the_log_once(tables: DeltaTables) -> None:
    for wave in range(1000):
        commit(tables, wave, wave=wave)
        see(tables, wave=wave)
    assert Listed.listings == 1
    assert tables.exists("runs")
    assert Listed.listings == 1


def test_a_repeated_append_is_seen_where_it_was(tables: DeltaTables) -> None:
    commit(tables, 0, wave=0)
    commit(tables, 1, application="other.runs", wave=7)
    see(tables, wave=0)
    with pytest.raises(AccountError, match=r"expected transaction run\.runs 1 in the log"):
        see(tables, wave=1)


@pytest.mark.parametrize(("application", "wave"), [("other.runs", 1), ("run.runs", 0)])
def test_a_commit_of_somebody_else_in_our_place_is_an_account_error(tables: DeltaTables, application: str, wave: int) -> None:
    commit(tables, 0, wave=0)
    see(tables, wave=0)
    commit(tables, 1, application=application, wave=wave)
    with pytest.raises(AccountError, match=r"expected transaction run.runs 1 in the log, which ends with version 1; got none"):
        see(tables, wave=1)


def test_an_empty_log_is_an_account_error(tables: DeltaTables) -> None:
    told = r"ends with version -1; got none\. Either this store lists and reads late .* in PostgreSQL.*, or another driver"
    with pytest.raises(AccountError, match=told):
        see(tables, wave=0)


def test_what_a_checkpoint_swallowed_is_believed(tables: DeltaTables) -> None:
    commit(tables, 100, application="other.runs")
    see(tables, wave=0)
    # The same log with its first commit still there has swallowed nothing: the transaction is missing.
    commit(tables, 0, application="other.runs")
    with pytest.raises(AccountError, match=r"expected transaction run\.runs 0 in the log, which ends with version 100; got none"):
        see(tables, wave=0)


def test_files_that_are_no_commits_are_not_read(tables: DeltaTables, tmp_path: Path) -> None:
    log = tmp_path / "tables" / "runs" / "_delta_log"
    log.mkdir(parents=True)
    for name in ("_last_checkpoint", f".{0:020d}.json.crc", f"{0:020d}.crc", f"{0:020d}.json.tmp"):
        (log / name).write_bytes(b"\xff")
    assert not tables.exists("runs")
