"""The state of a run, in the same words for every engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class RunState(StrEnum):
    """Seven words for all states of all engines."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"  # the engine says so; what was made is in the result file
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"  # deleted under us, or never there
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Nothing more will happen."""
        return self in {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.GONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """A run at one moment.

    Args:
        run_id: Id of the run.
        state: State in swath's words.
        engine_state: State in the engine's words.
        reason: Why, in a sentence; empty when there is nothing to say.
        remedy: Action to take.
        stuck: It will not go on by itself.
    """

    run_id: str
    state: RunState
    engine_state: str = ""
    reason: str = ""
    remedy: str = ""
    stuck: bool = False

    @property
    def text(self) -> str:
        """One line for people."""
        head = f"{self.run_id}: {self.state.value}" + (f" ({self.engine_state})" if self.engine_state else "")
        why = f": {self.reason}" if self.reason else ""
        return f"{head}{' - stuck' if self.stuck else ''}{why}{f'. {self.remedy}' if self.remedy else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a submit did.

    Args:
        run_id: Id of the run.
        created: False if this very run already existed: two submits make one job.
        handle: The engine's own name for it.
    """

    run_id: str
    created: bool
    handle: str


class Launcher(Protocol):
    """Starts and watches runs at one site."""

    def submit(self) -> Submission:
        """Start the ordered run, once."""
        ...

    def status(self, run_id: str) -> RunStatus:
        """The state of the run."""
        ...

    def cancel(self, run_id: str) -> RunStatus:
        """Stop the run."""
        ...

    def logs(self, run_id: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """Lines of the driver's log (the last ``tail`` of them), or where it is."""
        ...

    def latest(self, job: str) -> str | None:
        """Run id of the newest run of a job."""
        ...
