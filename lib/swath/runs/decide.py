"""What becomes of each row of a run: one rule, for the rows of few scenes on the driver and for a million of them in Spark."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from swath.engine.scene_tiles import tiled_href
from swath.ledger.arrow_rows import table_of
from swath.ledger.schemas import INGESTED, PLANNED
from swath.runs.ingest import BLOCK_SCENES
from swath.runs.own_fate import refusal
from swath.runs.versions import CLASH, STAGE, SceneVersion, chosen, clash_message, latest_versions_of, replaced_message

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Json = Mapping[str, Any]
#: What the plan says of a row.
MAKE, MADE, DUPLICATE, REFUSED = "make", "made", "duplicate", "refused"
STATUSES = (MAKE, MADE, DUPLICATE, REFUSED)
#: What Spark brings together for each row: the key of the ledger's product, and what products of its scene were made from.
_STANDING: Final = ("latest", "standing", "standing_href", "standing_processed", "standing_moments")
#: Rows of an Arrow batch that a task hands back.
_BATCH: Final = 10_000


def decide_few(
    ingested: Sequence[Json], products: Sequence[Json], *, versions: Mapping[str, SceneVersion], wave_products: int
) -> list[dict[str, Any]]:
    """What becomes of each row, and in which wave.

    Args:
        ingested: Rows of ``INGESTED``, in order.
        products: Products of the ledger: ids, keys, when they were made.
        versions: Sources of the ledger's products, by scene id.
        wave_products: Products that commit together.

    Returns:
        Rows of ``PLANNED``, in order.
    """
    latest = {r["product_id"]: r["product_key"] for r in sorted(products, key=lambda r: r["made"])}
    groups: defaultdict[str, list[Json]] = defaultdict(list)
    for row in ingested:
        groups[_group(row)].append(row)
    decided: dict[tuple[int, str | None], Json] = {}
    for rows in groups.values():
        told = decide_product(rows, latest=latest.get(rows[0]["product_id"]), before=versions.get(rows[0]["scene_id"]))
        decided |= {(row["n"], row["product_id"]): one for row, one in zip(rows, told, strict=True)}
    # Tiles of one scene commit together: its wave counts it once.
    places: defaultdict[int, dict[int, int]] = defaultdict(dict)
    planned = []
    for row in ingested:
        one, wave = decided[row["n"], row["product_id"]], 0
        if one["status"] == MAKE:
            place = places[row["block"]].setdefault(row["n"], len(places[row["block"]]))
            wave = row["block"] * waves_per_block(wave_products) + place // wave_products
        href = tiled_href(row["href"], row["tile"])
        planned.append({**{n: row.get(n) for n in PLANNED.names}, "href": href, "wave": wave, **one})
    return planned


def decide(ingested: DataFrame, products: DataFrame, *, scenes: DataFrame, wave_products: int) -> DataFrame:
    """The same for a million rows. Scenes themselves are not touched, so that rows stay small.

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
    # The rows of a product come to one task, one after the other.
    group = F.coalesce("product_id", "href")
    rows = rows.withColumn("group", group).repartition("group").sortWithinPartitions("group", "n")
    columns = StructType([f for f in PLANNED.fields if f.name != "wave"])
    rows = rows.mapInArrow(_decider(columns), schema=columns)
    # Waves are counted within a block: a million rows are neither sorted nor counted first.
    place = F.dense_rank().over(Window.partitionBy("block", "status").orderBy("n")) - 1
    wave = F.col("block").cast("long") * waves_per_block(wave_products) + F.floor(place / wave_products)
    return rows.withColumn("wave", F.when(F.col("status") == MAKE, wave).otherwise(F.lit(0)).cast("long")).select(*PLANNED.names)


def waves_per_block(wave_products: int) -> int:
    """Waves stay within a block of scenes, so that a wave reads one folder of the plan."""
    return -(-BLOCK_SCENES // wave_products)


def decide_product(rows: Sequence[Json], *, latest: str | None, before: SceneVersion | None) -> list[dict[str, Any]]:
    """What becomes of the rows of one product; an unexpected error refuses them alone.

    Args:
        rows: Rows of ``INGESTED`` with one product id, in order; or one row that has none.
        latest: Key of the ledger's latest version of the product; None where it has none.
        before: Sources of the ledger's products of the scene.

    Returns:
        For each row ``status`` and ``again``; of a clash its class, stage and message, of a replacement its message.
    """
    usable = [r for r in rows if r["error_class"] is None and r["product_id"] is not None]
    again = {"again": latest is not None}
    try:
        choice = chosen(usable, standing=before) if usable else None
        seen = False
        told: list[dict[str, Any]] = []
        for row in rows:
            one = _decided(
                row, choice=choice, before=before, there=latest is not None and latest == row["product_key"], seen=seen
            )
            seen |= one["status"] in {MAKE, MADE}
            told.append({**one, **again})
    except Exception as error:  # noqa: BLE001  whatever it is, it is this scene's
        refused = [refusal(error, row=row, stage=STAGE) if row["error_class"] is None else {} for row in rows]
        return [{"status": REFUSED, **why, **again} for why in refused]
    return told


def _decided(row: Json, *, choice: SceneVersion | None, before: SceneVersion | None, there: bool, seen: bool) -> dict[str, Any]:
    if row["error_class"] is not None or choice is None:
        return {"status": REFUSED}
    if row["scene_digest"] != choice.digest and not (there and choice == before):
        message = clash_message(row, other=choice)
        return {"status": REFUSED, "error_class": CLASH, "message": message, "stage": STAGE}
    if seen:
        return {"status": DUPLICATE}
    if there:
        return {"status": MADE}
    if before is not None and before.digest != choice.digest:
        return {"status": MAKE, "message": replaced_message(row, before=before)}
    return {"status": MAKE}


def _group(row: Json) -> str:
    """What rows of one product share; a row without a product is alone."""
    return str(row["product_id"] if row["product_id"] is not None else row["href"])


def _decider(columns: StructType) -> Any:
    schema, names = to_arrow_schema(columns), columns.names

    def planned(rows: "Iterable[pa.RecordBatch]") -> Iterator[Json]:
        single = (row for batch in rows for row in batch.to_pylist())
        for _, group in groupby(single, key=_group):
            own = list(group)
            latest, standing, href, processed, moments = (own[0][name] for name in _STANDING)
            before = None
            if standing is not None:
                before = SceneVersion(digest=standing, href=href or "", processed=processed or "", moments=moments or "")
            for row, told in zip(own, decide_product(own, latest=latest, before=before), strict=True):
                yield {**{n: row.get(n) for n in names}, "href": tiled_href(row["href"], row["tile"]), **told}

    def work(batches: "Iterable[pa.RecordBatch]") -> "Iterable[pa.RecordBatch]":
        held: list[Json] = []
        for row in planned(batches):
            held.append(row)
            if len(held) == _BATCH:
                yield from table_of(held, schema).to_batches()
                held = []
        yield from table_of(held, schema).to_batches()

    return work
