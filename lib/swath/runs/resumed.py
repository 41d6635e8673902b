"""What earlier executions of a run decided: it is reported again, and never decided a second time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from swath.engine.child.parent import STORE
from swath.engine.messages import Published
from swath.product import AssetRecord
from swath.runs.decide import MAKE
from swath.runs.plan import Plan
from swath.runs.work import Finished, ProductWork, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a wave was committed before its run was cut short: the wave does not exist yet, its rows do.

    A commit covers one table and is not repeated, so these rows stay. A scene that was refused in them is not tried
    again by this run: it would be made and in quarantine at once.

    Args:
        products: Rows by product id.
        quarantine: Rows by href.
    """

    products: Mapping[str, Row] = field(default_factory=dict)
    quarantine: Mapping[str, Row] = field(default_factory=dict)

    def work(self, row: Row) -> ProductWork | None:
        """What became of a row of the plan; None when that is open."""
        if row["product_id"] in self.products:
            return made_work(row, self.products[row["product_id"]])
        refused = self.quarantine.get(row["href"])
        return ProductWork(row=row, refusal=Refusal.of_row(refused)) if refused is not None else None


def standing(products: DataFrame, quarantine: DataFrame, *, waves: set[int]) -> dict[int, Standing]:
    """State of waves that do not exist, by wave.

    Args:
        products: Rows of the run.
        quarantine: Rows of the run.
        waves: Those that exist.
    """
    cut_short = ~F.col("wave").isin(sorted(waves)) if waves else F.lit(True)
    made, refused = products.filter(cut_short).collect(), quarantine.filter(cut_short).collect()
    return {
        wave: Standing(
            products={r["product_id"]: r for r in made if r["wave"] == wave},
            # A store that was away is no scene's fault: such a scene is tried again.
            quarantine={r["href"]: r for r in refused if r["wave"] == wave and r["error_class"] != STORE},
        )
        for wave in {r["wave"] for r in (*made, *refused)}
    }


def made_before(plan: Plan, products: DataFrame) -> list[ProductWork]:
    """Products that an earlier execution of the run committed.

    Args:
        plan: Plan of the run.
        products: Rows of ``products``, few enough for the driver.
    """
    rows = {r["product_id"]: r for r in products.collect()}
    planned = plan.with_scenes(plan.rows.filter((F.col("status") == MAKE) & F.col("product_id").isin(list(rows))))
    return [made_work(row, rows[row["product_id"]]) for row in planned]


def made_work(row: Row, made: Row) -> ProductWork:
    """A product of the ledger as if it had been made just now.

    Args:
        row: Row of the plan, with its scene.
        made: Value of ``products.made``.
    """
    published = Published(
        item=made["item"],
        bbox=list(made["bbox"]),
        pictures=dict(made["pictures"]),
        collection=made["collection"],
        left_out=dict(made["left_out"]),
        facts=json.loads(made["facts"]),
        acquired=made["acquired"].isoformat(),
        platform=made["platform"],
        reduced={},
        shares={},
    )
    records = [AssetRecord.from_plain(r).bare() for r in json.loads(made["records"])]
    work = ProductWork.of(row)
    work.made = Finished(published=published, records=records, ledger=made["records"])
    return work


def lost_before(plan: Plan, quarantine: DataFrame) -> list[ProductWork]:
    """Products that an earlier execution of the run lost on their way."""
    lost = quarantine.join(plan.rows.filter(F.col("status") == MAKE).select("n", "href"), "href").collect()
    works = [ProductWork(row=row, refusal=Refusal.of_row(row)) for row in sorted(lost, key=lambda r: r["n"])]
    return list({(w.row["n"], w.row["href"]): w for w in works}.values())
