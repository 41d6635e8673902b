"""Rows of Arrow tables as Python has them."""

from datetime import UTC, datetime

import pyarrow as pa  # type: ignore[import-untyped]

from swath.ledger.arrow_rows import dicts_of


def test_rows_equal_those_of_arrow_itself() -> None:
    moments = [datetime(2024, 8, 5, 10, 2, 11, 123456, tzinfo=UTC), None, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    table = pa.table(
        {
            "at": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "name": pa.array(["a", None, "c"]),
            "bbox": pa.array([[1.0, 2.0], None, []], pa.list_(pa.float64())),
        }
    )
    assert dicts_of(table) == table.to_pylist()
    assert dicts_of(table.slice(0, 0)) == []
