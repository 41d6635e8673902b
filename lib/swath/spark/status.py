"""How an output stands: its runs, and what is in quarantine."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import functions as F

from swath.spark.schemas import PRODUCTS, RUNS
from swath.spark.standing import standing
from swath.spark.tables import Tables

#: Runs that are told, the newest first.
TOLD = 20
_SUMS = (
    "scenes_in", "made", "skipped", "quarantined", "assets_in", "assets_made", "assets_skipped", "assets_quarantined", "cpu_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run, all its waves together."""

    run_id: str
    pipeline: str
    site: str
    code: str
    waves: int
    balanced: bool
    started: datetime
    ended: datetime
    sums: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "run_id": self.run_id, "pipeline": self.pipeline, "site": self.site, "code": self.code, "waves": self.waves,
            "balanced": self.balanced, "started": self.started.isoformat(), "ended": self.ended.isoformat(), **self.sums,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStatus:
    """An output.

    Args:
        runs: The newest first.
        products: How many products it holds, by pipeline.
        quarantine: How many scenes stand in quarantine, by pipeline and error class.
    """

    runs: tuple[RunRow, ...]
    products: dict[str, int]
    quarantine: dict[tuple[str, str], int]

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        standing_rows = [{"pipeline": p, "error": e, "scenes": n} for (p, e), n in self.quarantine.items()]
        return {"runs": [r.plain() for r in self.runs], "products": self.products, "quarantine": standing_rows}


def output_status(tables: Tables, *, run_id: str | None = None) -> OutputStatus:
    """Read it from the ledger.

    Args:
        tables: Of the output.
        run_id: Only this run; the quarantine is then what it left and still stands.
    """
    runs, refused = tables.read("runs", RUNS, columns=[n for n in RUNS.names if n != "spec"]), standing(tables)
    if run_id is not None:
        runs, refused = runs.filter(F.col("run_id") == run_id), refused.filter(F.col("run_id") == run_id)
    firsts = [F.first(n).alias(n) for n in ("pipeline", "site", "code")]
    sums = [F.sum(n).alias(n) for n in _SUMS]
    times = [F.min("started").alias("started"), F.max("ended").alias("ended")]
    told = runs.groupBy("run_id").agg(F.count("wave").alias("waves"), F.min("balanced").alias("balanced"), *firsts, *sums, *times)
    products = (
        tables.read("products", PRODUCTS, columns=["pipeline", "product_id"])
        .groupBy("pipeline")
        .agg(F.countDistinct("product_id").alias("n"))
    )
    stands = refused.groupBy("pipeline", "error_class").count().orderBy("pipeline", "error_class")
    return OutputStatus(
        runs=tuple(_run(r) for r in told.orderBy(F.col("started").desc()).limit(TOLD).collect()),
        products={r["pipeline"]: r["n"] for r in products.orderBy("pipeline").collect()},
        quarantine={(r["pipeline"], r["error_class"]): r["count"] for r in stands.collect()},
    )


def _run(row: Any) -> RunRow:
    return RunRow(
        run_id=row["run_id"], pipeline=row["pipeline"], site=row["site"], code=row["code"], waves=row["waves"],
        balanced=row["balanced"], started=row["started"].astimezone(UTC), ended=row["ended"].astimezone(UTC),
        sums={n: row[n] for n in _SUMS},
    )  # fmt: skip
