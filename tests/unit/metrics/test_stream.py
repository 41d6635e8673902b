import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from swath.errors import LockError, ServiceError
from swath.metrics.beat import Beat, beats_of, metrics_path
from swath.metrics.stream import KEPT, Stream, newest_receipt_age_s
from swath.stores.base import Store
from swath.stores.registry import open_store


class Ear:
    """A service that keeps what it is told, or is away."""

    def __init__(self, problem: str = "") -> None:
        self.beats: list[Beat] = []
        self.problem = problem

    def tell(self, beat: Beat) -> str:
        self.beats.append(beat)
        return self.problem


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


@pytest.fixture
def stream(store: Store) -> Callable[..., Stream]:
    def made(*ears: Ear, every_s: float = 60.0, said: list[str] | None = None) -> Stream:
        first = Beat(event="start", at=datetime.now(UTC), run_id="r", site="s", pipeline="ard")
        return Stream(store, first, listeners=ears, say=(said if said is not None else []).append, every_s=every_s)

    return made


def _kept(store: Store) -> tuple[Beat, ...]:
    return beats_of(store.read(metrics_path("r")) or b"")


def _away(run: Stream) -> None:
    run.begin()
    raise ServiceError("away")


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert true()


def test_a_run_is_told_from_its_start_to_its_end(stream: Callable[..., Stream], store: Store) -> None:
    ear = Ear()
    with stream(ear) as run:
        run.begin()
        run.wave(scenes_in=3, made=2, quarantined=1, waves=1)
        run.wave(scenes_in=6, made=5, quarantined=1, waves=2)
        run.note(cost=1.5)
    beats = _kept(store)
    assert [b.event for b in beats] == ["start", "wave", "wave", "end"]
    assert [b.made for b in beats] == [0, 2, 5, 5]
    assert (beats[-1].cost, beats[-1].error) == (1.5, "")
    assert [b.event for b in ear.beats] == [b.event for b in beats]
    assert beats[0].at <= beats[1].at <= beats[-1].at
    assert beats[-1].seconds == pytest.approx((beats[-1].at - beats[0].at).total_seconds(), abs=0.002)


def test_it_shows_that_it_is_alive_and_keeps_the_last_sign_only(stream: Callable[..., Stream], store: Store) -> None:
    ear = Ear()
    with stream(ear, every_s=0.01) as run:
        run.begin()
        _until(lambda: sum(b.event == "alive" for b in ear.beats) >= 3)
        run.wave(waves=1)
        _until(lambda: any(b.event == "wave" for b in ear.beats))
    assert [b.event for b in _kept(store)].count("wave") == 1
    events = [b.event for b in _kept(store)]
    assert all((one, other) != ("alive", "alive") for one, other in pairwise(events))


def test_an_error_ends_the_stream_with_its_class(stream: Callable[..., Stream], store: Store) -> None:
    with pytest.raises(ServiceError, match="away"), stream() as run:
        _away(run)
    assert [(b.event, b.error) for b in _kept(store)] == [("start", ""), ("end", "ServiceError")]


def test_a_driver_that_never_had_the_output_leaves_nothing(stream: Callable[..., Stream], store: Store) -> None:
    ear = Ear()
    with pytest.raises(LockError, match="held"), stream(ear):
        raise LockError("held")
    assert store.read(metrics_path("r")) is None
    assert ear.beats == []


def test_a_run_that_is_started_again_goes_on_in_its_file(stream: Callable[..., Stream], store: Store) -> None:
    with pytest.raises(ServiceError, match="away"), stream() as run:
        _away(run)
    with stream() as run:
        run.begin()
    assert [b.event for b in _kept(store)] == ["start", "end", "start", "end"]


def test_the_file_stays_small(stream: Callable[..., Stream], store: Store) -> None:
    with stream() as run:
        run.begin()
        for number in range(KEPT + 100):
            run.wave(waves=number + 1)
    beats = _kept(store)
    assert len(beats) == KEPT
    assert (beats[0].event, beats[-1].event, beats[-1].waves) == ("start", "end", KEPT + 100)


def test_nothing_that_is_away_fails_the_run_and_each_is_told_once(stream: Callable[..., Stream], tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "reports").write_text("a file where the folder would be", encoding="utf-8")
    with stream(Ear("CloudWatch log group g: no route; 1 beats wait"), said=said) as run:
        run.begin()
        run.wave(waves=1)
        run.wave(waves=2)
    told = {line.split(": ")[1]: line for line in said}
    assert set(told) == {"CloudWatch log group g", "reports/r.metrics.jsonl"}
    assert len(said) == 2
    assert "cannot be" in told["reports/r.metrics.jsonl"]


def test_the_age_of_the_newest_receipt(store: Store) -> None:
    assert newest_receipt_age_s(store, now=datetime.now(UTC)) is None
    store.write("reports/forwarded/r.json", b"{}")
    age = newest_receipt_age_s(store, now=datetime.now(UTC))
    assert age is not None
    assert -1 < age < 60
