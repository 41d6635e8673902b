"""How long a store or a database may be away: by time, not by tries, with one clock for each of them in a process.

Whoever meets a service that is away asks here how long to pause before the next try; None ends it. A line a minute says what is
waited for. Pauses double from a fifth of a second up to half a minute, and differ at random: a thousand workers that were
refused together do not come back together.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from swath.settings import Settings

_FIRST_S, _LONGEST_S = 0.2, 30.0
#: The first line comes after this; short hiccups are not worth one [s].
_FIRST_LINE_S = 5.0
_LINE_S = 60.0

Tell = Callable[[str], None]


@dataclass(slots=True)
class _Outage:
    """A service that failed and has not answered since; monotonic seconds."""

    began: float
    last: float
    told: float
    silent: bool = True


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"swath: {text}\n")
    sys.stderr.flush()


@dataclass(slots=True)
class _Ears:
    """Who hears of waiting, and of how long."""

    tell: Tell = _to_stderr
    waiting: Callable[[float], None] = lambda _: None


_EARS = _Ears()
_OUTAGES: dict[str, _Outage] = {}
_LOCK = threading.Lock()


@dataclass(slots=True)
class PatientCall:
    """One request to a service, with all of its repetitions.

    Args:
        service: Service that is waited for, as messages name it: ``s3://bucket at https://host``.
        seconds: Longest time that the service may be away.
    """

    service: str
    seconds: float
    began: float = 0.0
    tries: int = 0

    def pause(self, why: str) -> float | None:
        """How long to wait before the request is repeated [s]; None when the service was away for long enough.

        What ends the patience is this request's own time, or the service's: after it has been away for ``seconds`` every
        further request gets one try.

        Args:
            why: Service's answer, in a few words.
        """
        now = time.monotonic()
        self.began = self.began or now
        outage = self._outage(now)
        left = self.seconds - (now - min(self.began, outage.began))
        if left <= 0:
            return None
        self.tries += 1
        longest = min(_FIRST_S * 2.0 ** min(self.tries, 12), _LONGEST_S)
        pause = min(longest * random.uniform(0.5, 1.0), left)  # noqa: S311  spreads, protects nothing
        if now - outage.told >= (_FIRST_LINE_S if outage.silent else _LINE_S):
            outage.told, outage.silent = now, False
            _EARS.tell(f"waiting for {self.service}: {why}; {now - outage.began:.0f} s so far, at most {self.seconds:.0f} s")
        _EARS.waiting(pause)
        return pause

    def wait(self, why: str) -> bool:
        """Sleep before the next try; False, at once, when the service was away for long enough."""
        pause = self.pause(why)
        if pause is not None:
            time.sleep(pause)
        return pause is not None

    def answered(self) -> None:
        """The service is there."""
        with _LOCK:
            outage = _OUTAGES.pop(self.service, None)
        if outage is not None and not outage.silent:
            _EARS.tell(f"{self.service} answers again, after {time.monotonic() - outage.began:.0f} s")

    def _outage(self, now: float) -> _Outage:
        with _LOCK:
            outage = _OUTAGES.get(self.service)
            # Nobody asked for a while: what was then says nothing of now.
            if outage is None or now - outage.last > 2 * _LONGEST_S + self.seconds:
                outage = _OUTAGES[self.service] = _Outage(began=now, last=now, told=now)
            outage.last = now
            return outage


@contextmanager
def heard_by(tell: Tell) -> Iterator[None]:
    """Hand the lines of this process to ``tell`` while the block runs; otherwise they go to stderr."""
    before, _EARS.tell = _EARS.tell, tell
    try:
        yield
    finally:
        _EARS.tell = before


def on_waiting(waiting: Callable[[float], None]) -> None:
    """Have ``waiting`` hear of every pause [s] before it is made: a child's parent gives it so much longer."""
    _EARS.waiting = waiting


def forget_outages() -> None:
    """As in a new process."""
    with _LOCK:
        _OUTAGES.clear()


def store_patience(environ: Mapping[str, str] = os.environ) -> float:
    """Seconds that a store may be away.

    Raises:
        ConfigError: The variable is not a number.
    """
    return Settings.of(environ).store_patience_s


def database_patience(environ: Mapping[str, str] = os.environ) -> float:
    """Seconds that a database may be away.

    Raises:
        ConfigError: The variable is not a number.
    """
    return Settings.of(environ).database_wait_s
