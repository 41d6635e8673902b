"""Events of a job on their way: to a file beside its report always, and to the client's own transport when one is named."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

from swath.errors import StoppedError, SwathError
from swath.lineage.job import LineageJob, Touched
from swath.redaction import redacted
from swath.stores.registry import open_store

#: Longest that a service may hold a job up, over all of its events [s].
PATIENCE_S: Final = 5.0
#: The client's own switch, and the variables that name a transport of its own.
_OFF, _TRANSPORTS = "OPENLINEAGE_DISABLED", ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT")
#: ``namespace/name/uuid`` of the run that started ours, as Airflow's ``lineage_parent_id`` gives it.
PARENT: Final = "OPENLINEAGE_PARENT_ID"
Say = Callable[[str], None]


def lineage_path(run_id: str) -> str:
    """Where the events of a run are, below the output."""
    return f"reports/{run_id}.openlineage.jsonl"


class Lineage:
    """The events of one job. They never fail it: what goes wrong is said once.

    Args:
        job: The job.
        say: Hears what went wrong.
    """

    def __init__(self, job: LineageJob, *, say: Say) -> None:
        self._job, self._say = job, say
        self._touched = Touched()
        self._left_s = PATIENCE_S
        self._begun = False
        self._off = find_spec("openlineage") is None or os.environ.get(_OFF, "").lower() in ("1", "true")

    def begin(self) -> None:
        """The job holds its output: one that finds it taken is no run, and leaves no event."""
        self._begun = True
        self.emit("START")

    def touched(self, touched: Touched) -> None:
        """Set what the next event says of datasets and models."""
        self._touched = touched

    def emit(self, state: str, *, error: str = "") -> None:
        """Write an event, and send it where the client is told to."""
        if self._off or not self._begun:
            return
        try:
            self._emit(state, error=error)
        except Exception as problem:  # noqa: BLE001  a job must not end by what is said of it
            self._off = True
            self._say(f"lineage: events are not kept: {redacted(str(problem))}")

    def _emit(self, state: str, *, error: str) -> None:
        from openlineage.client.serde import Serde  # noqa: PLC0415  half a CPU second, and an extra of the package

        from swath.lineage.events import event_of  # noqa: PLC0415  as above

        parent = os.environ.get(PARENT, "")
        event = event_of(self._job, state, touched=self._touched, error=error, parent=parent)  # type: ignore[arg-type]
        store, path = open_store(self._job.output), lineage_path(self._job.run_id)
        store.write(path, (store.read(path) or b"") + Serde.to_json(event).encode() + b"\n")
        if any(name.startswith(_TRANSPORTS) for name in os.environ) and self._left_s > 0:
            self._send(event)

    def _send(self, event: object) -> None:
        """Hand an event to the client in a thread that is left behind when it takes too long."""
        from time import monotonic  # noqa: PLC0415

        problems: list[str] = []

        def send() -> None:
            from openlineage.client import OpenLineageClient  # noqa: PLC0415  as above

            try:
                OpenLineageClient().emit(event)
            except Exception as problem:  # noqa: BLE001  as above
                problems.append(str(problem))

        since = monotonic()
        thread = threading.Thread(target=send, name="openlineage", daemon=True)
        thread.start()
        thread.join(self._left_s)
        if thread.is_alive():
            self._left_s = 0.0
            self._say(f"lineage: the service did not answer in {PATIENCE_S:g} s; events are in {lineage_path(self._job.run_id)}")
            return
        self._left_s -= monotonic() - since
        if problems:
            self._left_s = 0.0
            self._say(f"lineage: not sent: {redacted(problems[0])}; events are in {lineage_path(self._job.run_id)}")


@contextmanager
def lineage_of(job: LineageJob, *, say: Say) -> Iterator[Lineage]:
    """START when the job says that it begins; COMPLETE when the block ends, FAIL with its error, ABORT when it is stopped.

    Args:
        job: The job.
        say: Hears what went wrong with events.
    """
    lineage = Lineage(job, say=say)
    try:
        yield lineage
    except (KeyboardInterrupt, StoppedError):
        lineage.emit("ABORT", error="stopped")
        raise
    except SwathError as error:
        lineage.emit("FAIL", error=redacted(str(error)))
        raise
    except BaseException as error:
        lineage.emit("FAIL", error=redacted(f"{type(error).__name__}: {error}"))
        raise
    lineage.emit("COMPLETE")
