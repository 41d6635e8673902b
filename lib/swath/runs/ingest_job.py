"""``swath ingest``: scenes into the ``scenes`` table alone, and what is said of those that cannot be kept."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from swath.ledger.open import open_tables
from swath.ledger.rows import row_of
from swath.ledger.schemas import INGESTED, QUARANTINE
from swath.ledger.tables import Tables
from swath.lineage.emit import lineage_of
from swath.lineage.job import DatasetVersion, LineageJob, Touched, placed
from swath.readers.passed_over import PassedOver
from swath.readers.stac.search import Say
from swath.redaction import redacted
from swath.runs.ingest import IngestRequest, StageProgress, find_scenes, ingest, name_of, not_scenes, run_path
from swath.runs.ingest_clashes import Clash, decisions_of
from swath.runs.remember import remember_frame
from swath.runs.versions import CLASH, STAGE
from swath.stores.base import Store
from swath.stores.lock import commit_lock, output_lock
from swath.stores.registry import open_store

#: Refused scenes that are reported one by one.
TOLD: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What taking in scenes did: found = added + known + duplicate + refused.

    Args:
        run_id: Id of the run.
        found: Scenes in.
        added: Versions that ``scenes`` did not have.
        known: Versions that it had.
        duplicate: Scenes that came twice.
        not_scenes: Files that are no scene.
        refused: Name, class, message and stage of each scene that is not kept.
        replaced: Scenes that newer versions replace, in words.
    """

    run_id: str
    found: int
    added: int
    known: int
    duplicate: int
    not_scenes: PassedOver
    refused: tuple[tuple[str, str, str, str], ...]
    replaced: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "run_id": self.run_id, "scenes_in": self.found, "added": self.added, "known": self.known,
            "duplicate": self.duplicate, "not_scenes": self.not_scenes.plain(), "quarantined": len(self.refused),
            "replaced": list(self.replaced),
            "quarantine": [{"scene_id": s, "error": e, "message": m, "stage": w} for s, e, m, w in self.refused],
        }  # fmt: skip


def ingest_job(
    spark: SparkSession,
    request: IngestRequest,
    *,
    output: str,
    say: Say | None = None,
    progress: StageProgress | None = None,
) -> Ingested:
    """Take scenes into the ``scenes`` table; those that cannot be used go to ``quarantine``.

    Of several deliveries of one id one is kept, by the rule of ``runs.versions``; the others are clashes.

    Args:
        spark: The session.
        request: Inputs and terms of the ingest.
        output: Root of the tables.
        say: Hears of the progress of a search, and how many scenes there are.
        progress: Told how many of how many inputs are read.

    Raises:
        ConfigError: An input does not exist or holds no scene.
        LockError: Another run holds the output.
    """
    job = LineageJob(kind="ingest", name="scenes", run_id=request.run_id, output=output, engine=("Spark", spark.version))
    with lineage_of(job, say=say or (lambda _: None)) as lineage:
        done = _ingest(spark, request, output=output, say=say, progress=progress, began=lineage.begin)
        lineage.touched(_touched(request, done, output=output))
        return done


def _touched(request: IngestRequest, done: Ingested, *, output: str) -> Touched:
    """The inputs as the user named them; the table of scenes, as this run left it."""
    namespace, root = placed(output)
    places = [placed(redacted(i)) for i in request.inputs]
    return Touched(
        inputs=tuple(DatasetVersion(namespace=n, name=name, version=request.run_id) for n, name in places),
        outputs=(DatasetVersion(namespace=namespace, name=f"{root.rstrip('/')}/tables/scenes", version=request.run_id),),
        counts={"in": done.found, "made": done.added, "skipped": done.known + done.duplicate, "quarantined": len(done.refused)},
    )


def _ingest(
    spark: SparkSession,
    request: IngestRequest,
    *,
    output: str,
    say: Say | None,
    progress: StageProgress | None,
    began: Callable[[], None],
) -> Ingested:
    store = open_store(output)
    with output_lock(store, run_id=request.run_id), closing(commit_lock(store, run_id=request.run_id)) as lock:
        began()
        tables = open_tables(spark, store, lock=lock)
        looked = _looked(store, request, say=say)
        rows = ingest(spark, store, request=request, tables=tables, found=looked, progress=progress)
        decisions = decisions_of(rows, tables=tables)
        clashes = decisions.clashes
        kept = _without(rows, [c.n for c in clashes])
        added = remember_frame(kept, tables=tables, run_id=request.run_id)
        refused = _refused(rows, clashes=clashes)
        _quarantine(refused, tables=tables, run_id=request.run_id)
        usable = kept.filter(F.col("error_class").isNull())
        found, good = rows.count(), usable.count()
        distinct = usable.select("scene_id", "scene_digest").distinct().count()
        # Nothing is planned by it.
        store.delete_tree(run_path(request.run_id, "ingested"))
        return Ingested(
            run_id=request.run_id,
            found=found,
            added=added,
            known=distinct - added,
            duplicate=good - distinct,
            refused=tuple((r.name, r.error_class, r.message, r.stage) for r in refused),
            replaced=tuple(redacted(text) for text in decisions.replaced),
            not_scenes=not_scenes(store, request.run_id),
        )


def _looked(store: Store, request: IngestRequest, *, say: Say | None) -> list[tuple[int, str]] | None:
    """Number and href of every scene; None where an earlier start of the ingest has read them."""
    if store.size(run_path(request.run_id, "ingested/_SUCCESS")) is not None:
        return None
    found = find_scenes(store, request, say=say)
    if say is not None:
        say(f"{len(found)} scenes found: reading their metadata and taking their digests")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    name: str
    href: str
    stage: str
    error_class: str
    message: str


def _refused(rows: DataFrame, *, clashes: Sequence[Clash]) -> list[_Refusal]:
    """Scenes that cannot be used, and deliveries of which another is kept."""
    found = [
        _Refusal(
            name=name_of(r["scene_id"], r["href"], stage=r["stage"]),
            href=r["href"],
            stage=r["stage"],
            error_class=r["error_class"],
            message=r["message"],
        )
        for r in rows.filter(F.col("error_class").isNotNull()).limit(TOLD).collect()
    ]
    clashing = [
        _Refusal(name=c.scene_id, href=c.href, stage=STAGE, error_class=CLASH, message=redacted(c.message)) for c in clashes
    ]
    return found + clashing


def _quarantine(refused: Sequence[_Refusal], *, tables: Tables, run_id: str) -> None:
    now = datetime.now(UTC)
    rows = [
        row_of(
            QUARANTINE,
            run_id=run_id,
            wave=0,
            scene_id=r.name,
            href=r.href,
            pipeline="",
            stage=r.stage,
            error_class=r.error_class,
            message=r.message,
            attempts=1,
            retry=r.href,
            at=now,
        )
        for r in refused
    ]
    tables.append("quarantine", rows, schema=QUARANTINE, run_id=run_id, wave=0)


def _without(rows: DataFrame, numbers: Sequence[int]) -> DataFrame:
    """Rows without those of the given numbers."""
    if not numbers:
        return rows
    taken_out = rows.sparkSession.createDataFrame([(n,) for n in numbers], "n long")
    return rows.join(F.broadcast(taken_out), "n", "left_anti").select(*INGESTED.names)
