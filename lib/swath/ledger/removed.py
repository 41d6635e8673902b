"""Products that retention removed: a row of ``tombstones`` for each version, written before its first file goes.

A product that has both a row of ``products`` and its tombstone is being removed: an interrupted ``swath maintain`` goes on with
it, and nothing else takes it for a product. One that has a tombstone alone was made once, so it is not made again.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from pyspark.sql import DataFrame

from swath.ledger.schemas import PRODUCTS, TOMBSTONES
from swath.ledger.tables import Tables

Json = dict[str, Any]
Version = tuple[str, str, Any]
TABLE = "tombstones"
#: What names a version of a product.
VERSION = ("product_id", "product_key", "made")


def version_of(row: Mapping[str, Any] | Any) -> Version:
    """What names the version of a row."""
    # Spark hands naive moments of the driver's zone to Python.
    return (row["product_id"], row["product_key"], row["made"].astimezone(UTC))


def removed_versions(tables: Tables, *, product_ids: Sequence[str]) -> set[Version]:
    """Versions of some products that were removed, or are being removed.

    Args:
        tables: Tables of the output.
        product_ids: Ids of the products.
    """
    if not product_ids or not tables.exists(TABLE):
        return set()
    where = {"product_id": list(product_ids)}
    rows: Sequence[Any] | None = tables.small(TABLE, TOMBSTONES, columns=VERSION, where=where)
    if rows is None:
        rows = tables.read(TABLE, TOMBSTONES, columns=VERSION, where=where).collect()
    return {version_of(row) for row in rows}


def standing_products(tables: Tables, rows: DataFrame) -> DataFrame:
    """Rows of ``products`` without those that are being removed.

    Args:
        tables: Tables of the output.
        rows: The rows, with the columns of ``VERSION`` among theirs.
    """
    if not tables.exists(TABLE):
        return rows
    return rows.join(tables.read(TABLE, TOMBSTONES, columns=VERSION), list(VERSION), "left_anti")


def ever_made(tables: Tables, *, columns: Sequence[str]) -> DataFrame:
    """Products that are there and that were removed: neither is made again under its key.

    Args:
        tables: Tables of the output.
        columns: Columns that both tables have.
    """
    rows = tables.read("products", PRODUCTS, columns=columns)
    return rows.union(tables.read(TABLE, TOMBSTONES, columns=columns)) if tables.exists(TABLE) else rows


def few_ever_made(
    tables: Tables, *, columns: Sequence[str], where: Mapping[str, Sequence[Any]] | None = None
) -> list[Json] | None:
    """The same without Spark; None if the result is too large.

    Args:
        tables: Tables of the output.
        columns: Columns that both tables have.
        where: Only rows with one of these values in a column.
    """
    there = tables.small("products", PRODUCTS, columns=columns, where=where)
    gone = tables.small(TABLE, TOMBSTONES, columns=columns, where=where) if tables.exists(TABLE) else []
    return None if there is None or gone is None else [*there, *gone]


def with_removed(tables: Tables, products: pa.Table, *, columns: Sequence[str]) -> pa.Table:
    """Plain columns of all products, and of those that were removed.

    Args:
        tables: Tables of the output.
        products: The columns of ``products``.
        columns: Columns that both tables have.
    """
    if not tables.exists(TABLE):
        return products
    products = products.select(list(columns))
    gone = tables.arrow(TABLE, TOMBSTONES, columns=columns)
    gone = tables.read(TABLE, TOMBSTONES, columns=columns).toArrow() if gone is None else gone
    return pa.concat_tables([products, gone.cast(products.schema)])
