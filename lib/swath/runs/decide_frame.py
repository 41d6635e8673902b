"""What becomes of a million rows: the rule of ``runs.decide``, applied by Spark."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from swath.ledger.arrow_rows import table_of
from swath.ledger.schemas import INGESTED, PLANNED
from swath.runs.decide import MAKE, Json, decide_product, planned_row, product_group, wave_of
from swath.runs.versions import SceneVersion, latest_versions_of

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

#: What Spark brings together for each row: the key of the ledger's product, and what products of its scene were made from.
_STANDING: Final = ("latest", "standing", "standing_href", "standing_processed", "standing_moments")
#: Rows of an Arrow batch that a task hands back.
_BATCH: Final = 10_000


def decide_frame(ingested: DataFrame, products: DataFrame, *, scenes: DataFrame, wave_products: int) -> DataFrame:
    """See ``decide``. Scenes themselves are not touched, so that rows stay small.

    Args:
        ingested: Rows of ``INGESTED``.
        products: Products of the ledger.
        scenes: Scenes of the ledger.
        wave_products: Products that commit together.

    Returns:
        Rows of ``PLANNED``.
    """
    # The latest version counts: a run with an earlier model makes an item that says so, of files that exist.
    latest = products.groupBy("product_id").agg(F.max_by("product_key", "made").alias("latest"))
    slim = ingested.select(*[n for n in INGESTED.names if n in PLANNED.names], "processed", "moments", "tile")
    rows = slim.join(latest, "product_id", "left").join(latest_versions_of(products, scenes, ingested=slim), "scene_id", "left")
    # The rows of a product come to one task, one after the other: see ``product_group``.
    group = F.coalesce("product_id", "href")
    rows = rows.withColumn("group", group).repartition("group").sortWithinPartitions("group", "n")
    columns = StructType([f for f in PLANNED.fields if f.name != "wave"])
    rows = rows.mapInArrow(_decider(columns), schema=columns)
    # Waves are counted within a block: a million rows are neither sorted nor counted first.
    place = F.dense_rank().over(Window.partitionBy("block", "status").orderBy("n")) - 1
    wave = wave_of(F.col("block").cast("long"), place, wave_products=wave_products, floor=F.floor)
    return rows.withColumn("wave", F.when(F.col("status") == MAKE, wave).otherwise(F.lit(0)).cast("long")).select(*PLANNED.names)


def _decider(columns: StructType) -> Any:
    schema = to_arrow_schema(columns)

    def planned(rows: "Iterable[pa.RecordBatch]") -> Iterator[Json]:
        single = (row for batch in rows for row in batch.to_pylist())
        for _, group in groupby(single, key=product_group):
            own = list(group)
            latest, standing, href, processed, moments = (own[0][name] for name in _STANDING)
            before = None
            if standing is not None:
                before = SceneVersion(digest=standing, href=href or "", processed=processed or "", moments=moments or "")
            for row, told in zip(own, decide_product(own, latest=latest, before=before), strict=True):
                yield planned_row(row, told)

    def work(batches: "Iterable[pa.RecordBatch]") -> "Iterable[pa.RecordBatch]":
        held: list[Json] = []
        for row in planned(batches):
            held.append(row)
            if len(held) == _BATCH:
                yield from table_of(held, schema).to_batches()
                held = []
        yield from table_of(held, schema).to_batches()

    return work
