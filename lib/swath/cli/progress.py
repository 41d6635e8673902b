"""Progress on stderr: a bar with an estimate on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from swath.cli.clock import BEGAN
from swath.redaction import redacted
from swath.runs.told import Told

#: A log gets at most one line in so many seconds.
_LINE_S = 5.0
#: And one of the inputs that are read.
_INPUTS_S = 10.0
_INPUTS = "inputs"
_NAMES = {
    _INPUTS: "reading inputs",
    "products": "products made",
    "strips": "strips computed",
    "assets": "files assembled",
    "publish": "items published",
}


#: The stage that a whole wave's estimate is for.
_PRODUCTS = "products"
#: Cells of a bar: beside text and both clocks there is room for so many in 80 columns.
_BAR_CELLS = 6


class Lines:
    """Plain lines."""

    def __init__(self) -> None:
        self._last = 0.0
        self._told: tuple[str, int, int] | None = None

    def wave(self, number: int, waves: int, products: int) -> None:
        """One line a wave."""
        self.say(f"wave {number} of {waves}: {products} products")

    def expect(self, number: int, seconds: float) -> None:
        """One line: the estimate of a wave, before its first task has ended."""
        self.say(f"  wave {number}: about {clock(seconds)} at measured rates")

    def stage(self, name: str, done: int, total: int) -> None:
        """A line now and then, and one at the end."""
        now, apart = time.monotonic(), _INPUTS_S if name == _INPUTS else _LINE_S
        if (done < total and now - self._last < apart) or self._told == (name, done, total):
            return
        self._told = (name, done, total)
        self._last = now
        if name == _INPUTS:
            self.say(f"reading {done:,} of {total:,} inputs" if done < total else f"{total:,} inputs read")
            return
        self.say(f"  {_NAMES.get(name, name)}: {done} of {total} tasks")

    def say(self, text: str) -> None:
        """One line with the time since the command began."""
        sys.stderr.write(f"[{time.monotonic() - BEGAN:6.1f} s] {redacted(text)}\n")
        sys.stderr.flush()


class Clocks(ProgressColumn):
    """Both clocks of a bar, with their names: what went by, and what is left."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Until a first task has ended, what is left is the plan's estimate, where there is one."""
        elapsed = (task.finished_time if task.finished else task.elapsed) or 0.0
        left = left_of(task, elapsed=elapsed)
        return Text(f"{clock(elapsed)} elapsed" + ("" if left is None else f", {left} left"))


def left_of(task: Task, *, elapsed: float) -> str | None:
    """What is left of a bar: measured by its own pace, or estimated (~); None where nothing is known, or nothing is left."""
    expected: float | None = task.fields.get("expected_s")
    if task.finished:
        return None
    if task.completed and task.time_remaining is not None:
        return clock(task.time_remaining)
    return None if expected is None or task.completed else f"~{clock(max(expected - elapsed, 1.0))}"


def clock(seconds: float) -> str:
    """0:00:07."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


class Bars:
    """Bars of rich; one a stage."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=_BAR_CELLS), MofNCompleteColumn(), Clocks(),
            console=self._console, transient=False,
        )  # fmt: skip
        self._number = 0
        self._expected: dict[int, float] = {}
        self._tasks: dict[str, int] = {}
        self._wave = ""

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop drawing."""
        self._progress.stop()

    def wave(self, number: int, waves: int, products: int) -> None:
        """Name the wave in the bars that follow."""
        self._number = number
        self._wave = f"wave {number}/{waves}, " if waves > 1 else ""
        self.say(f"wave {number} of {waves}: {products} products")

    def expect(self, number: int, seconds: float) -> None:
        """Keep the estimate of a wave for its bar."""
        self._expected[number] = seconds

    def stage(self, name: str, done: int, total: int) -> None:
        """Move a bar."""
        key = f"{self._wave}{name}"
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(f"{self._wave}{_NAMES.get(name, name)}", total=total)
        expected = self._expected.get(self._number) if name == _PRODUCTS else None
        self._progress.update(self._tasks[key], completed=done, total=total, expected_s=expected)  # type: ignore[arg-type]  # TaskID is an int

    def say(self, text: str) -> None:
        """One line above the bars."""
        self._console.print(redacted(text), highlight=False, markup=False)


@contextmanager
def telling() -> Iterator[Told]:
    """Bars when a person watches, lines otherwise."""
    if sys.stderr.isatty():
        with Bars() as bars:
            yield bars
    else:
        yield Lines()
