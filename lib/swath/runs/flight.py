"""Waves in flight: the next ones are read and offered while the tail of one is still at work; they come back in order."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from typing import Final, Generic, TypeVar

from pyspark import InheritableThread
from pyspark.sql import SparkSession

from swath.errors import StoppedError

T = TypeVar("T")
#: Told which stage is at work, and how many of how many tasks are done.
StageProgress = Callable[[str, int, int], None]
#: Waves at once: the one whose tail is at work, and those that fill the cores that it leaves. With two, the second one runs out
#: of scenes while the first waits for its slowest: 0.86 of 1,000 cores at work instead of 0.97 (``benchmarks.scheduling``).
IN_FLIGHT: Final = 3
#: How often jobs of waves that must end are cancelled anew: between two stages a wave has none [s].
_CANCEL_S: Final = 0.2
#: Spark's pools (``spark/start/pools.xml``): tasks of the first wave go before those of the next.
POOL: Final = "spark.scheduler.pool"
_NEXT: Final = "next"


class Turn:
    """One wave's place among those in flight.

    Args:
        spark: The session.
        tag: Tag of the wave's jobs.
        progress: Told of the stages of the first wave.
    """

    def __init__(self, spark: SparkSession, *, tag: str, progress: StageProgress | None = None) -> None:
        self._context, self._tag, self._progress = spark.sparkContext, tag, progress
        self._first, self._over, self._telling = threading.Event(), threading.Event(), threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}

    @property
    def first(self) -> bool:
        """Whether no earlier wave is in flight."""
        return self._first.is_set()

    def come_first(self) -> None:
        """Every earlier wave is committed: this one's progress is reported from now on."""
        with self._telling:
            self._first.set()
            held, self._held = self._held, {}
        for name, (done, total) in held.items():
            self.tell(name, done, total)

    def tell(self, name: str, done: int, total: int) -> None:
        """Tell of a stage: at once of the first wave, of the next when its turn comes."""
        with self._telling:
            if not self.first:
                self._held[name] = done, total
                return
        if self._progress is not None:
            self._progress(name, done, total)

    def end(self) -> None:
        """Let the wave end: its jobs are cancelled, and it gets no more."""
        self._over.set()
        with suppress(Exception):  # a JVM that is gone has no jobs
            self._context.cancelJobsWithTag(self._tag)

    def begin(self) -> None:
        """Mark the jobs of this thread as the wave's."""
        self._context.addJobTag(self._tag)

    def enter_stage(self) -> None:
        """See whether the wave may go on, and choose the pool of its next job.

        Raises:
            StoppedError: The run has ended; another message gives the reason.
        """
        if self._over.is_set():
            msg = "the wave ended with its run"
            raise StoppedError(msg)
        self._context.setLocalProperty(POOL, None if self.first else _NEXT)  # type: ignore[arg-type]  # None takes it away


class Flight(Generic[T]):
    """Makes waves, several at once, in threads of their own.

    Args:
        spark: The session.
        make: Makes a wave; called in a thread.
        name: Begins the tags of the waves' jobs.
        progress: Told of the stages of the first wave.
    """

    def __init__(
        self, spark: SparkSession, make: Callable[[int, Turn], T], *, name: str, progress: StageProgress | None = None
    ) -> None:
        self._spark, self._make, self._name, self._progress = spark, make, name, progress
        self._waves: deque[tuple[int, Turn, Future[T]]] = deque()

    @contextmanager
    def made(self, numbers: Iterable[int], *, before: Callable[[int], None]) -> Iterator[Iterator[tuple[int, T]]]:
        """Waves as they are made, in order; another one begins when the first in flight has been taken care of.

        An error of a wave is raised when its turn comes: what was made before it is handed out first. Whatever ends the
        block, no wave is at work after it.

        Args:
            numbers: Waves to make, in order.
            before: Called when a wave becomes the first in flight.
        """
        try:
            yield self._in_order(numbers, before=before)
        finally:
            self._end()

    def _in_order(self, numbers: Iterable[int], *, before: Callable[[int], None]) -> Iterator[tuple[int, T]]:
        left = iter(numbers)
        while True:
            while len(self._waves) < IN_FLIGHT and (number := next(left, None)) is not None:
                self._start(number, before=before)
            if not self._waves:
                return
            number, _, future = self._waves[0]
            yield number, future.result()
            self._waves.popleft()
            if self._waves:
                number, turn, _ = self._waves[0]
                before(number)
                turn.come_first()

    def _start(self, number: int, *, before: Callable[[int], None]) -> None:
        turn, future = Turn(self._spark, tag=f"{self._name}-{number}", progress=self._progress), Future[T]()
        if not self._waves:
            before(number)
            turn.come_first()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                turn.begin()
                future.set_result(self._make(number, turn))
            except BaseException as error:  # noqa: BLE001  it is raised where the wave is waited for
                future.set_exception(error)

        # Spark's own: each thread has a thread of the JVM, which ends with it.
        thread = InheritableThread(target=work, name=f"wave {number}", daemon=True)
        try:
            self._waves.append((number, turn, future))
            thread.start()
        except BaseException:
            # Ctrl-C before the thread has begun: its future would be waited for without end. One that has begun goes on.
            future.cancel()
            raise

    def _end(self) -> None:
        """End what is at work, and wait for it: uploads are let go in the waves' own threads."""
        while not_done := [(t, f) for _, t, f in self._waves if not f.done()]:
            for turn, _ in not_done:
                turn.end()
            wait([f for _, f in not_done], timeout=_CANCEL_S)
        self._waves.clear()
