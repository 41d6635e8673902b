"""One stage of a run: requests go out as references, each to one task; small answers come back."""

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from swath.engine.child.kept import answer_json, forget_zips
from swath.engine.child.parent import CONFIG, STORE, Limits
from swath.errors import ConfigError, ServiceError
from swath.ledger.arrow_rows import table_of
from swath.ledger.schemas import ANSWER
from swath.spark.breaker import Breaker
from swath.spark.task_progress import Progress, following

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Json = dict[str, Any]


def run_stage(
    spark: SparkSession,
    requests: Sequence[Json],
    *,
    limits: Limits,
    name: str,
    progress: Progress | None = None,
    tasks: int | None = None,
    breaker: Breaker | None = None,
) -> list[Json]:
    """Do all requests.

    Args:
        spark: The session.
        requests: JSON-able; references only.
        limits: Limits of each call.
        name: Shown in Spark's UI and logs.
        progress: Told how many of how many tasks are done.
        tasks: Tasks to spread the requests over, in order; None for one task each.
        breaker: Stops the stage when too many scenes end by an error that nobody foresaw.

    Returns:
        The answers in the order of the requests; a refused one is ``{"refused": {"class", "message"}}``.

    Raises:
        ServiceError: A store was away for longer than the workers waited.
        ConfigError: What only a person can put right, such as an output that refuses us.
        BrokenInstallationError: The breaker's.
    """
    if not requests:
        return []
    answers = _asked(spark, requests, limits=limits, name=name, progress=progress, tasks=tasks, breaker=breaker)
    away = [n for n, answer in enumerate(answers) if refused_as(answer) == STORE]
    if away:
        # Perhaps a single machine could not reach the store, or the store has come back.
        again = [requests[n] for n in away]
        for n, answer in zip(away, _asked(spark, again, limits=limits, name=f"{name} again", tasks=tasks), strict=True):
            answers[n] = answer
    for answer in answers:
        if refused_as(answer) == STORE:
            raise ServiceError(answer["refused"]["message"])
        if refused_as(answer) == CONFIG:
            raise ConfigError(answer["refused"]["message"])
    return answers


def refused_as(answer: Json) -> str:
    """Class of a refusal; empty for other answers."""
    return str((answer.get("refused") or {}).get("class", ""))


def _asked(
    spark: SparkSession,
    requests: Sequence[Json],
    *,
    limits: Limits,
    name: str,
    progress: Progress | None = None,
    tasks: int | None = None,
    breaker: Breaker | None = None,
) -> list[Json]:
    """Do all requests, once."""
    shipped = spark.sparkContext.broadcast([json.dumps(r) for r in requests])

    schema, note = to_arrow_schema(ANSWER), breaker.note if breaker is not None else None

    # Arrow's batches as they are: pandas would cost each worker half a second and 60 MB.
    def work(batches: "Iterable[pa.RecordBatch]") -> "Iterable[pa.RecordBatch]":
        for batch in batches:
            for number in batch.column("id").to_pylist():
                request = json.loads(shipped.value[number])
                answer = answer_json(request, limits)
                if note is not None:
                    note(request, answer)
                yield from table_of([{"id": number, "answer": json.dumps(answer)}], schema).to_batches()
        forget_zips()

    parts = min(tasks or len(requests), len(requests))
    rows = spark.range(0, len(requests), 1, numPartitions=parts).mapInArrow(work, schema=ANSWER)
    try:
        with breaker.watching(name) if breaker is not None else nullcontext():
            told = _collected(spark, rows, name=name, total=parts, progress=progress)
    finally:
        shipped.unpersist(blocking=False)
    found = {row["id"]: json.loads(row["answer"]) for row in told}
    return [found[number] for number in range(len(requests))]


def _collected(spark: SparkSession, rows: DataFrame, *, name: str, total: int, progress: Progress | None) -> list[Any]:
    """Collect small rows while a thread of its own tells the progress."""
    spark.sparkContext.setJobGroup(name, name)
    with following(spark, group=name, total=total, progress=progress):
        found: list[Any] = rows.collect()
    return found
