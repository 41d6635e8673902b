import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from swath.errors import ConfigError, LockError, ServiceError
from swath.stores.database import Database
from swath.stores.local import LocalStore
from swath.stores.lock import NoLock, commit_lock, output_lock
from swath.stores.pg_lock import PgLock, key_of
from swath.stores.s3 import S3Store

OUT = "s3://bucket/out"


def lock_of(dsn: str, run_id: str, *, wait_s: float = 0.2, output: str = OUT) -> PgLock:
    return PgLock(Database(dsn), output=output, run_id=run_id, wait_s=wait_s)


def test_a_second_driver_is_refused_and_told_who_holds_the_lock(empty_database: str) -> None:
    first, second = lock_of(empty_database, "r1"), lock_of(empty_database, "r2")
    with first.held():
        first.check()
        with pytest.raises(LockError, match=r"locked by r1 .*waited 0\.2 s"), second.held():
            pytest.fail("two drivers hold one lock")
    with second.held():
        second.check()
    first.close()
    second.close()


def test_a_second_driver_waits_for_a_commit_to_end(empty_database: str) -> None:
    first, second = lock_of(empty_database, "r1"), lock_of(empty_database, "r2", wait_s=60)
    order: list[str] = []

    def commit_second() -> None:
        with second.held():
            order.append("second")
        second.close()

    with first.held():
        thread = threading.Thread(target=commit_second)
        thread.start()
        _until_somebody_waits(empty_database)
        order.append("first")
    thread.join(60)
    first.close()
    assert order == ["first", "second"]


def _until_somebody_waits(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(10_000):
            row = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
            if row == (1,):
                return
    pytest.fail("nobody waits for the lock")


def test_held_blocks_nest_and_let_go_at_the_end(empty_database: str) -> None:
    first, second = lock_of(empty_database, "r1"), lock_of(empty_database, "r2")
    with first.held():
        with first.held():
            first.check()
        first.check()
        with pytest.raises(LockError, match="locked by r1"), second.held():
            pytest.fail("the inner block let go")
    with pytest.raises(LockError, match="a commit without its lock"):
        first.check()
    with second.held():
        second.check()
    first.close()
    second.close()


def end_session_of(dsn: str, run_id: str) -> None:
    """As a failover or a proxy that ends idle sessions does."""
    with psycopg.connect(dsn) as other:
        name = f"swath lock {run_id}"
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,)).fetchall()
    with psycopg.connect(dsn, autocommit=True) as other:
        for _ in range(10_000):
            left = other.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", (name,)).fetchone()
            if left == (0,):
                return
    pytest.fail("the session does not end")


def test_a_lock_lost_with_its_connection_is_taken_again(empty_database: str) -> None:
    lock, other = lock_of(empty_database, "r1"), lock_of(empty_database, "r2")
    with lock.held():
        end_session_of(empty_database, "r1")
        lock.check()
        with pytest.raises(LockError, match="locked by r1"), other.held():
            pytest.fail("two drivers hold one lock")
    lock.close()
    other.close()


def test_a_lock_that_another_driver_took_meanwhile_stays_lost(empty_database: str) -> None:
    lock, other = lock_of(empty_database, "r1"), lock_of(empty_database, "r2")
    with lock.held():
        end_session_of(empty_database, "r1")
        with other.held(), pytest.raises(LockError, match="locked by r2"):
            lock.check()
    # A later commit takes it anew.
    with lock.held():
        lock.check()
    lock.close()
    other.close()


def test_a_lock_that_a_pooler_lost_is_noticed(empty_database: str) -> None:
    lock = lock_of(empty_database, "r1")
    with lock.held():
        assert lock._connection is not None
        lock._connection.execute("SELECT pg_advisory_unlock_all()")
        with pytest.raises(LockError, match="no longer holds it"):
            lock.check()
    lock.close()


def test_a_database_that_does_not_answer_is_waited_for_and_told(server: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_DATABASE_WAIT_S", "0.5")
    lock = lock_of("postgresql://nobody:hunter2@127.0.0.1:1/none", "r1")
    with pytest.raises(ServiceError, match=r"cannot be locked: PostgreSQL \(host=127.0.0.1") as told, lock.held():
        pytest.fail("locked without a server")
    assert "hunter2" not in str(told.value)


def test_a_database_that_is_not_there_is_not_waited_for(server: Any) -> None:
    with pytest.raises(ConfigError, match="does not exist"), lock_of(server.dsn("no-such-database"), "r1").held():
        pytest.fail("locked without a database")


def test_a_server_that_restarts_while_the_lock_is_asked_for_costs_time_alone(server: Any, empty_database: str) -> None:
    lock = lock_of(empty_database, "r1")
    with lock.held():
        server.stop()
        back = threading.Timer(1.5, server.start)
        back.start()
        lock.check()
        back.join()
        lock.check()
        with pytest.raises(LockError, match="locked by r1"), closing(lock_of(empty_database, "r2")) as other, other.held():
            pytest.fail("the restart let the lock go")
    lock.close()


def test_other_outputs_are_not_locked(empty_database: str) -> None:
    first, second = lock_of(empty_database, "r1"), lock_of(empty_database, "r2", output="s3://bucket/other")
    with first.held(), second.held():
        first.check()
        second.check()
        third = closing(lock_of(empty_database, "r3", output="s3://bucket/other"))
        with pytest.raises(LockError, match="locked by r2"), third as other, other.held():
            pytest.fail("the other output has no lock")
    first.close()
    second.close()


def test_an_output_has_one_key_however_it_is_spelled() -> None:
    assert key_of("s3a://bucket/out/") == key_of("s3://bucket/out")
    assert key_of("s3://bucket/out") != key_of("s3://bucket/out2")
    assert key_of("s3://bucket/out") != key_of("s3://bucket/out", "run")
    assert -(2**63) <= key_of("/data/out") < 2**63


def test_sites_choose_the_lock(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert isinstance(commit_lock(store, run_id="r", environ={}), NoLock)
    assert isinstance(commit_lock(store, run_id="r", environ={"SWATH_LOCK": "file"}), NoLock)
    chosen = {"SWATH_LOCK": "postgresql", "SWATH_POSTGRESQL_DSN": "postgresql://db/swath"}
    assert isinstance(commit_lock(store, run_id="r", environ=chosen), PgLock)
    with pytest.raises(ConfigError, match="SWATH_POSTGRESQL_DSN is not set"):
        commit_lock(store, run_id="r", environ={"SWATH_LOCK": "postgresql"})
    with pytest.raises(ConfigError, match="SWATH_LOCK_WAIT_S is 'soon'; expected seconds, 0 or more"):
        commit_lock(store, run_id="r", environ=chosen | {"SWATH_LOCK_WAIT_S": "soon"})
    with pytest.raises(ConfigError, match="SWATH_LOCK is 'zookeeper'; expected none, file or postgresql"):
        commit_lock(store, run_id="r", environ={"SWATH_LOCK": "zookeeper"})


def test_an_output_in_a_bucket_is_locked_for_the_whole_run(empty_database: str) -> None:
    chosen = {"SWATH_LOCK": "postgresql", "SWATH_POSTGRESQL_DSN": empty_database, "SWATH_LOCK_WAIT_S": "0"}
    bucket = S3Store("s3://bucket/out")
    with output_lock(bucket, run_id="r1", environ=chosen):
        with pytest.raises(LockError, match="locked by r1"), output_lock(bucket, run_id="r2", environ=chosen):
            pytest.fail("two runs in one output")
        commit = commit_lock(bucket, run_id="r1", environ=chosen)
        with commit.held():
            commit.check()
        commit.close()
    with output_lock(bucket, run_id="r2", environ=chosen):
        pass
