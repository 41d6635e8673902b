"""Arrays made buffer by buffer are those that pyarrow makes."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swath.ledger.arrow_rows import array_of, table_of

MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware
PLAIN: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    (pa.timestamp("us", "UTC"), MOMENTS),
]


def _wrapped(inner: tuple[pa.DataType, st.SearchStrategy[Any]]) -> list[tuple[pa.DataType, st.SearchStrategy[Any]]]:
    kind, values = inner
    maybe = st.none() | values
    fields = pa.struct([("a", kind), ("b", pa.string())])
    return [
        (pa.list_(kind), st.lists(maybe, max_size=4)),
        (fields, st.fixed_dictionaries({"a": maybe, "b": st.none() | st.text("xyz")})),
        (pa.map_(pa.string(), kind), st.dictionaries(st.text("abc", max_size=3), maybe, max_size=3)),
    ]


NESTED = [wrapped for inner in PLAIN for wrapped in _wrapped(inner)]
DEEP = [wrapped for inner in NESTED[:3] for wrapped in _wrapped(inner)]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([*PLAIN, *NESTED, *DEEP]))
def test_arrays_are_those_of_pyarrow(data: st.DataObject, case: tuple[pa.DataType, st.SearchStrategy[Any]]) -> None:
    kind, strategy = case
    values = data.draw(st.lists(st.none() | strategy, max_size=12))
    made = array_of(values, kind)
    made.validate(full=True)
    assert made.equals(pa.array([_inside(v, kind) for v in values], type=kind))


def _inside(value: Any, kind: pa.DataType) -> Any:
    """As pyarrow takes it: maps as pairs."""
    if value is None:
        return None
    if pa.types.is_list(kind):
        return [_inside(v, kind.value_type) for v in value]
    if pa.types.is_map(kind):
        return [(k, _inside(v, kind.item_type)) for k, v in value.items()]
    if pa.types.is_struct(kind):
        return {f.name: _inside(value[f.name], f.type) for f in kind}
    return value


def test_moments_of_any_zone_are_kept_in_utc() -> None:
    noon = datetime(2024, 8, 5, 14, tzinfo=timezone(timedelta(hours=2)))
    assert array_of([noon], pa.timestamp("us", "UTC")).to_pylist() == [datetime(2024, 8, 5, 12, tzinfo=UTC)]


def test_rows_become_a_table_by_name() -> None:
    schema = pa.schema([("n", pa.int64()), ("name", pa.string())])
    assert table_of([{"name": "a", "n": 1}, {"n": None, "name": None}], schema).to_pylist() == [
        {"n": 1, "name": "a"},
        {"n": None, "name": None},
    ]


def test_other_kinds_are_refused() -> None:
    with pytest.raises(TypeError, match="rows of swath have no columns of float"):
        array_of([1.0], pa.float32())
