"""The rows of a stored plan: read by Spark from its files, or held by the driver where they are few."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from swath.engine.scene_tiles import on_tile, split_href
from swath.ledger.delta import NeedsSparkError
from swath.ledger.schemas import INGESTED, PLANNED
from swath.runs.decide import MAKE, REFUSED
from swath.runs.ingest import run_path
from swath.stores.base import Store


class PlanRows(Protocol):
    """Rows of a plan, and the scenes that it was made of."""

    def counts(self) -> list[Row]:
        """Number of rows (``scenes``) and sum of ``assets`` by ``status``, ``wave`` and ``block``."""
        ...

    def of_wave(self, number: int, *, block: int) -> list[Row]:
        """Rows to make in a wave, in order, each with its ``scene``."""
        ...

    def of_status(self, *statuses: str, most: int) -> list[Row]:
        """The first rows of some statuses, in order."""
        ...

    def scenes_aside(self) -> tuple[int, int]:
        """How many scenes need nothing, and of how many nothing can be made: those without a product to make."""
        ...

    def partly_refused(self) -> frozenset[int]:
        """Numbers ``n`` of the scenes with products to make in some tiles and refused ones in others."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFrames:
    """The files of a plan as DataFrames.

    Args:
        spark: The session; None where there is none, and no DataFrame either.
        store: Store of the plan.
        run_id: Id of the run.
    """

    spark: SparkSession | None
    store: Store
    run_id: str

    @property
    def rows(self) -> DataFrame:
        """All rows of the plan, with the columns of ``PLANNED``.

        Raises:
            NeedsSparkError: There is no session.
        """
        return self._read("plan", PLANNED)

    @property
    def ingested(self) -> DataFrame:
        """What the plan was made of, with the columns of ``INGESTED``.

        Raises:
            NeedsSparkError: There is no session.
        """
        return self._read("ingested", INGESTED)

    def with_scenes(self, rows: DataFrame) -> list[Row]:
        """Collect a bounded part of the plan, in order, each row with its ``scene``."""
        found = rows.orderBy("n", "product_id").collect()
        if not found:
            return []
        here = F.col("block").isin(sorted({r["block"] for r in found})) & F.col("n").isin([r["n"] for r in found])
        scenes = {r["n"]: r["scene"] for r in self.ingested.filter(here).select("n", "scene").collect()}
        # A row is let go as its copy is made: a wave has thousands.
        for place, row in enumerate(found):
            found[place] = Row(**row.asDict(), scene=_scene(scenes, row))
        return found

    def _read(self, part: str, schema: StructType) -> DataFrame:
        if self.spark is None:
            raise NeedsSparkError
        return self.spark.read.schema(schema).parquet(self.store.spark_path(run_path(self.run_id, part)))


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows that Spark reads when they are asked for.

    Args:
        frames: Files of the plan.
    """

    frames: StoredFrames

    def counts(self) -> list[Row]:
        """See ``PlanRows``."""
        sums = [F.count("n").alias("scenes"), F.sum("assets").alias("assets")]
        return self.frames.rows.groupBy("status", "wave", "block").agg(*sums).collect()

    def of_wave(self, number: int, *, block: int) -> list[Row]:
        """See ``PlanRows``."""
        # The block is a folder: the rest of the plan is not opened.
        here = (F.col("block") == block) & (F.col("wave") == number) & (F.col("status") == MAKE)
        return self.frames.with_scenes(self.frames.rows.filter(here))

    def of_status(self, *statuses: str, most: int) -> list[Row]:
        """See ``PlanRows``."""
        return self.frames.rows.filter(F.col("status").isin(*statuses)).orderBy("n", "product_id").limit(most).collect()

    def scenes_aside(self) -> tuple[int, int]:
        """See ``PlanRows``."""
        flags = [F.max(F.col("status") == status).alias(status) for status in (MAKE, REFUSED)]
        scenes = self.frames.rows.groupBy("n").agg(*flags).filter(~F.col(MAKE))
        counted = {r[REFUSED]: r["count"] for r in scenes.groupBy(REFUSED).count().collect()}
        return counted.get(False, 0), counted.get(True, 0)

    def partly_refused(self) -> frozenset[int]:
        """See ``PlanRows``."""
        # Few scenes are refused in a tile alone; those that are refused whole stay with Spark.
        rows = self.frames.rows.select("n", "status")
        refused = rows.filter(F.col("status") == REFUSED).select("n").distinct()
        found = rows.filter(F.col("status") == MAKE).join(refused, "n", "left_semi").select("n").distinct()
        return frozenset(r["n"] for r in found.collect())


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRows:
    """Rows that the driver holds.

    Args:
        rows: Rows with the columns of ``PLANNED``, in order.
        scenes: Scenes by ``n``.
    """

    rows: Sequence[Row]
    scenes: Mapping[int, str]

    def counts(self) -> list[Row]:
        """See ``PlanRows``."""
        scenes: Counter[tuple[str, int, int]] = Counter()
        assets: Counter[tuple[str, int, int]] = Counter()
        for row in self.rows:
            place = (row["status"], row["wave"], row["block"])
            scenes[place] += 1
            assets[place] += row["assets"] or 0
        return [Row(status=p[0], wave=p[1], block=p[2], scenes=number, assets=assets[p]) for p, number in scenes.items()]

    def of_wave(self, number: int, *, block: int) -> list[Row]:
        """See ``PlanRows``."""
        rows = (r for r in self.rows if (r["status"], r["wave"], r["block"]) == (MAKE, number, block))
        return [Row(**r.asDict(), scene=_scene(self.scenes, r)) for r in rows]

    def of_status(self, *statuses: str, most: int) -> list[Row]:
        """See ``PlanRows``."""
        return [r for r in self.rows if r["status"] in statuses][:most]

    def scenes_aside(self) -> tuple[int, int]:
        """See ``PlanRows``."""
        statuses: dict[int, set[str]] = {}
        for row in self.rows:
            statuses.setdefault(row["n"], set()).add(row["status"])
        aside = [found for found in statuses.values() if MAKE not in found]
        refused = sum(REFUSED in found for found in aside)
        return len(aside) - refused, refused

    def partly_refused(self) -> frozenset[int]:
        """See ``PlanRows``."""
        made, refused = ({r["n"] for r in self.rows if r["status"] == status} for status in (MAKE, REFUSED))
        return frozenset(made & refused)


def _scene(scenes: Mapping[int, str], row: Row) -> str:
    """The scene of a row, as the source of its tile."""
    return on_tile(scenes[row["n"]], split_href(row["href"])[1])
