"""Rows as Arrow arrays, buffer by buffer.

``pyarrow.array`` does this too, and imports pandas to ask whether it was given a series: half a second and 45 MB in the driver
and in every worker.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows by column name as a table."""
    return pa.Table.from_arrays([array_of([row[c.name] for row in rows], c.type) for c in schema], schema=schema)


def dicts_of(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of a table by column name, maps as dicts, moments aware in UTC: as ``to_pylist``, which imports pandas for moments."""
    moments = [c.name for c in table.schema if pa.types.is_timestamp(c.type)]
    for name in moments:
        place = table.schema.get_field_index(name)
        microseconds = table[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        table = table.set_column(place, name, microseconds)
    rows: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="strict")
    for row in rows:
        row.update({n: _EPOCH + row[n] * _MICROSECOND for n in moments if row[n] is not None})
    return rows


def named(value: Any, kind: pa.DataType) -> Any:
    """A value of a row whose structs come in the order of their fields: with the fields by name, and maps as dicts."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {c.name: named(v, c.type) for v, c in zip(value, kind, strict=True)}
    if pa.types.is_list(kind):
        return [named(v, kind.value_type) for v in value]
    return dict(value) if pa.types.is_map(kind) else value


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values as one array; None is null.

    Args:
        values: Numbers, texts, aware moments; structs by field name, lists, maps.
        kind: int32, int64, float64, bool, string, binary, timestamp[us], or struct, list, map of these.

    Raises:
        TypeError: The kind is another one.
        ValueError: A moment has no time zone.
    """
    there = [v is not None for v in values]
    nulls = len(values) - sum(there)
    valid = _bits(there) if nulls else None
    if pa.types.is_struct(kind):
        fields = [array_of([None if v is None else v[f.name] for v in values], f.type) for f in kind]
        return pa.Array.from_buffers(kind, len(values), [valid], nulls, 0, fields)
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        inner = _entries(values, kind) if pa.types.is_map(kind) else array_of(_all(values), kind.value_type)
        return pa.Array.from_buffers(kind, len(values), [valid, _offsets(values)], nulls, 0, [inner])
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        texts = [b"" if v is None else v if isinstance(v, bytes) else v.encode() for v in values]
        return pa.Array.from_buffers(kind, len(values), [valid, _offsets(texts), pa.py_buffer(b"".join(texts))], nulls)
    return pa.Array.from_buffers(kind, len(values), [valid, _fixed(values, kind)], nulls)


def _all(values: Sequence[Any]) -> list[Any]:
    return list(chain.from_iterable(v for v in values if v is not None))


def _entries(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Keys and values of all maps: a struct without nulls."""
    pairs = _all([None if v is None else list(v.items()) for v in values])
    parts = [array_of([p[0] for p in pairs], kind.key_type), array_of([p[1] for p in pairs], kind.item_type)]
    fields = [pa.field("key", kind.key_type, nullable=False), kind.item_field]
    return pa.StructArray.from_arrays(parts, fields=fields)


def _fixed(values: Sequence[Any], kind: pa.DataType) -> pa.Buffer:
    if pa.types.is_boolean(kind):
        return _bits([bool(v) for v in values])
    if kind == pa.timestamp("us", "UTC"):
        return pa.py_buffer(np.array([_microseconds(v) for v in values], dtype=np.int64))
    dtypes: Mapping[Any, type[np.generic]] = {pa.int32(): np.int32, pa.int64(): np.int64, pa.float64(): np.float64}
    if kind not in dtypes:
        msg = f"rows of swath have no columns of {kind}"
        raise TypeError(msg)
    return pa.py_buffer(np.array([0 if v is None else v for v in values], dtype=dtypes[kind]))


def _microseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    if moment.tzinfo is None:
        msg = f"a moment without a time zone: {moment}"
        raise ValueError(msg)
    return (moment - _EPOCH) // _MICROSECOND


def _offsets(values: Sequence[Any]) -> pa.Buffer:
    return pa.py_buffer(np.array([0, *accumulate(0 if v is None else len(v) for v in values)], dtype=np.int32))


def _bits(flags: Sequence[bool]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array(flags, dtype=np.bool_), bitorder="little"))
