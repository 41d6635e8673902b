"""Waits for the end of a run, and goes on when the engine is out of reach for a while."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.run_status import RunStatus


class StatusSource(Protocol):
    """What reports the state of a run."""

    def status(self, run_id: str) -> RunStatus:
        """The state of the run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to ask, and when to stop asking.

    Args:
        every_s: Between two questions.
        unanswered_s: Longest time without any answer.
        stuck_s: Longest time in a state that will not go on by itself.
        deadline_s: Longest duration of the whole run; None for engines that end it themselves.
        sleep: Function that sleeps; tests replace it.
        clock: Monotonic seconds, for tests.
    """

    every_s: float = 10.0
    unanswered_s: float = 1800.0
    stuck_s: float = 900.0
    deadline_s: float | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def watch(launcher: StatusSource, run_id: str, *, patience: Patience) -> Iterator[RunStatus]:
    """Yield the status whenever it changes; the last one is final, or the run is stuck or on for too long.

    A server that is away, a dropped connection, throttling: asked again, more and more slowly, until ``unanswered_s``.

    Raises:
        LaunchError: No answer for too long, or an answer that waiting cannot better (no permission).
    """
    told: RunStatus | None = None
    began = answered = stuck_since = patience.clock()
    pause = patience.every_s
    while True:
        try:
            status = launcher.status(run_id)
        except LaunchError as error:
            if not error.passing or patience.clock() - answered > patience.unanswered_s:
                raise
            patience.sleep(pause)
            pause = min(pause * 2, 16 * patience.every_s)
            continue
        answered, pause = patience.clock(), patience.every_s
        if not status.stuck:
            stuck_since = answered
        if status != told:
            yield status
            told = status
        late = patience.deadline_s is not None and answered - began > patience.deadline_s
        if status.state.final or late or answered - stuck_since > patience.stuck_s:
            return
        patience.sleep(patience.every_s)
