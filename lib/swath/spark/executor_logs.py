"""The last lines of executors whose tasks failed, kept beside the report: their pods and folders go with the run.

A standalone master and ``local-cluster`` have workers that show an executor's stderr; on Kubernetes the API has a pod's log, for
an account that may read ``pods/log``. EMR on EKS keeps all logs itself, in CloudWatch or S3; on one machine there is one process.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pyspark.sql import SparkSession

from swath.redaction import redacted
from swath.spark.log_places import LogError, PodLogs, WorkerLogs
from swath.stores.base import Store

#: Executors whose lines are kept, the last ones that had a failed task; and lines of each.
EXECUTORS, LINES = 20, 200
#: Ways in which Spark itself lets an executor go.
_LET_GO: Final = re.compile(r"idle|decommission|driver request|finished", re.IGNORECASE)
_KUBERNETES: Final = "k8s://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubled:
    """An executor with failed tasks, or one that was lost.

    Args:
        name: Its id.
        failed: Number of its failed tasks.
        gone: Spark's word for how it ended; empty while it is there.
        page: Address of its stderr at its worker; empty without one.
    """

    name: str
    failed: int
    gone: str
    page: str

    @property
    def text(self) -> str:
        """In words."""
        gone = f"; it ended: {' '.join(self.gone.split())}" if self.gone else ""
        return f"executor {self.name}: {self.failed} failed tasks{gone}"


class LogPlace(Protocol):
    """Where logs of executors are."""

    def lines(self, executor: Troubled, *, most: int) -> list[str]:
        """The last lines of an executor.

        Raises:
            LogError: They cannot be had.
        """
        ...


class ExecutorLogs:
    """Logs of the executors of one run.

    Args:
        spark: The session.
        store: The output.
        run_id: Id of the run.
        say: Hears what was kept, and what could not be had.
        place: Where logs are; by default as the master says, None for nowhere.
    """

    def __init__(
        self, spark: SparkSession, store: Store, *, run_id: str, say: Callable[[str], None], place: LogPlace | None = None
    ) -> None:
        self._spark, self._store, self._run_id, self._say = spark, store, run_id, say
        self._place = place if place is not None else place_of(spark)
        self._seen: dict[str, Troubled] = {}
        with suppress(Exception):  # what an earlier run of the session left is none of this one's
            self._seen = {t.name: t for t in troubled(spark)} if self._place is not None else {}
        self._found: dict[str, tuple[Troubled, list[str]]] = {}

    def look(self) -> None:
        """Read the logs of executors whose tasks failed since the last look: they may be gone later. Never fails a run."""
        try:
            self._look()
        except Exception as error:  # noqa: BLE001  Spark's, of whatever kind
            self._say(f"the logs of executors could not be read: {error}")

    def keep(self) -> None:
        """Look once more, and write what was found; what fails here costs the logs, and nothing else."""
        self.look()
        kept = dict(list(self._found.items())[-EXECUTORS:])
        try:
            for name, (executor, lines) in kept.items():
                text = "".join(f"{redacted(line)}\n" for line in (executor.text, *lines))
                self._store.write(executor_log_path(self._run_id, name), text.encode())
        except Exception as error:  # noqa: BLE001  stores have errors of their own
            self._say(f"the logs of executors could not be kept: {error}")
            return
        if kept:
            paths = executor_log_path(self._run_id, "*")
            self._say(f"tasks failed on executors {', '.join(kept)}: the last lines of each are in {paths}")

    def _look(self) -> None:
        if self._place is None:
            return
        seen, self._seen = self._seen, {t.name: t for t in troubled(self._spark)}
        for name, executor in [(n, e) for n, e in self._seen.items() if e != seen.get(n)][-EXECUTORS:]:
            _, before = self._found.pop(name, (executor, []))
            try:
                lines = self._place.lines(executor, most=LINES)
            except LogError as error:
                # Of one that has gone meanwhile the lines of then are the last.
                lines = before or [f"its log cannot be read: {error}"]
            self._found[name] = executor, lines


def executor_log_path(run_id: str, executor: str) -> str:
    """Below the output."""
    return f"reports/{run_id}/executor-{executor}.log"


@contextmanager
def logs_kept(spark: SparkSession, store: Store, *, run_id: str, say: Callable[[str], None]) -> Iterator[ExecutorLogs]:
    """Keep the logs of a run at its end, well or by an error; not when a user stops it and waits."""
    logs = ExecutorLogs(spark, store, run_id=run_id, say=say)
    try:
        yield logs
    except Exception:
        logs.keep()
        raise
    logs.keep()


def place_of(spark: SparkSession) -> LogPlace | None:
    """Where the logs of a session's executors are, by its master; None where nothing has them for us."""
    master = spark.sparkContext.master or ""
    if master.startswith(("local-cluster", "spark://")):
        return WorkerLogs()
    if master.startswith(_KUBERNETES):
        return PodLogs.of_this_pod(application=spark.sparkContext.applicationId or "")
    return None


def troubled(spark: SparkSession) -> list[Troubled]:
    """Executors with failed tasks, and those that were lost."""
    # Spark's own account of its executors (``spark.held`` reads it too): Python has no other way to it.
    found = spark.sparkContext._jsc.sc().statusStore().executorList(False)  # noqa: SLF001
    every = (_troubled(found.apply(number)) for number in range(found.size()))
    return [t for t in every if t.name != "driver" and (t.failed or (t.gone and not _LET_GO.search(t.gone)))]


def _troubled(executor: Any) -> Troubled:
    reason, page = executor.removeReason(), executor.executorLogs().get("stderr")
    return Troubled(
        name=executor.id(),
        failed=int(executor.failedTasks()),
        gone=reason.get() if reason.isDefined() else "",
        page=page.get() if page.isDefined() else "",
    )
