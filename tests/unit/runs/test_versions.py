"""Of several deliveries with one id one is made, whichever comes first; the others are named."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from swath.ledger.schemas import INGESTED
from swath.runs.decide import decide
from swath.runs.versions import SceneVersion
from swath.scene import processing_date

OLD, NEW = "2024-01-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00"
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


def row(n: int, digest: str, *, key: str = "", processed: str | None = None, moments: str | None = None) -> dict[str, Any]:
    known = {"n": n, "href": f"/in/{digest}", "block": 0, "scene_id": "s", "scene_digest": digest, "product_id": "s.toa"}
    more = {"product_key": key or f"key of {digest}", "assets": 4, "strips": 1, "processed": processed, "moments": moments}
    return {**dict.fromkeys(INGESTED.names), **known, **more}


def decided(*rows: dict[str, Any], before: SceneVersion | None = None) -> list[dict[str, Any]]:
    made = [] if before is None else [{"product_id": "s.toa", "product_key": f"key of {before.digest}", "made": NOON}]
    return decide(rows, made, versions={} if before is None else {"s": before}, wave_products=3)


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


#: One tile of one satellite: two passes, an orbit apart; and one pass whose datastrips share the tile.
FIRST_PASS = "2024-07-01T10:00:31+00:00|GS2A_20240701T100031_047123_N05.10|"
SECOND_PASS = "2024-07-01T11:41:02+00:00|GS2A_20240701T114102_047124_N05.10|"
STRIP = "2024-07-01T10:00:31+00:00||S2A_OPER_MSI_L1C_DS_2APS_20240701T140000_S20240701T1{}_N05.10"


@pytest.mark.parametrize(("one", "other"), [(FIRST_PASS, SECOND_PASS), (STRIP.format("00034"), STRIP.format("00512"))])
def test_another_acquisition_with_the_same_id_replaces_nothing(one: str, other: str) -> None:
    before = SceneVersion(digest="z", href="/earlier", processed=OLD, moments=one)
    (refused,) = decided(row(0, "a", processed=NEW, moments=other), before=before)
    assert (refused["status"], refused["error_class"]) == ("refused", "clash")
    assert refused["message"].startswith(
        "s: two acquisitions have this id, and none is a version of the other: got /in/a (acquired"
    )
    assert "; /earlier (acquired 2024-07-01T10:00:31+00:00" in refused["message"]
    assert refused["message"].endswith(" is kept. Give one of them an id of its own.")


def test_the_newer_version_of_the_standing_acquisition_is_made_beside_another_one() -> None:
    before = SceneVersion(digest="z", href="/earlier", processed=OLD, moments=FIRST_PASS)
    rows = [row(0, "a", processed="2025-01-01", moments=SECOND_PASS), row(1, "b", processed=NEW, moments=FIRST_PASS)]
    other, newer = decided(*rows, before=before)
    assert (newer["status"], other["error_class"]) == ("make", "clash")
    assert "replaces its products" in newer["message"]
    assert "two acquisitions have this id" in other["message"]


def test_two_acquisitions_that_arrive_together_are_both_named() -> None:
    told = decided(row(0, "a", processed=OLD, moments=FIRST_PASS), row(1, "b", processed=NEW, moments=SECOND_PASS))
    assert sorted(r["status"] for r in told) == ["make", "refused"]
    assert "(acquired 2024-07-01T11:41:02+00:00) is kept" in next(r["message"] for r in told if r["status"] == "refused")


def test_a_new_processing_of_one_acquisition_is_a_version_whatever_it_is_dated_by() -> None:
    again = FIRST_PASS.replace("T10:00:31", "T10:09:12").replace("N05.10", "N05.11")
    before = SceneVersion(digest="z", href="/earlier", processed=OLD, moments=FIRST_PASS)
    (newer,) = decided(row(0, "a", processed=NEW, moments=again), before=before)
    assert newer["status"] == "make"


def test_processing_dates_are_compared_in_one_form() -> None:
    assert processing_date("", "2024-06-01T02:00:00.123+02:00") == NEW
    assert processing_date("2024-06-01") == NEW
    assert processing_date("soon", "") == ""
    assert processing_date("0001-01-01T00:00:00+10:00") == ""
