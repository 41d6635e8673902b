"""The static catalogue of the days that changed, rewritten from the ledger."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from swath.ledger.removed import removed_versions, standing_products, version_of
from swath.ledger.schemas import PRODUCTS
from swath.ledger.tables import Tables
from swath.sinks.stac.catalog import CatalogRow, rebuild
from swath.stores.base import Store

#: A collection and a day.
Day = tuple[str, date]
#: Rows that a driver holds at once: some 2 kB each.
_AT_ONCE = 20_000
_COLUMNS = ["collection", "acquired", "product_id", "item", "bbox", "platform", "product_key", "made"]


def rebuild_days(tables: Tables, store: Store, *, touched: Iterable[Day]) -> tuple[str, ...]:
    """Rewrite days and everything above them; a day without products any more disappears.

    Args:
        tables: Tables of the output.
        store: The output.
        touched: Collections and days.

    Returns:
        The catalogue files that were written.
    """
    wanted = set(touched)
    few: Sequence[Any] | None = tables.small("products", PRODUCTS, columns=_COLUMNS)
    if few is not None:
        gone = removed_versions(tables, product_ids=sorted({r["product_id"] for r in few}))
        return _rebuilt([r for r in few if version_of(r) not in gone], store, days=wanted)
    written: list[str] = []
    for days in _portions(_numbers(tables, days=wanted)):
        of_days = _of_days(tables, days=days).dropDuplicates(["product_id"])
        written += _rebuilt(of_days.collect(), store, days=days)
    return tuple(dict.fromkeys(written))


def _rebuilt(rows: Sequence[Any], store: Store, *, days: set[Day]) -> tuple[str, ...]:
    products = {r["product_id"]: catalog_row(r) for r in rows}
    return rebuild([r for r in products.values() if (r.collection, r.day) in days], store=store, touched=days)


def _of_days(tables: Tables, *, days: set[Day]) -> DataFrame:
    """Products of days; of other collections on the same days too."""
    rows = tables.read("products", PRODUCTS, columns=_COLUMNS, where={"collection": sorted({c for c, _ in days})})
    rows = standing_products(tables, rows)
    return rows.filter(F.to_date("acquired").isin(sorted({d for _, d in days})))


def _numbers(tables: Tables, *, days: set[Day]) -> dict[Day, int]:
    """Rows of each day, in order; 0 of one that has none any more."""
    found = _of_days(tables, days=days).groupBy("collection", F.to_date("acquired").alias("day")).count().collect()
    numbers = {(r["collection"], r["day"]): r["count"] for r in found}
    return {day: numbers.get(day, 0) for day in sorted(days)}


def _portions(numbers: Mapping[Day, int]) -> Iterator[set[Day]]:
    """Days together, of about as many rows as a driver holds at once; a day is not divided."""
    portion, rows = set[Day](), 0
    for day, number in numbers.items():
        if portion and rows + number > _AT_ONCE:
            yield portion
            portion, rows = set(), 0
        portion.add(day)
        rows += number
    if portion:
        yield portion


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
