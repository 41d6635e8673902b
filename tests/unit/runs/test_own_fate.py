"""A scene whose row breaks the driver's work with it is refused alone."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from swath.ledger.schemas import INGESTED, PLANNED
from swath.runs.decide import decide
from swath.runs.own_fate import keepable
from swath.runs.versions import SceneVersion


def _row(n: int, **edits: Any) -> dict[str, Any]:
    scene = {"reader": "stac", "source_href": f"/s/{n}", "platform": "p", "family": "f", "acquired": "2024-08-05T10:00:00+00:00"}
    row = dict.fromkeys(INGESTED.names) | {
        "n": n, "href": f"/s/{n}", "block": 0, "scene_id": f"scene-{n}", "scene_digest": f"d{n}", "scene": json.dumps(scene),
        "product_id": f"scene-{n}.toa", "product_key": "k", "assets": 3, "strips": 1, "processed": "2024-01-01",
    }  # fmt: skip
    return row | edits


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"scene_id": "a\ud800"}, r"^a\\ud800: .* got UnicodeEncodeError"),
        ({"processed": 5}, r"^scene-1: .* got AttributeError"),
        ({"assets": 1 << 70}, r"^scene-1: .* got OverflowError"),
        ({"scene": "{"}, r"^scene-1: .* got JSONDecodeError"),
        ({"scene": "{}"}, r"^scene-1: .* got KeyError"),
        ({"scene": json.dumps({**json.loads(_row(1)["scene"]), "acquired": "0001"})}, r"^scene-1: .* got ValueError"),
        ({"files": ["x"]}, r"^scene-1: .* got AttributeError"),
    ],
)
def test_a_row_that_no_table_can_keep_is_that_scenes_refusal(edits: dict[str, Any], message: str) -> None:
    assert keepable(_row(0)) == _row(0)
    kept = keepable(_row(1, **edits))
    assert (kept["n"], kept["href"], kept["error_class"], kept["stage"]) == (1, "/s/1", "internal", "ingest")
    assert (kept["scene"], kept["scene_digest"], kept["product_id"]) == (None, None, None)
    with pytest.raises(ValueError, match=message):
        raise ValueError(kept["message"])
    assert keepable(kept) == kept


def test_a_choice_that_cannot_be_made_refuses_the_scene_alone() -> None:
    rows = [_row(0), _row(1, processed=5), _row(2)]
    versions = {"scene-1": SceneVersion(digest="other", processed="2024-01-01")}
    made = [{"product_id": "scene-1.toa", "product_key": "x", "made": datetime(2024, 1, 1, tzinfo=UTC)}]
    planned = decide(rows, made, versions=versions, wave_products=2)
    assert [(r["status"], r["error_class"]) for r in planned] == [("make", None), ("refused", "internal"), ("make", None)]
    assert "TypeError" in planned[1]["message"]
    assert "run `swath retry --error internal`" in planned[1]["message"]
    assert set(planned[1]) == set(PLANNED.names)
