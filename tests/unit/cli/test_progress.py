"""Progress in a log: the inputs that are read, a line every ten seconds."""

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from swath.cli.progress import Bars, Clocks, Lines


def test_inputs_are_counted_as_they_are_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = [100.0]
    monkeypatch.setattr("swath.cli.progress.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("swath.cli.progress.BEGAN", 100.0)
    lines = Lines()
    for done in range(0, 2001, 8):
        clock[0] += 0.25
        lines.stage("inputs", done, 2000)
    told = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^\[ *([\d.]+) s\] ", r"\1 ", line) for line in told] == [
        "0.2 reading 0 of 2,000 inputs",
        *(f"{at + 0.2:.1f} reading {at * 32:,} of 2,000 inputs" for at in range(10, 61, 10)),
        "62.8 2,000 inputs read",
    ]


class Clock:
    """Rich's clock, which a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clocks() -> tuple[Clock, Progress]:
    clock = Clock()
    return clock, Progress(get_time=clock)


def test_before_a_first_task_ends_what_is_left_is_the_estimate(clocks: tuple[Clock, Progress]) -> None:
    clock, bars = clocks
    number = bars.add_task("products made", total=4, expected_s=90.0)
    (task,) = bars.tasks
    assert Clocks().render(task).plain == "0:00:00 elapsed, ~0:01:30 left"
    clock.now = 20.0
    assert Clocks().render(task).plain == "0:00:20 elapsed, ~0:01:10 left"
    clock.now = 200.0
    assert Clocks().render(task).plain == "0:03:20 elapsed, ~0:00:01 left"
    for done in range(1, 5):
        clock.now += 10.0
        bars.update(number, completed=done)
    assert Clocks().render(task).plain == "0:04:00 elapsed"


def test_once_tasks_end_what_is_left_is_measured(clocks: tuple[Clock, Progress]) -> None:
    clock, bars = clocks
    number = bars.add_task("products made", total=4, expected_s=9000.0)
    for done in (1, 2):
        clock.now += 10.0
        bars.update(number, completed=done)
    (task,) = bars.tasks
    assert Clocks().render(task).plain == "0:00:20 elapsed, 0:00:20 left"


def test_a_stage_without_an_estimate_says_what_went_by(clocks: tuple[Clock, Progress]) -> None:
    _, bars = clocks
    bars.add_task("strips computed", total=4)
    assert Clocks().render(bars.tasks[0]).plain == "0:00:00 elapsed"


@pytest.mark.parametrize("columns", [80, 100])
def test_a_bar_with_both_clocks_fits_a_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    bars = Bars()
    bars.expect(12, 4000.0)
    bars.wave(12, 40, 2000)
    bars.stage("products", 0, 2000)
    drawn = io.StringIO()
    Console(file=drawn, width=columns).print(bars._progress.get_renderable())
    (line,) = drawn.getvalue().splitlines()
    assert "wave 12/40, products made" in line
    assert "0/2000" in line
    assert line.rstrip().endswith("0:00:00 elapsed, ~1:06:40 left")
    assert len(line) <= columns
