"""Rows are made by the names of columns, so that no value lands in another's place."""

from datetime import UTC, datetime

import pytest

from swath.account import Account, Count
from swath.ledger.rows import COUNTED, account_in, counts_of, row_of, source_rows
from swath.ledger.schemas import MODEL, RUNS, SOURCES
from swath.source_ref import SourceRef


def test_values_go_to_their_columns_whatever_their_order() -> None:
    assert row_of(MODEL, digest="d", version="1", name="n") == ("n", "1", "d")


@pytest.mark.parametrize("values", [{"name": "n", "version": "1"}, {"name": "n", "version": "1", "digest": "d", "size": 3}])
def test_a_row_that_lacks_a_column_or_has_another_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"missing \['digest'\]|unknown \['size'\]"):
        row_of(MODEL, **values)


def test_an_account_comes_back_from_its_columns() -> None:
    scenes, assets = Count(taken_in=6, made=3, skipped=2, quarantined=1), Count(taken_in=24, made=12, skipped=8, quarantined=4)
    columns = counts_of(Account(scenes=scenes, assets=assets, edges=scenes))
    assert set(columns) == {*COUNTED, "balanced"} <= set(RUNS.names)
    assert (columns["scenes_in"], columns["quarantined"], columns["assets_made"]) == (6, 1, 12)
    assert account_in(columns) == Account(scenes=scenes, assets=assets, edges=scenes)


def test_each_source_of_a_product_has_a_row_with_why_it_was_left_out() -> None:
    day = datetime(2024, 8, 5, tzinfo=UTC)
    used = SourceRef(scene_id="a", href="a.json", acquired=day, title="a", item=True)
    lost = SourceRef(scene_id="b", href="b.json", acquired=day, title="b", item=True, left_out="cannot be read")
    rows = source_rows([used, lost], product_id="p", product_key="k", run_id="r", wave=2)
    found = [dict(zip(SOURCES.names, row, strict=True)) for row in rows]
    assert [(r["n"], r["scene_id"], r["used"], r["message"]) for r in found] == [
        (0, "a", True, ""),
        (1, "b", False, "cannot be read"),
    ]
    assert {(r["product_id"], r["product_key"], r["run_id"], r["wave"], r["acquired"]) for r in found} == {
        ("p", "k", "r", 2, day)
    }
