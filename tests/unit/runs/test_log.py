"""The log of a run: told on, kept beside the result, never in the way."""

import re
from pathlib import Path

import pytest

from swath.runs.log import RunLog, log_path
from swath.stores.local import LocalStore


class Heard:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def wave(self, number: int, waves: int, products: int) -> None:
        self.calls.append(("wave", number, waves, products))

    def stage(self, name: str, done: int, total: int) -> None:
        self.calls.append(("stage", name, done, total))

    def say(self, text: str) -> None:
        self.calls.append(("say", text))


def _text(store: LocalStore) -> str:
    return (store.read(log_path("r1")) or b"").decode()


def test_everything_is_told_on_and_what_is_worth_a_line_is_kept_with_its_time(tmp_path: Path) -> None:
    store, heard = LocalStore(tmp_path), Heard()
    log = RunLog(heard)
    log.say("run r1: ä")
    log.wave(1, 2, 7)
    for done in range(3):
        log.stage("strips", done + 1, 3)
    log.stage("strips", 3, 3)
    log.note("for the log alone")
    log.keep(store, run_id="r1")
    assert heard.calls == [("say", "run r1: ä"), ("wave", 1, 2, 7), *(("stage", "strips", n, 3) for n in (1, 2, 3, 3))]
    told = [re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (.*)", line) for line in _text(store).splitlines()]
    assert [m and m[1] for m in told] == ["run r1: ä", "wave 1 of 2: 7 products", "strips: 3 tasks done", "for the log alone"]


def test_a_continued_run_adds_to_its_log_and_the_end_is_what_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)
    for text in ("first", "second"):
        log = RunLog(Heard())
        log.note(text)
        log.keep(store, run_id="r1")
    assert [line.split()[1] for line in _text(store).splitlines()] == ["first", "second"]
    monkeypatch.setattr("swath.runs.log.MOST", 9)
    RunLog(Heard()).keep(store, run_id="r1")
    assert _text(store) == "Z second\n"


def test_a_log_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    heard = Heard()
    (tmp_path / "reports").write_text("no folder", encoding="utf-8")
    RunLog(heard).keep(LocalStore(tmp_path), run_id="r1")
    (said,) = heard.calls
    assert str(said[1]).startswith("reports/r1.log could not be written: ")
