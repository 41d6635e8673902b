"""Progress on stderr: a bar with an estimate on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

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
    "strips": "strips read, computed, encoded",
    "assets": "files assembled",
    "publish": "items published",
}


class Lines:
    """Plain lines."""

    def __init__(self) -> None:
        self._last = 0.0
        self._told: tuple[str, int, int] | None = None
        self._began = time.monotonic()

    def wave(self, number: int, waves: int, products: int) -> None:
        """One line a wave."""
        self.say(f"wave {number} of {waves}: {products} products")

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
        """One line with the time since the start."""
        sys.stderr.write(f"[{time.monotonic() - self._began:6.1f} s] {redacted(text)}\n")
        sys.stderr.flush()


class Bars:
    """Bars of rich; one a stage."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=self._console, transient=False,
        )  # fmt: skip
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
        self._wave = f"wave {number}/{waves}, " if waves > 1 else ""
        self.say(f"wave {number} of {waves}: {products} products")

    def stage(self, name: str, done: int, total: int) -> None:
        """Move a bar."""
        key = f"{self._wave}{name}"
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(f"{self._wave}{_NAMES.get(name, name)}", total=total)
        self._progress.update(self._tasks[key], completed=done, total=total)  # type: ignore[arg-type]  # TaskID is an int

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
