"""Stops a run whose scenes all end by errors that are no scene's: one broken installation must not quarantine a million scenes.

Workers tell of each outcome through an accumulator, which the driver reads as tasks end; so it stops a stage in its midst.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from pyspark import AccumulatorParam
from pyspark.sql import SparkSession

from swath.errors import BrokenInstallationError
from swath.spark.tally import Outcomes, broken, outcome, together

Note = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
_POLL_S: Final = 0.2


class _Merged(AccumulatorParam[Outcomes]):
    """Sets of scenes: a task that ran twice counts once."""

    def zero(self, value: Outcomes) -> Outcomes:
        del value
        return {}

    def addInPlace(self, value1: Outcomes, value2: Outcomes) -> Outcomes:  # noqa: N802  PySpark's name
        return together(value1, value2)


class Breaker:
    """Counts the scenes that ended by an unexpected error.

    Args:
        spark: The session.
        limit: Scenes that may end so: as the first ones of a step, or by one and the same error; 0 for any number.
    """

    def __init__(self, spark: SparkSession, *, limit: int) -> None:
        self._context, self._limit = spark.sparkContext, limit
        self._told = spark.sparkContext.accumulator({}, _Merged())

    @property
    def note(self) -> Note:
        """Notes the outcome of a request; travels to workers."""
        return partial(_add, self._told)

    @contextmanager
    def watching(self, group: str) -> Iterator[None]:
        """Cancel the jobs of a block when too many scenes have ended so.

        Raises:
            BrokenInstallationError: Too many scenes have ended so.
        """
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(group, done), daemon=True)
        self._context.setJobGroup(group, group)
        watcher.start()
        try:
            yield
        except Exception:
            # Spark says that the job was cancelled: this is why.
            self.check()
            raise
        finally:
            done.set()
            watcher.join()
        self.check()

    def check(self) -> None:
        """See whether the run may go on.

        Raises:
            BrokenInstallationError: The run must stop.
        """
        found = self._broken()
        if found:
            raise BrokenInstallationError(found)

    def _watch(self, group: str, done: threading.Event) -> None:
        while not done.wait(_POLL_S):
            if self._broken():
                self._context.cancelJobGroup(group)
                return

    def _broken(self) -> str:
        """What is broken; empty when nothing is."""
        return broken(self._told.value, limit=self._limit)


def _add(told: Any, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    told.add(outcome(request, answer))
