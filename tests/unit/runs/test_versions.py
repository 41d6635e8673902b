"""Of several deliveries with one id one is made, whichever comes first; the others are named."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from swath.ledger.schemas import INGESTED
from swath.runs.decide import decide_few
from swath.runs.versions import SceneVersion
from swath.scene import processing_date

OLD, NEW = "2024-01-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00"
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


def row(n: int, digest: str, *, key: str = "", processed: str | None = None) -> dict[str, Any]:
    known = {"n": n, "href": f"/in/{digest}", "block": 0, "scene_id": "s", "scene_digest": digest, "product_id": "s.toa"}
    more = {"product_key": key or f"key of {digest}", "assets": 4, "strips": 1, "processed": processed}
    return {**dict.fromkeys(INGESTED.names), **known, **more}


def decided(*rows: dict[str, Any], before: SceneVersion | None = None) -> list[dict[str, Any]]:
    made = [] if before is None else [{"product_id": "s.toa", "product_key": f"key of {before.digest}", "made": NOON}]
    return decide_few(rows, made, versions={} if before is None else {"s": before}, wave_products=3)


def test_the_same_delivery_twice_is_a_duplicate() -> None:
    assert [r["status"] for r in decided(row(0, "a"), row(1, "a"))] == ["make", "duplicate"]


def test_two_contents_of_one_id_are_a_clash_that_names_both() -> None:
    first, second = decided(row(0, "b"), row(1, "a"))
    assert (first["status"], second["status"]) == ("refused", "make")
    assert (first["error_class"], first["stage"]) == ("clash", "plan")
    assert first["message"].startswith("s: two deliveries of different content have this id: got /in/b; /in/a is kept. Give one")


def test_the_later_processing_date_is_the_newer_version() -> None:
    older, newer = decided(row(0, "a", processed=OLD), row(1, "b", processed=NEW))
    assert (older["status"], newer["status"]) == ("refused", "make")
    assert f"got /in/a (processed {OLD}); /in/b (processed {NEW}) is the newer version." in older["message"]


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_arrival_decides_nothing(seed: int) -> None:
    rows = [row(n, d, processed=p) for n, (d, p) in enumerate([("c", OLD), ("a", NEW), ("b", NEW), ("a", NEW), ("d", None)])]
    drawn = random.Random(seed).sample(rows, len(rows))  # noqa: S311
    moved = [{**r, "n": n} for n, r in enumerate(drawn)]
    (kept,) = [r for r in decided(*moved) if r["status"] == "make"]
    assert kept["scene_digest"] == "a"
    assert sum(r["error_class"] == "clash" for r in decided(*moved)) == 3


def test_products_of_the_ledger_are_not_replaced_in_silence() -> None:
    before = SceneVersion(digest="z", href="/earlier")
    (again,) = decided(row(0, "z"), before=before)
    assert again["status"] == "made"
    (other,) = decided(row(0, "a"), before=before)
    assert (other["status"], other["error_class"]) == ("refused", "clash")
    assert "got /in/a; /earlier is kept." in other["message"]


def test_a_newer_version_replaces_products_and_says_so() -> None:
    before = SceneVersion(digest="z", href="/earlier", processed=OLD)
    (newer,) = decided(row(0, "a", processed=NEW), before=before)
    assert (newer["status"], newer["again"]) == ("make", True)
    assert newer["message"] == (
        f"s: /in/a (processed {NEW}) is the newer version of /earlier (processed {OLD}) and replaces its products"
    )
    (older,) = decided(row(0, "a", processed=OLD), before=SceneVersion(digest="z", href="/earlier", processed=NEW))
    assert f"/earlier (processed {NEW}) is the newer version." in older["message"]


def test_the_same_products_of_another_record_are_there_already() -> None:
    (same,) = decided(row(0, "a", key="key of z"), before=SceneVersion(digest="z"))
    assert same["status"] == "made"


def test_processing_dates_are_compared_in_one_form() -> None:
    assert processing_date("", "2024-06-01T02:00:00.123+02:00") == NEW
    assert processing_date("2024-06-01") == NEW
    assert processing_date("soon", "") == ""
    assert processing_date("0001-01-01T00:00:00+10:00") == ""
