"""One stage of a run: requests go out as references, each to one task; small answers come back."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark import TaskContext
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from swath.engine.child.kept import answer_json, forget_zips
from swath.engine.child.parent import CONFIG, STORE, Limits
from swath.engine.message import JsonRequest, Packed, Request, pack, unpack
from swath.engine.refused import Refused
from swath.engine.spool import AnswerSpool
from swath.errors import ConfigError, InfrastructureError, ServiceError
from swath.ledger.arrow_rows import table_of
from swath.ledger.schemas import ANSWER
from swath.spark.breaker import Breaker
from swath.spark.task_progress import Progress, following

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

A = TypeVar("A")
Json = dict[str, Any]


def run_stage(
    spark: SparkSession,
    requests: Sequence[Request[A]],
    *,
    limits: Limits,
    name: str,
    progress: Progress | None = None,
    tasks: int | None = None,
    groups: Sequence[int] | None = None,
    breaker: Breaker | None = None,
) -> list[Packed[A] | Refused]:
    """Do all requests.

    Args:
        spark: The session.
        requests: References only; each is asked for when it goes out, and not kept.
        limits: Limits of each call.
        name: Shown in Spark's UI and logs.
        progress: Told how many of how many tasks are done.
        tasks: Tasks to spread the requests over, in order; None for one task each.
        groups: Requests of each task, in order, where ``tasks`` would not do; tasks begin in this order.
        breaker: Stops the stage when too many scenes end by an unexpected error.

    Returns:
        The answers in the order of the requests, packed: ``opened`` for those who want them at once.

    Raises:
        ServiceError: A store was away for longer than the workers waited.
        ConfigError: A person must correct something first, such as an output that refuses us.
        BrokenInstallationError: The breaker's.
    """
    if not requests:
        return []
    groups = groups or evenly(len(requests), tasks=tasks)
    answers = _asked(spark, requests, limits=limits, name=name, progress=progress, groups=groups, breaker=breaker)
    away = [n for n, answer in enumerate(answers) if isinstance(answer, Refused) and answer.error_class == STORE]
    if away:
        # Perhaps a single machine could not reach the store, or the store has come back.
        again = [requests[n] for n in away]
        groups = evenly(len(again), tasks=len(groups))
        for n, answer in zip(away, _asked(spark, again, limits=limits, name=f"{name} again", groups=groups), strict=True):
            answers[n] = answer
    settle(answers)
    return answers


def opened(answers: Sequence[Packed[A] | Refused]) -> list[A | Refused]:
    """The answers as values."""
    return [a if isinstance(a, Refused) else a.open() for a in answers]


def settle(answers: Sequence[A | Refused]) -> None:
    """See that no answer ends the run.

    Raises:
        ServiceError: A store was away.
        ConfigError: The configuration does not fit.
    """
    for answer in answers:
        if isinstance(answer, Refused) and answer.error_class == STORE:
            raise ServiceError(answer.message)
        if isinstance(answer, Refused) and answer.error_class == CONFIG:
            raise ConfigError(answer.message)


def run_json_stage(
    spark: SparkSession,
    requests: Sequence[Json],
    *,
    limits: Limits,
    name: str,
    progress: Progress | None = None,
    tasks: int | None = None,
) -> list[Json]:
    """Do all requests: see ``run_stage``, for requests that are no messages; a refusal is ``{"refused": ...}``.

    Raises:
        ServiceError: See ``run_stage``.
        ConfigError: See ``run_stage``.
    """
    answers = run_stage(spark, [JsonRequest(r) for r in requests], limits=limits, name=name, progress=progress, tasks=tasks)
    return [a.answer() if isinstance(a, Refused) else a for a in opened(answers)]


def evenly(requests: int, *, tasks: int | None) -> list[int]:
    """Requests of each task when all get as many; None for one task each."""
    number = min(tasks or requests, requests)
    return [requests * (n + 1) // number - requests * n // number for n in range(number)]


def grouped(pixels: Sequence[int], *, most: int, least_groups: int) -> list[int]:
    """Requests of each task when tasks get about as many pixels: large ones have a task of their own, small ones share.

    Args:
        pixels: Pixels of each request, the largest first.
        most: Pixels that a task gets at most, but for a larger request.
        least_groups: Tasks to make at least, where there are so many requests.
    """
    number = min(max(-(-sum(pixels) // most), least_groups), len(pixels))
    share, groups, held = sum(pixels) / max(number, 1), list[int](), 0
    for some in pixels:
        # A task is full with its share; the next request begins another.
        if not groups or held >= share:
            groups, held = [*groups, 0], 0
        groups[-1] += 1
        held += some
    return groups


def _asked(
    spark: SparkSession,
    requests: Sequence[Request[A]],
    *,
    limits: Limits,
    name: str,
    groups: Sequence[int],
    progress: Progress | None = None,
    breaker: Breaker | None = None,
) -> list[Packed[A] | Refused]:
    """Do all requests, once."""
    first = requests[0].to_plain()
    shipped = spark.sparkContext.broadcast((first, [_beside(first, r) for r in requests], [0, *accumulate(groups)]))

    schema, note = to_arrow_schema(ANSWER), breaker.note if breaker is not None else None

    # Arrow's batches as they are: pandas would cost each worker half a second and 60 MB.
    def work(batches: "Iterable[pa.RecordBatch]") -> "Iterable[pa.RecordBatch]":
        first, texts, starts = shipped.value
        here = replace(limits, gpus=_gpus())
        for task in (n for batch in batches for n in batch.column("id").to_pylist()):
            for number in range(starts[task], starts[task + 1]):
                like, text = texts[number]
                request = {**(first if like else {}), **json.loads(unpack(text))}
                answer = answer_json(request, here)
                if note is not None:
                    note(request, answer)
                yield from table_of([_row(number, answer)], schema).to_batches()
        forget_zips()

    rows = spark.range(0, len(groups), 1, numPartitions=len(groups)).mapInArrow(work, schema=ANSWER)
    try:
        with breaker.watching(name) if breaker is not None else nullcontext():
            told = _collected(spark, rows, name=name, total=len(groups), progress=progress)
    finally:
        shipped.unpersist(blocking=False)
    told.sort(key=itemgetter(0))
    if len(told) != len(requests):
        msg = f"{name}: {len(requests)} requests have {len(told)} answers"
        raise InfrastructureError(msg)
    answered, spool = type(requests[0]).answered, AnswerSpool()
    # A row is let go as it is packed away.
    for place, row in enumerate(told):
        told[place] = _answer(row, answered, spool=spool)
    return told


def _beside(first: Json, request: Request[Any]) -> tuple[bool, bytes]:
    """What a request says beside the first one (the pipeline, the output travel once), or all of it; and whether the former."""
    plain = request.to_plain()
    like = plain.keys() >= first.keys()
    return like, pack(json.dumps({k: v for k, v in plain.items() if not (like and k in first and first[k] == v)}))


def _row(number: int, answer: Mapping[str, Any]) -> Json:
    """A row of ``ANSWER``."""
    cost = {name: float(answer.get(name, 0.0)) for name in ("cpu_s", "peak_mb")}
    return {"id": number, "answer": pack(json.dumps(answer)), "refused": Refused.within(answer) is not None, **cost}


def _answer(row: Row, answered: Callable[[Mapping[str, Any]], A], *, spool: AnswerSpool) -> Packed[A] | Refused:
    """What became of a request."""
    _, data, refused, cpu_s, peak_mb = row
    if refused and (found := Refused.within(json.loads(unpack(data)))) is not None:
        return found
    return Packed(data=spool.keep(data), reader=answered, cpu_s=cpu_s, peak_mb=peak_mb)


def _gpus() -> str:
    """Addresses of the GPUs that Spark gave this task, by commas; empty for none."""
    context = TaskContext.get()
    found = context.resources().get("gpu") if context is not None else None
    return ",".join(found.addresses) if found is not None else ""


def _collected(spark: SparkSession, rows: DataFrame, *, name: str, total: int, progress: Progress | None) -> list[Any]:
    """Collect small rows while a thread of its own tells the progress."""
    spark.sparkContext.setJobGroup(name, name)
    with following(spark, group=name, total=total, progress=progress):
        found: list[Any] = rows.collect()
    return found
