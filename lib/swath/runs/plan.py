"""A run's plan: which product of which scene, in which wave; made once, stored, and read ever after."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from swath.ledger.schemas import INGESTED, PLANNED
from swath.runs.ingest import BLOCK_SCENES
from swath.runs.request import RunRequest
from swath.runs.versions import CLASH, STAGE, latest_versions_of, with_choice

#: What the plan says of a row.
MAKE, MADE, DUPLICATE, REFUSED = "make", "made", "duplicate", "refused"
STATUSES = (MAKE, MADE, DUPLICATE, REFUSED)
#: What a plan must know of the ledger's products.
KNOWN_OF_PRODUCTS = ("product_id", "product_key", "made", "scene_id", "scene_digest")
#: Rows that need no work are told one by one up to this many of each kind; the account counts all of them.
TOLD = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Rows of a plan that need no work.

    Args:
        skipped: Scenes that are there already, or were given twice.
        refused: Scenes that nothing can be made of.
        assets_skipped: Assets of the former.
        assets_refused: Assets of the latter.
        told: The first ``TOLD`` rows of each kind.
        all_refused: Every refused row, where ``told`` does not hold all of them.
        all_skipped: Every skipped row, where ``told`` does not hold all of them.
    """

    skipped: int = 0
    refused: int = 0
    assets_skipped: int = 0
    assets_refused: int = 0
    told: list[Row] = field(default_factory=list)
    all_refused: DataFrame | None = None
    all_skipped: DataFrame | None = None

    def refused_rows(self) -> Iterator[Row]:
        """Every refused row: each becomes a row of the quarantine."""
        if self.all_refused is not None:
            yield from self.all_refused.toLocalIterator()
        else:
            yield from (r for r in self.told if r["status"] == REFUSED)

    def skipped_rows(self) -> Iterator[Row]:
        """Every row that needs nothing."""
        if self.all_skipped is not None:
            yield from self.all_skipped.toLocalIterator()
        else:
            yield from (r for r in self.told if r["status"] != REFUSED)


class Plan:
    """A stored plan.

    Args:
        rows: Rows with the columns of ``PLANNED``.
        ingested: What it was made of: the scenes.
    """

    def __init__(self, rows: DataFrame, *, ingested: DataFrame) -> None:
        self._rows = rows
        self._ingested = ingested

    @property
    def rows(self) -> DataFrame:
        """All rows."""
        return self._rows

    @property
    def ingested(self) -> DataFrame:
        """What it was made of."""
        return self._ingested

    @cached_property
    def _counts(self) -> list[Row]:
        sums = [F.count("n").alias("scenes"), F.sum("assets").alias("assets")]
        return self.rows.groupBy("status", "wave", "block").agg(*sums).collect()

    @property
    def waves(self) -> list[int]:
        """Numbers of its waves; wave 0 is always there, because it carries what needs no work."""
        return sorted({r["wave"] for r in self._counts if r["status"] == MAKE} | {0})

    def scenes(self, *statuses: str) -> int:
        """How many rows have one of the statuses."""
        return sum(r["scenes"] for r in self._counts if r["status"] in statuses)

    def products(self, wave: int) -> int:
        """How many products a wave makes."""
        return sum(r["scenes"] for r in self._counts if r["status"] == MAKE and r["wave"] == wave)

    def wave(self, number: int) -> list[Row]:
        """Rows to make in a wave, in order, each with its ``scene``."""
        block = next((r["block"] for r in self._counts if r["status"] == MAKE and r["wave"] == number), None)
        if block is None:
            return []
        # The block is a folder: the rest of the plan is not opened.
        here = (F.col("block") == block) & (F.col("wave") == number) & (F.col("status") == MAKE)
        return self.with_scenes(self.rows.filter(here))

    def to_make(self, *, most: int) -> list[Row]:
        """The first rows to make, in order."""
        return self.rows.filter(F.col("status") == MAKE).orderBy("n").limit(most).collect()

    def with_scenes(self, rows: DataFrame) -> list[Row]:
        """Collect a bounded part of the plan, in order, each row with its ``scene``."""
        found = rows.orderBy("n").collect()
        if not found:
            return []
        here = F.col("block").isin(sorted({r["block"] for r in found})) & F.col("n").isin([r["n"] for r in found])
        scenes = {r["n"]: r["scene"] for r in self.ingested.filter(here).select("n", "scene").collect()}
        return [Row(**r.asDict(), scene=scenes[r["n"]]) for r in found]

    def aside(self) -> Aside:
        """What needs no work."""
        return Aside(
            skipped=self.scenes(MADE, DUPLICATE),
            refused=self.scenes(REFUSED),
            assets_skipped=self._assets(MADE, DUPLICATE),
            assets_refused=self._assets(REFUSED),
            told=[*self._told(REFUSED), *self._told(MADE, DUPLICATE)],
            all_refused=self._all(REFUSED) if self.scenes(REFUSED) > TOLD else None,
            all_skipped=self._all(MADE, DUPLICATE) if self.scenes(MADE, DUPLICATE) > TOLD else None,
        )

    def _all(self, *statuses: str) -> DataFrame:
        return self.rows.filter(F.col("status").isin(*statuses))

    def _assets(self, *statuses: str) -> int:
        return sum(r["assets"] or 0 for r in self._counts if r["status"] in statuses)

    def _told(self, *statuses: str) -> list[Row]:
        if not self.scenes(*statuses):
            return []
        return self.rows.filter(F.col("status").isin(*statuses)).orderBy("n").limit(TOLD).collect()


def waves_per_block(wave_products: int) -> int:
    """Waves stay within a block of scenes, so that a wave reads one folder of the plan."""
    return -(-BLOCK_SCENES // wave_products)


def write_plan(planned: DataFrame, *, path: str) -> None:
    """Store a plan, a folder a block."""
    planned.write.mode("overwrite").partitionBy("block").parquet(path)


def decide(ingested: DataFrame, products: DataFrame, *, scenes: DataFrame, wave_products: int) -> DataFrame:
    """Say of each row what becomes of it, and in which wave. Scenes themselves are not touched: a million rows stay small.

    Args:
        ingested: Rows of ``INGESTED``.
        products: Products of the ledger.
        scenes: Scenes of the ledger.
        wave_products: Products that commit together.

    Returns:
        Rows of ``PLANNED``.
    """
    # The latest version counts: who goes back to an earlier model gets an item that says so, made of files that are there.
    latest = products.groupBy("product_id").agg(F.max_by("product_key", "made").alias("latest"))
    slim = ingested.select(*[n for n in INGESTED.names if n in PLANNED.names], "processed")
    rows = slim.join(latest, "product_id", "left")
    rows = with_choice(rows.join(latest_versions_of(products, scenes, ingested=slim), "scene_id", "left"))
    copy = Window.partitionBy("product_id", "usable", "same").orderBy("n")
    rows = (
        rows.withColumn("copy", F.when(F.col("usable"), F.row_number().over(copy)).otherwise(1))
        .withColumn(
            "status",
            F.when(F.col("error_class").isNotNull() | ~F.col("same"), REFUSED)
            .when(F.col("copy") > 1, DUPLICATE)
            .when(F.col("latest") == F.col("product_key"), MADE)
            .otherwise(MAKE),
        )
        .withColumn("again", F.col("latest").isNotNull())
    )
    rows = (
        rows.withColumn("message", F.when(~F.col("same"), F.col("clash")).otherwise(F.col("message")))
        .withColumn(
            "message",
            F.when((F.col("status") == MAKE) & F.col("replaces").isNotNull(), F.col("replaces")).otherwise(F.col("message")),
        )
        .withColumn("stage", F.when(~F.col("same"), STAGE).otherwise(F.col("stage")))
        .withColumn("error_class", F.when(~F.col("same"), CLASH).otherwise(F.col("error_class")))
    )
    # Waves are counted within a block: nobody sorts, or counts first, a million rows.
    place = F.row_number().over(Window.partitionBy("block", "status").orderBy("n")) - 1
    wave = F.col("block").cast("long") * waves_per_block(wave_products) + F.floor(place / wave_products)
    return rows.withColumn("wave", F.when(F.col("status") == MAKE, wave).otherwise(F.lit(0)).cast("long")).select(*PLANNED.names)


def spec_of(request: RunRequest) -> str:
    """The request as JSON, for the ledger."""
    return json.dumps(request.spec, sort_keys=True)
