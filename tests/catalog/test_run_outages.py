"""A run whose database goes away, or whose lock goes to another driver, between or within its waves."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from tests.catalog.test_pg_lock import end_session_of

from swath.errors import LockError, ServiceError
from swath.ledger.delta import DeltaTables
from swath.ledger.open import open_tables
from swath.ledger.schemas import TABLES
from swath.report.summary import RunSummary
from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.stores import patience
from swath.stores.local import local_store
from swath.stores.lock import output_lock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RunJob = Callable[..., RunSummary]
pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]
SCENES = 3


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("outages")
    one = simulate(kind="landsat9", folder=home, size=64, truth=False)
    for number in range(1, SCENES):
        copied(one, folder=home / "scenes", rename={"193022_2024": f"19{number}999_2024"})
    return home / "scenes"


class At:
    """Hears of progress; does something at the beginning of a wave, or when a stage of it begins."""

    def __init__(self, wave: int, act: Callable[[], object], *, stage: str = "") -> None:
        self._wave, self._act, self._stage, self._here = wave, act, stage, 0
        self.said: list[str] = []

    def wave(self, number: int, waves: int, products: int) -> None:
        self._here = number
        if number == self._wave and not self._stage:
            self._act()

    def stage(self, name: str, done: int, total: int) -> None:
        if self._here == self._wave and name == self._stage and done == total:
            self._stage = "done"
            self._act()

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def locked(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Commits and runs are locked in PostgreSQL."""
    monkeypatch.setenv("SWATH_LOCK", "postgresql")
    monkeypatch.setenv("SWATH_POSTGRESQL_DSN", empty_database)
    monkeypatch.setenv("SWATH_LOCK_WAIT_S", "1")
    return empty_database


def once(spark: "SparkSession", output: Path) -> None:
    """Every product, every run's wave is there, and once."""
    tables = open_tables(spark, local_store(output))
    for name, keys in {"products": ["product_id"], "runs": ["run_id", "wave"], "tiles": ["product_id", "asset", "strip"]}.items():
        rows = tables.read(name, TABLES[name])
        # each attempt says that it began, in a row that is none of the waves
        rows = rows.filter("wave >= 0") if name == "runs" else rows
        assert rows.select(*keys).distinct().count() == rows.count() >= SCENES, name


@pytest.mark.parametrize("away_s", [6.0, pytest.param(60.0, marks=pytest.mark.long)])
def test_a_database_that_stops_for_a_while_in_a_run_costs_time_alone(
    spark: "SparkSession", run_job: RunJob, delivered: Path, tmp_path: Path, locked: str, server: Any,
    monkeypatch: pytest.MonkeyPatch, away_s: float,
) -> None:  # fmt: skip
    monkeypatch.setenv("SWATH_LEDGER", "postgresql")
    monkeypatch.delenv("SWATH_DATABASE_WAIT_S", raising=False)
    monkeypatch.setattr(patience, "_FIRST_LINE_S", 0.5)
    back: list[threading.Timer] = []

    def stop() -> None:
        server.stop()
        back.append(threading.Timer(away_s, server.start))
        back[0].start()

    told = At(2, stop, stage="products")
    done = run_job("toa", delivered, output=tmp_path, wave_products=1, told=told)
    back[0].join()
    assert (done.scenes.made, done.scenes.quarantined, done.balanced) == (SCENES, 0, True)
    assert any("waiting for PostgreSQL" in line for line in told.said)
    once(spark, tmp_path)


def test_a_database_that_stays_away_ends_the_run_and_it_goes_on(
    spark: "SparkSession", run_job: RunJob, delivered: Path, tmp_path: Path, locked: str, server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SWATH_LEDGER", "postgresql")
    monkeypatch.setenv("SWATH_DATABASE_WAIT_S", "0.5")
    given = {"output": tmp_path, "run_id": "r", "wave_products": 1}
    try:
        with pytest.raises(ServiceError, match=r"PostgreSQL \(.*start the same command again with --run-id r$"):
            run_job("toa", delivered, told=At(2, server.stop, stage="products"), **given)
    finally:
        server.start()
    done = run_job("toa", delivered, **given)
    assert (done.scenes.made, done.balanced) == (SCENES, True)
    once(spark, tmp_path)


def test_a_run_takes_its_lock_again_when_its_session_was_ended(
    spark: "SparkSession", run_job: RunJob, delivered: Path, tmp_path: Path, locked: str
) -> None:
    refused: list[str] = []

    def end() -> None:
        end_session_of(locked, "r")

    def other() -> None:
        with pytest.raises(LockError, match="locked by r ") as told, output_lock(_bucketless(tmp_path), run_id="other"):
            pytest.fail("two drivers")
        refused.append(str(told.value))

    class Both(At):
        def wave(self, number: int, waves: int, products: int) -> None:
            super().wave(number, waves, products)
            if number == 3:
                other()

    done = run_job("toa", delivered, output=tmp_path, run_id="r", wave_products=1, told=Both(2, end))
    assert (done.scenes.made, done.balanced, len(refused)) == (SCENES, True, 1)
    once(spark, tmp_path)


def test_of_two_drivers_the_one_that_lost_its_lock_ends_without_a_commit(
    spark: "SparkSession", run_job: RunJob, delivered: Path, tmp_path: Path, locked: str
) -> None:
    first: dict[str, Any] = {"output": tmp_path, "run_id": "first", "wave_products": 1}
    second: list[RunSummary] = []

    # Its session is ended when its second wave is made; the other driver runs from end to end before that wave commits.
    def overtake() -> None:
        end_session_of(locked, "first")
        # The file lock of this machine would hold it back; drivers of two machines have none in common.
        with _without_file_lock():
            second.append(run_job("toa", delivered, output=tmp_path, run_id="second"))
        holder.append(output_lock(_bucketless(tmp_path), run_id="third"))
        holder[0].__enter__()

    holder: list[Any] = []
    try:
        with pytest.raises(LockError, match="locked by third"):
            run_job("toa", delivered, told=At(2, overtake, stage="products"), **first)
    finally:
        holder[0].__exit__(None, None, None)
    assert (second[0].scenes.made, second[0].scenes.skipped) == (SCENES - 1, 1)
    rows = DeltaTables(spark, local_store(tmp_path)).read("products", TABLES["products"]).collect()
    assert sorted((r["run_id"], r["wave"]) for r in rows) == [("first", 0), ("second", 0), ("second", 0)]
    # Continued, it finds everything made.
    done = run_job("toa", delivered, **first)
    assert done.balanced
    products = DeltaTables(spark, local_store(tmp_path)).read("products", TABLES["products"])
    assert products.dropDuplicates(["product_id"]).count() == SCENES


def _bucketless(folder: Path) -> Any:
    """The output's store, which is locked in PostgreSQL alone: as a driver of another machine sees it."""

    class Elsewhere:
        root = local_store(folder).root

    return Elsewhere()


def _without_file_lock() -> Any:
    return patch("swath.stores.lock._file_lock", lambda *_, **__: nullcontext())
