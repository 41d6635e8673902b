"""Scenes into the ``scenes`` table: discover, read metadata, digest; known versions are not added again."""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from swath.engine.child.kept import answer_json, forget_zips
from swath.engine.child.parent import STORE, Limits
from swath.engine.ingested import Ingest, rows_of
from swath.engine.message import answer_to
from swath.engine.scene_tiles import split_href
from swath.errors import BrokenInstallationError, ServiceError
from swath.ledger.arrow_rows import table_of
from swath.ledger.schemas import INGESTED, INPUT, KNOWN_INPUT, SCENES
from swath.ledger.tables import Tables
from swath.readers.discover import discover
from swath.readers.gate.terms import Terms
from swath.readers.passed_over import PassedOver
from swath.readers.registry import DISCOVER
from swath.readers.stac.search import Say
from swath.runs.inside import missing_inside, several
from swath.runs.own_fate import keepable
from swath.runs.request import INTERNAL_LIMIT
from swath.spark.breaker import Breaker, Note
from swath.spark.task_progress import Progress, following
from swath.stores.base import Store
from swath.stores.local import LocalStore
from swath.stores.names import name_limits

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

#: Scenes for one ingest task.
_PER_TASK = 8
#: Stage that reading inputs is reported under.
INPUTS = "inputs"
StageProgress = Callable[[str, int, int], None]
_MOST_TASKS = 10_000
#: Scenes of one folder of what ingest and plan write: a reader of some scenes opens their folders only.
BLOCK_SCENES = 4096
#: What of an input was passed over, in a run's folder.
NOT_SCENES = "not_scenes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRequest:
    """What to ingest, and what to ask of each scene.

    Args:
        run_id: Names the run.
        inputs: Inputs, as the user named them.
        pipeline_json: The pipeline that a run wants of the scenes; None when scenes are only taken in.
        strip_rows: Strip height that a run wants.
        limit: Largest number of scenes to take.
        limits: Limits of each call to a worker's child.
        terms: Assumptions about the deliveries that the user vouches for.
        internal_limit: See ``RunRequest``.
    """

    run_id: str
    inputs: tuple[str, ...]
    pipeline_json: str | None = None
    strip_rows: int | None = None
    limit: int | None = None
    limits: Limits
    terms: Terms = field(default_factory=Terms)
    internal_limit: int = INTERNAL_LIMIT


def run_path(run_id: str, part: str) -> str:
    """Where a run keeps what it must remember, relative to the output."""
    return f"runs/{run_id}/{part}"


def ingest(
    spark: SparkSession,
    store: Store,
    *,
    request: IngestRequest,
    tables: Tables,
    found: Sequence[tuple[int, str]] | None = None,
    progress: StageProgress | None = None,
) -> DataFrame:
    """Read every scene's metadata once for a run; a restart of the run reads what the first start wrote.

    Args:
        spark: The session.
        store: Store of the run's findings.
        request: Inputs and terms of the ingest.
        tables: Tables of the output; files that they know as unchanged are not read again.
        found: The scenes, if they are known already.
        progress: Told how many of how many inputs are read.

    Returns:
        Rows of ``INGESTED``.

    Raises:
        ConfigError: An input does not exist or holds no scene.
        ServiceError: A store was away for longer than the workers waited.
        BrokenInstallationError: Too many scenes ended by an unexpected error.
    """
    path = run_path(request.run_id, "ingested")
    if store.size(f"{path}/_SUCCESS") is None:
        found = find_scenes(store, request) if found is None else found
        breaker = Breaker(spark, limit=request.internal_limit)
        _read_all(spark, store, request=request, tables=tables, found=found, progress=progress, breaker=breaker, mode="overwrite")
    ingested = spark.read.schema(INGESTED).parquet(store.spark_path(path))
    if inside := missing_inside(ingested, limit=request.limit):
        breaker = Breaker(spark, limit=request.internal_limit)
        _read_all(spark, store, request=request, tables=tables, found=inside, progress=progress, breaker=breaker, mode="append")
        ingested = spark.read.schema(INGESTED).parquet(store.spark_path(path))
    return ingested.filter(~several())


def _read_all(
    spark: SparkSession,
    store: Store,
    *,
    request: IngestRequest,
    tables: Tables,
    found: Sequence[tuple[int, str]],
    progress: StageProgress | None,
    breaker: Breaker,
    mode: str,
) -> None:
    """Read scenes on the executors, and keep their descriptions under the run."""
    path = run_path(request.run_id, "ingested")
    hrefs = _with_known(spark.createDataFrame(found, INPUT, verifySchema=False), tables)
    tasks = tasks_for(len(found), cores=spark.sparkContext.defaultParallelism)
    # Neighbours stay together, so that a task writes into one or two folders; and all tasks get as many.
    rows = hrefs.repartitionByRange(tasks, "n").mapInArrow(_reader(request, store, note=breaker.note), schema=INGESTED)
    try:
        group, told = f"{request.run_id} ingest", inputs_read(progress, scenes=len(found))
        with breaker.watching(group), following(spark, group=group, total=tasks, progress=told):
            rows.write.mode(mode).partitionBy("block").parquet(store.spark_path(path))
    except BrokenInstallationError:
        store.delete_tree(path)
        raise
    _refuse_absence(spark.read.schema(INGESTED).parquet(store.spark_path(path)), store, path=path)


def _refuse_absence(ingested: DataFrame, store: Store, *, path: str) -> None:
    """See that no store was away: its scenes would be refused for what is not their fault.

    Raises:
        ServiceError: A store was away; the findings are discarded, so that a restart asks again.
    """
    away = ingested.filter(F.col("error_class") == STORE).select("message").head(1)
    if away:
        store.delete_tree(path)
        raise ServiceError(away[0]["message"])


def _with_known(hrefs: DataFrame, tables: Tables) -> DataFrame:
    """Give each href the digests that were taken of its files at its latest version."""
    if not tables.exists("scenes"):
        return hrefs.withColumn("files", F.lit(None).cast("string")).select(*KNOWN_INPUT.names)
    known = tables.read("scenes", SCENES, columns=["href", "files", "run_id"])
    known = known.groupBy("href").agg(F.max_by("files", "run_id").alias("files"))
    return hrefs.join(known, "href", "left").select(*KNOWN_INPUT.names)


def find_scenes(store: Store, request: IngestRequest, *, say: Say | None = None) -> list[tuple[int, str]]:
    """Number and href of every scene of the inputs. The answer of a search is kept: a run that begins again uses it.

    Raises:
        ConfigError: An input does not exist or holds no scene.
    """
    # The answer of a search must be seen by every worker: it is in the output.
    passed_over = PassedOver()
    if isinstance(store, LocalStore):
        kept = run_path(request.run_id, "search")
        found = list(_some(request, scratch=store.at(kept), say=say, passed_over=passed_over))
    else:
        found = _found_beside(store, request, say=say, passed_over=passed_over)
    store.write(run_path(request.run_id, NOT_SCENES), json.dumps(passed_over.plain()).encode())
    return list(enumerate(found))


def _found_beside(store: Store, request: IngestRequest, *, say: Say | None, passed_over: PassedOver) -> list[str]:
    """Hrefs of the inputs, where answers of searches go to a store that is no folder."""
    kept = run_path(request.run_id, "search")
    with tempfile.TemporaryDirectory(dir=store.scratch()) as scratch:
        folder = Path(scratch)
        _fetch_lists(store, kept, folder=folder)
        some = _some(request, scratch=folder, say=say, passed_over=passed_over)
        found = [_shared(h, folder, store=store, kept=kept) for h in some]
        # Last: they say that all items are there.
        for path in sorted(folder.glob("*.json")):
            store.put(path, f"{kept}/{path.name}")
        return found


def not_scenes(store: Store, run_id: str) -> PassedOver:
    """What a run passed over when it looked for scenes."""
    kept = store.read(run_path(run_id, NOT_SCENES))
    return PassedOver.from_plain(json.loads(kept)) if kept else PassedOver()


def _fetch_lists(store: Store, kept: str, *, folder: Path) -> None:
    """Lists of answers that an earlier start of the run kept."""
    for path in store.list(kept):
        name = path.removeprefix(f"{kept}/")
        if "/" not in name and (data := store.read(path)) is not None:
            (folder / name).write_bytes(data)


def _some(request: IngestRequest, *, scratch: Path, say: Say | None, passed_over: PassedOver) -> Iterator[str]:
    """Hrefs of the inputs, at most as many as were asked for."""
    found = discover(request.inputs, scratch=str(scratch), say=say, passed_over=passed_over)
    return islice(found, request.limit)


def _shared(href: str, scratch: Path, *, store: Store, kept: str) -> str:
    """An answer of a search under a name that all workers can open; other hrefs as they are."""
    answer = Path(href)
    if not answer.is_relative_to(scratch):
        return href
    path = f"{kept}/{answer.relative_to(scratch).as_posix()}"
    if answer.exists():  # not of an answer that was kept before
        store.put(answer, path)
    return f"{store.root}/{path}"


def question(request: IngestRequest, store: Store, *, href: str = "", files: str | None = None) -> Ingest:
    """What a worker's child is asked of a scene, and how long the names of files in the output may be."""
    return Ingest(
        href=href,
        files=files,
        pipeline=request.pipeline_json,
        strip_rows=request.strip_rows,
        names=name_limits(store).plain(),
        terms=request.terms.to_plain(),
    )


def inputs_read(progress: StageProgress | None, *, scenes: int) -> Progress | None:
    """What counts tasks, told as inputs: each task reads as many."""
    if progress is None:
        return None
    return lambda done, total: progress(INPUTS, done * scenes // max(total, 1), scenes)


def tasks_for(scenes: int, *, cores: int) -> int:
    """Tasks to spread an ingest over."""
    return min(max(-(-scenes // _PER_TASK), min(scenes, cores)), _MOST_TASKS)


def _reader(request: IngestRequest, store: Store, *, note: Note) -> Any:
    asked, limits = question(request, store), request.limits
    given, names, schema = KNOWN_INPUT.names, INGESTED.names, to_arrow_schema(INGESTED)

    def work(batches: "Iterable[pa.RecordBatch]") -> "Iterable[pa.RecordBatch]":
        for batch in batches:
            rows = []
            for number, href, files in zip(*(batch.column(name).to_pylist() for name in given), strict=True):
                own = replace(asked, href=href, files=files)
                answer = answer_json(own.to_plain(), limits)
                note(own.to_plain(), answer)
                place = {"n": number, "href": href, "block": number // BLOCK_SCENES}
                rows += [keepable({**columns, **place}) for columns in rows_of(answer_to(own, answer), names)]
            yield from table_of(rows, schema).to_batches()
        forget_zips()

    return work


def name_of(scene_id: str | None, href: str, *, stage: str = "") -> str:
    """The scene's id; without one the last part of its href, or all of it when not even its kind is known."""
    if not scene_id and stage == DISCOVER:
        return href
    return scene_id or href.rstrip("/").rsplit("/", 1)[-1]


def name_of_row(row: Row, *, stage: str = "") -> str:
    """The scene's name of a row of a plan, with the tile that the row is about; see ``name_of``."""
    href, tile = split_href(row["href"])
    name = name_of(row["scene_id"], href, stage=stage)
    return f"{name}_{tile}" if tile else name
