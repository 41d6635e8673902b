"""``swath ingest`` alone keeps one delivery of a scene, by the rule of a run, and names the others."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from swath.runs.ingest_clashes import decided

OLD, NEW = "2024-01-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00"
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


def row(n: int, digest: str, *, processed: str | None = None, scene: str = "s") -> dict[str, Any]:
    return {"n": n, "scene_id": scene, "scene_digest": digest, "href": f"/in/{digest}", "processed": processed}


def test_another_acquisition_takes_no_place() -> None:
    first, second = "2024-07-01T10:00:31+00:00||", "2024-07-01T11:41:02+00:00||"
    known = {**row(0, "z", processed=OLD), "moments": first}
    (clash,) = clashes([{**row(0, "a", processed=NEW), "moments": second}], known=[known], products=[])
    assert "two acquisitions have this id" in clash.message


def made(digest: str) -> list[dict[str, Any]]:
    return [{"scene_id": "s", "scene_digest": digest, "made": NOON}]


def clashes(rows: list[dict[str, Any]], **more: Any) -> list[Any]:
    return list(decided(rows, **more).clashes)


def test_what_a_newer_version_replaces_is_told() -> None:
    newer = [row(0, "a", processed=NEW), row(1, "a", processed=NEW)]
    found = decided(newer, known=[row(0, "z", processed=OLD)], products=[])
    before, after = f"/in/z (processed {OLD})", f"/in/a (processed {NEW})"
    told = f"s: {after} is the newer version of {before} and takes its place: the next run replaces its products"
    assert found.replaced == (told,)
    assert decided(newer, known=[], products=[]).replaced == ()
    assert decided([row(0, "a")], known=[row(0, "z")], products=[]).replaced == ()


def test_two_contents_of_one_id_are_a_clash_that_names_both() -> None:
    (clash,) = clashes([row(0, "b"), row(1, "a"), row(2, "a"), row(3, "b", scene="t")], known=[], products=[])
    assert (clash.n, clash.scene_id, clash.href) == (0, "s", "/in/b")
    assert clash.message.startswith("s: two deliveries of different content have this id: got /in/b; /in/a is kept. Give one")


@pytest.mark.parametrize("seed", range(5))
def test_the_later_processing_date_is_kept_whichever_comes_first(seed: int) -> None:
    rows = [row(0, "a", processed=OLD), row(1, "b", processed=NEW), row(2, "c")]
    drawn = random.Random(seed).sample(rows, len(rows))  # noqa: S311
    assert [c.href for c in clashes(drawn, known=[], products=[])] == ["/in/a", "/in/c"]


def test_what_an_earlier_ingest_kept_stands() -> None:
    (clash,) = clashes([row(0, "a")], known=[row(0, "z")], products=[])
    assert "got /in/a; /in/z is kept." in clash.message
    assert clashes([row(0, "z")], known=[row(0, "z")], products=[]) == []
    assert clashes([row(0, "a", processed=NEW)], known=[row(0, "z", processed=OLD)], products=[]) == []
    (older,) = clashes([row(0, "a", processed=OLD)], known=[row(0, "z", processed=NEW)], products=[])
    assert f"/in/z (processed {NEW}) is the newer version." in older.message


def test_what_products_were_made_from_stands_before_what_scenes_hold() -> None:
    (clash,) = clashes([row(0, "a")], known=[row(0, "a"), row(0, "z")], products=made("z"))
    assert "/in/z is kept" in clash.message
    assert clashes([row(0, "z")], known=[row(0, "a"), row(0, "z")], products=made("z")) == []
