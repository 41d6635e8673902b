"""Values of ledger rows as PostgreSQL takes and gives them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from swath.ledger.arrow_rows import named


def kind_of(kind: pa.DataType) -> str:
    """PostgreSQL's type for one of Arrow's; what is nested is JSON, which keeps its order."""
    plain = (
        (pa.types.is_string, "text"), (pa.types.is_integer, "bigint"), (pa.types.is_floating, "double precision"),
        (pa.types.is_boolean, "boolean"), (pa.types.is_timestamp, "timestamptz"),
    )  # fmt: skip
    return next((told for check, told in plain if check(kind)), "json")


def stored(value: Any, kind: pa.DataType) -> Any:
    """A value as COPY takes it."""
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return _moment(value)
    if pa.types.is_nested(kind):
        return json.dumps(named(value, kind)).replace("\\u0000", "\\ufffd")
    # PostgreSQL's texts hold everything but this.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _moment(value: datetime) -> datetime:
    # Spark hands naive moments of the driver's zone to Python.
    return value.astimezone(UTC)


def as_table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows of ``PgRows.rows`` as Arrow."""
    columns = [[_arrow(row[c.name], c.type) for row in rows] for c in schema]
    arrays = [pa.array(v, type=c.type) for v, c in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _arrow(value: Any, kind: pa.DataType) -> Any:
    return list(value.items()) if value is not None and pa.types.is_map(kind) else value
