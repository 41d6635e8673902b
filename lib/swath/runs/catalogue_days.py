"""The static catalogue of the days that changed, rewritten from the ledger."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date
from typing import Any

from pyspark.sql import functions as F

from swath.ledger.schemas import PRODUCTS
from swath.ledger.tables import Tables
from swath.sinks.stac.catalog import CatalogRow, rebuild
from swath.stores.base import Store

_COLUMNS = ["collection", "acquired", "product_id", "item", "bbox", "platform"]


def rebuild_days(tables: Tables, store: Store, *, touched: Iterable[tuple[str, date]]) -> tuple[str, ...]:
    """Rewrite days and everything above them; a day without products any more disappears.

    Args:
        tables: Tables of the output.
        store: The output.
        touched: Collections and days.

    Returns:
        The catalogue files that were written.
    """
    wanted = set(touched)
    rows: Sequence[Any] | None = tables.small("products", PRODUCTS, columns=_COLUMNS)
    if rows is None:
        rows = (
            tables.read("products", PRODUCTS, columns=_COLUMNS, where={"collection": sorted({c for c, _ in wanted})})
            .filter(F.to_date("acquired").isin(sorted({d for _, d in wanted})))
            .dropDuplicates(["product_id"])
            .collect()
        )
    products = {r["product_id"]: catalog_row(r) for r in rows}
    return rebuild([r for r in products.values() if (r.collection, r.day) in wanted], store=store, touched=wanted)


def catalog_row(row: Any) -> CatalogRow:
    """A row of ``products`` as the catalogue wants it."""
    west, south, east, north = row["bbox"][:4]
    return CatalogRow(
        collection=row["collection"],
        # The session's time zone is UTC, and Spark hands naive local times to Python: made aware by the driver's zone.
        acquired=row["acquired"].astimezone(UTC),
        product_id=row["product_id"],
        href=row["item"],
        bbox=(west, south, east, north),
        platform=row["platform"],
    )
