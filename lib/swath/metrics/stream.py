"""A run's stream: a beat at its start, after each wave, every minute and at its end, in a file of its own and to listeners."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from swath.errors import SwathError
from swath.metrics.beat import Beat, Event, metrics_path
from swath.metrics.told import Listener
from swath.stores.base import Store

EVERY_S = 60.0
#: Lines of a stream that are kept: its first one, and the last ones.
KEPT = 500


class Stream:
    """Beats of one execution of a run.

    A thread of its own writes and sends them, so that a service that is away costs the run nothing. It never fails the run: what
    goes wrong is reported once, and tried again with the next beat.

    Args:
        store: The output.
        first: The run at its start, with event ``start``.
        listeners: Services that are reported too.
        say: Hears what went wrong.
        every_s: Between two signs of life [s].
    """

    def __init__(
        self, store: Store, first: Beat, *, listeners: Sequence[Listener], say: Callable[[str], None], every_s: float = EVERY_S
    ) -> None:
        self._store, self._listeners, self._say, self._every_s = store, listeners, say, every_s
        self._path = metrics_path(first.run_id)
        self._began, self._now = first.at, first
        self._lines: list[str] = []
        self._alive = False  # the last line is a sign of life
        self._new: deque[Beat] = deque([first])
        self._said: set[str] = set()
        self._lock, self._wake, self._done = threading.Lock(), threading.Event(), threading.Event()
        self._heart = threading.Thread(target=self._live, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        """Nothing is sent before ``begin``: a driver that finds the output's lock taken has no run."""
        return self

    def begin(self) -> None:
        """Begin: what an earlier execution of the run told stays."""
        try:
            self._lines = (self._store.read(self._path) or b"").decode(errors="replace").splitlines()
        except Exception as error:  # noqa: BLE001  stores have errors of their own; the run must not end by one of its metrics
            self._warn(f"{self._path}: cannot be read: {error}")
        self._wake.set()
        self._heart.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End, well or by an error."""
        if not self._heart.ident:
            return
        self._done.set()
        self._wake.set()
        self._heart.join()
        self._beat("end", error="" if kind is None else kind.__name__)
        self._send()

    def wave(self, **numbers: Any) -> None:
        """A wave was committed: the state of the run now, by fields of a beat."""
        self._beat("wave", **numbers)
        self._wake.set()

    def note(self, **numbers: Any) -> None:
        """Numbers that the next beat has."""
        with self._lock:
            self._now = replace(self._now, **numbers)

    def _live(self) -> None:
        while not self._done.is_set():
            if not self._wake.wait(self._every_s):
                self._beat("alive")
            self._wake.clear()
            self._send()

    def _beat(self, event: Event, **numbers: Any) -> None:
        with self._lock:
            at = datetime.now(UTC)
            self._now = replace(self._now, event=event, at=at, seconds=(at - self._began).total_seconds(), **numbers)
            self._new.append(self._now)

    def _send(self) -> None:
        """Keep and tell what is new."""
        with self._lock:
            beats = list(self._new)
            self._new.clear()
        for beat in beats:
            if self._alive and beat.event == "alive":
                # of many signs of life in a row the last one is enough
                self._lines.pop()
            self._lines.append(beat.to_json())
            self._alive = beat.event == "alive"
        if len(self._lines) > KEPT:
            self._lines = [self._lines[0], *self._lines[1 - KEPT :]]
        try:
            self._store.write(self._path, "".join(f"{line}\n" for line in self._lines).encode())
        except Exception as error:  # noqa: BLE001  as above
            self._warn(f"{self._path}: cannot be written: {error}")
        for listener in self._listeners:
            for beat in beats:
                self._warn(listener.tell(beat))

    def _warn(self, problem: str) -> None:
        """Tell a problem once: a service that is away is so every minute."""
        about = problem.split(": ", 1)[0]
        if problem and about not in self._said:
            self._said.add(about)
            self._say(f"metrics: {problem}")


def newest_receipt_age_s(store: Store, *, now: datetime) -> float | None:
    """Seconds since ``swath forward`` last left a receipt in this output; None where it never did."""
    try:
        # a folder a month; those of earlier versions are beside them
        months = (now, now.replace(day=1) - timedelta(days=1))
        recent = [e.modified for m in months for e in store.entries(f"reports/forwarded/{m:%Y-%m}")]
        newest = max(recent or (e.modified for e in store.entries("reports/forwarded")), default=None)
    except (OSError, SwathError):
        return None
    return None if newest is None else (now - newest).total_seconds()
