"""New scene versions into the table ``scenes``: each version once, as the first row that has it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from swath.ledger.arrow_rows import table_of
from swath.ledger.schemas import INGESTED, SCENES
from swath.ledger.tables import AppendedRows, Tables
from swath.runs.own_fate import scene_row

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Json = Mapping[str, Any]
#: Scenes for one file of the table.
_PER_FILE = 50_000


def remember(ingested: Sequence[Json], *, known: Iterable[Json], tables: Tables, run_id: str) -> int:
    """Add the scene versions that the table does not have yet.

    Args:
        ingested: Rows of ``INGESTED``, in order.
        known: ``scene_id`` and ``digest`` of the versions of these scenes that the table has.
        tables: Tables of the output.
        run_id: Id of the run.

    Returns:
        Number of versions that were added.
    """
    there = {(r["scene_id"], r["digest"]) for r in known}
    versions = {(r["scene_id"], r["scene_digest"]): r for r in reversed(ingested) if r["scene_digest"] is not None}
    fresh = sorted((r for version, r in versions.items() if version not in there), key=lambda r: r["n"])
    return _append([scene_row(r, run_id=run_id) for r in fresh], number=len(fresh), tables=tables, run_id=run_id)


def remember_frame(ingested: DataFrame, *, tables: Tables, run_id: str) -> int:
    """See ``remember``; of a million rows only keys are moved.

    Args:
        ingested: Rows of ``INGESTED``.
        tables: Tables of the output.
        run_id: Id of the run.

    Returns:
        Number of versions that were added.
    """
    known = tables.read("scenes", SCENES, columns=["scene_id", "digest"]).withColumnRenamed("digest", "scene_digest")
    usable = ingested.filter(F.col("scene_digest").isNotNull()).groupBy("scene_id", "scene_digest").agg(F.min("n").alias("n"))
    # Scenes themselves are touched for new ones only: deciding on a million keys is cheap, moving a million scenes is not.
    fresh = usable.join(known, ["scene_id", "scene_digest"], "left_anti").select("n")
    # A scene in several tiles has a row for each.
    once = ingested.join(F.broadcast(fresh), "n", "left_semi").dropDuplicates(["n"]).select(*INGESTED.names)
    return _append(once.mapInArrow(_rows(run_id), schema=SCENES), number=fresh.count(), tables=tables, run_id=run_id)


def _append(rows: AppendedRows, *, number: int, tables: Tables, run_id: str) -> int:
    if number:
        tables.append("scenes", rows, schema=SCENES, run_id=run_id, wave=0, files=-(-number // _PER_FILE))
    return number


def _rows(run_id: str) -> Any:
    schema = to_arrow_schema(SCENES)

    def work(batches: "Iterable[pa.RecordBatch]") -> "Iterable[pa.RecordBatch]":
        for batch in batches:
            rows = (scene_row(row, run_id=run_id) for row in batch.to_pylist())
            yield from table_of([dict(zip(SCENES.names, row, strict=True)) for row in rows], schema).to_batches()

    return work
