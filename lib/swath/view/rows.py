"""Rows of an output's ledger for the map, read without Spark's Python, whose import is half of the time to the first map."""

import pyarrow as pa  # type: ignore[import-untyped]

from swath.ledger.delta_log import DeltaLog
from swath.ledger.delta_rows import read_columns
from swath.stores.base import Store

_TEXT, _LONG, _MOMENT = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC")
#: Columns that the map needs, by table.
COLUMNS = {
    "products": pa.schema(
        {
            **dict.fromkeys(("product_id", "scene_id", "pipeline", "collection", "item", "run_id"), _TEXT),
            "acquired": _MOMENT,
            "made": _MOMENT,
            "bbox": pa.list_(pa.float64()),
        }
    ),
    "runs": pa.schema(
        {
            **dict.fromkeys(("run_id", "pipeline"), _TEXT),
            **dict.fromkeys(("scenes_in", "made", "skipped", "quarantined"), _LONG),
            "balanced": pa.bool_(),
            "started": _MOMENT,
            "ended": _MOMENT,
        }
    ),
}


def in_delta(store: Store) -> bool:
    """Whether an output has its ledger in Delta tables of its own."""
    return next(iter(store.list("tables/runs/_delta_log")), None) is not None


def plain_rows(store: Store, name: str) -> pa.Table | None:
    """The map's columns of a table.

    Args:
        store: The output.
        name: Name of the table.

    Returns:
        The columns; None when the table has more than its log says in plain words, or not all the columns.
    """
    log = DeltaLog.of(store, f"tables/{name}")
    columns = COLUMNS[name]
    if log.version < 0:
        return columns.empty_table()
    known = {field["name"] for field in (log.schema or {}).get("fields", [])}
    if not log.plain or not set(columns.names) <= known:
        return None
    return read_columns(list(log.files), columns, store=store, folder=log.folder)
