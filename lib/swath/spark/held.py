"""Which cores a run held, and how long: by the executors' own times, from their registration to their removal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An executor's time.

    Args:
        cores: Number of its cores.
        since: Time of registration, POSIX [s].
        until: Time of removal, POSIX [s]; None while the executor is there.
    """

    cores: int
    since: float
    until: float | None


def executors(spark: SparkSession) -> Iterator[Held]:
    """Every executor of the application, those that are gone as well."""
    # Spark's own account of its executors, which its page and its REST interface show: Python has no other way to it.
    found = spark.sparkContext._jsc.sc().statusStore().executorList(False)  # noqa: SLF001
    for number in range(found.size()):
        executor = found.apply(number)
        removed = executor.removeTime()
        yield Held(
            cores=int(executor.totalCores()),
            since=executor.addTime().getTime() / 1000,
            until=removed.get().getTime() / 1000 if removed.isDefined() else None,
        )


def core_seconds(held: Iterable[Held], *, since: datetime, until: datetime) -> float:
    """Core seconds that executors held between two moments, at work or not.

    Args:
        held: Executors.
        since: Aware.
        until: Aware.
    """
    first, last = since.timestamp(), until.timestamp()
    return sum(e.cores * max(min(e.until or last, last) - max(e.since, first), 0.0) for e in held)
