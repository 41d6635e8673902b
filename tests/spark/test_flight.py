"""Waves in flight: in order, one committer, and nothing at work when the block is over."""

import fcntl
import threading
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark import InheritableThread

from swath.errors import StoppedError
from swath.runs import flight
from swath.runs.flight import IN_FLIGHT, Flight, Turn

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeout(120)]


def sleeping(rows: Iterable[int]) -> Iterable[int]:
    for row in rows:
        time.sleep(60)
        yield row


def job(spark: "SparkSession") -> list[int]:
    """Work of a minute on every core."""
    return spark.sparkContext.parallelize(range(4), 4).mapPartitions(sleeping).collect()


def test_waves_come_back_in_order_and_the_next_is_at_work_meanwhile(spark: "SparkSession") -> None:
    at_work, most, led = set[int](), list[int](), list[int]()
    first_is_slow = threading.Event()

    def make(wave: int, turn: Turn) -> int:
        at_work.add(wave)
        if wave == 0:
            # Ends when the next one is at work, and never without it.
            assert first_is_slow.wait(60)
        elif wave == 1:
            first_is_slow.set()
        most.append(len(at_work))
        at_work.discard(wave)
        return wave * 10

    with Flight(spark, make, name="order").made(range(5), before=led.append) as waves:
        assert list(waves) == [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)]
    assert led == [0, 1, 2, 3, 4]
    assert max(most) <= IN_FLIGHT


def test_an_error_of_the_next_wave_waits_for_its_turn(spark: "SparkSession") -> None:
    failed = threading.Event()

    def make(wave: int, turn: Turn) -> int:
        if wave == 1:
            failed.set()
            raise ValueError("the second wave")
        # The first wave ends after the second has failed, and never before.
        assert failed.wait(60)
        return wave

    taken = []

    def take() -> None:
        with Flight(spark, make, name="e").made(range(9), before=_pass) as waves:
            for wave, _ in waves:
                taken.append(wave)

    with pytest.raises(ValueError, match="the second wave"):
        take()
    assert taken == [0]


def test_whatever_ends_the_block_ends_the_jobs_of_both_waves(spark: "SparkSession") -> None:
    ended: dict[int, str] = {}

    def make(wave: int, turn: Turn) -> int:
        if wave == 0:
            return 0
        try:
            while True:
                turn.enter_stage()
                job(spark)
        except Exception as error:
            ended[wave] = type(error).__name__
            raise

    def interrupted() -> None:
        with Flight(spark, make, name="c").made(range(9), before=_pass) as waves:
            next(waves)
            _until_at_work(spark)
            raise KeyboardInterrupt("by hand")

    since = time.monotonic()
    with pytest.raises(KeyboardInterrupt, match="by hand"):
        interrupted()
    assert time.monotonic() - since < 50
    assert not [t for t in threading.enumerate() if t.name.startswith("wave ")]
    assert set(ended) == {1, 2}
    # The session is as good as before.
    assert spark.sparkContext.parallelize([1, 2], 2).sum() == 3


def test_a_wave_that_must_end_begins_no_stage(spark: "SparkSession") -> None:
    turn = Turn(spark, tag="over")
    turn.enter_stage()
    turn.end()
    with pytest.raises(StoppedError, match="the wave ended with its run"):
        turn.enter_stage()


def test_tasks_of_the_first_wave_go_before_those_of_the_next(spark: "SparkSession", tmp_path: Path) -> None:
    """The next wave's job is there first and has more tasks than cores; the first wave's later stage overtakes it."""
    context = spark.sparkContext
    cores, at_work = context.defaultParallelism, threading.Event()
    gate, order, closed = tmp_path / "both-are-submitted", tmp_path / "order", threading.Event()

    def make(wave: int, turn: Turn) -> int:
        if wave == 0:
            assert at_work.wait(60)
            _until_at_work(spark)
        turn.enter_stage()
        at_work.set()
        tasks = cores * 8 if wave else cores
        context.parallelize(range(tasks), tasks).mapPartitions(partial(_noted, wave=wave, order=order, gate=gate)).count()
        return wave

    def opener() -> None:
        with gate.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            closed.set()
            _until_at_work(spark, stages=2)

    opens = threading.Thread(target=opener)
    opens.start()
    assert closed.wait(60)
    with Flight(spark, make, name="p").made(range(2), before=_pass) as waves:
        list(waves)
    opens.join()
    begun = order.read_text(encoding="utf-8").split()
    assert begun.count("0") == cores
    assert begun.count("1") == cores * 8
    # Those that held the cores came first; by the order of submission the first wave's would be the last.
    assert set(begun[3 * cores :]) == {"1"}


def _noted(rows: Iterable[int], *, wave: int, order: Path, gate: Path) -> Iterable[int]:
    """Note that a task of the wave began; it ends when both waves are submitted."""
    with order.open("a", encoding="utf-8") as file:
        file.write(f"{wave}\n")
    with gate.open() as shut:
        fcntl.flock(shut, fcntl.LOCK_SH)
    yield from rows


def _pass(wave: int) -> None:
    del wave


def _until_at_work(spark: "SparkSession", *, stages: int = 1) -> None:
    tracker = spark.sparkContext.statusTracker()
    until = time.monotonic() + 60
    while len(tracker.getActiveStageIds()) < stages:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_ctrl_c_while_a_wave_begins_ends_the_flight(spark: "SparkSession", monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    class Interrupted(InheritableThread):
        def start(self) -> None:
            if self.name == "wave 1":
                raise KeyboardInterrupt(self.name)
            super().start()

    def make(wave: int, turn: Turn) -> int:
        begun.set()
        return wave

    monkeypatch.setattr(flight, "InheritableThread", Interrupted)
    with pytest.raises(KeyboardInterrupt, match="wave 1"), Flight(spark, make, name="i").made(range(3), before=_pass) as waves:
        list(waves)
    assert begun.is_set()
