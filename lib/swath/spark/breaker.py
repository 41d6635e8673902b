"""Stops a run whose scenes all end by errors that are no scene's: one broken installation must not quarantine a million scenes.

Workers tell of each outcome through an accumulator, which the driver reads as tasks end; so it stops a stage in its midst.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from pyspark import AccumulatorParam
from pyspark.sql import SparkSession

from swath.engine.blame import signature_of
from swath.errors import BrokenInstallationError, InternalError

#: Scenes by step and signature; the empty signature is any other outcome, and holds no scenes.
Outcomes = dict[tuple[str, str], frozenset[str]]
Note = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
_OTHER: Final = ""
_POLL_S: Final = 0.2


class _Merged(AccumulatorParam[Outcomes]):
    """Sets of scenes: a task that ran twice counts once."""

    def zero(self, value: Outcomes) -> Outcomes:
        del value
        return {}

    def addInPlace(self, value1: Outcomes, value2: Outcomes) -> Outcomes:  # noqa: N802  PySpark's name
        # A new value: the driver's other thread may be reading the old one.
        return {**value1, **{key: value1.get(key, frozenset()) | scenes for key, scenes in value2.items()}}


class Breaker:
    """Counts the scenes that ended by an error which nobody foresaw.

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
            BrokenInstallationError: They have.
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
            BrokenInstallationError: It may not.
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
        if not self._limit:
            return ""
        by_error: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        by_step: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        told = self._told.value
        for (step, signature), scenes in told.items():
            if signature != _OTHER:
                by_error[signature] |= scenes
                by_step[step] |= scenes
        for signature, scenes in by_error.items():
            if len(scenes) >= self._limit:
                return _message(f"{len(scenes)} scenes ended by the same error, which swath does not know: {signature}")
        for step, scenes in by_step.items():
            if len(scenes) >= self._limit and (step, _OTHER) not in told:
                errors = sorted({s for t, s in told if t == step})
                return _message(
                    f"all of the first {len(scenes)} scenes ended, at {step}, by errors that swath does not know: {errors[0]}"
                    f" and {len(errors) - 1} others"
                )
        return ""


def _add(told: Any, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    refused = answer.get("refused") or answer.get("unfit") or {}
    if refused.get("class") == InternalError.error_class:
        scene = str(request.get("scene_id") or request.get("href", ""))
        told.add({(request["op"], signature_of(refused["message"])): frozenset({scene})})
    else:
        told.add({(request["op"], _OTHER): frozenset()})


def _message(what: str) -> str:
    return (
        f"{what}. The installation is probably broken (a library, a plug-in, a model), or this is a bug; these scenes were not "
        "put into quarantine. Mend it, or let --internal-limit N allow more such scenes (0: any number)"
    )
