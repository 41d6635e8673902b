"""Entries of a run: few stay in its result, many go to parts that are complete after every wave and every restart."""

import json
from pathlib import Path
from typing import Any

import pytest

from swath.ndjson import unpacked
from swath.report.summary import FIRST_PRODUCTS, FIRST_SCENES, PRODUCT_BYTES, QuarantineEntry, SkippedEntry
from swath.runs.results import PART, Results
from swath.stores.local import LocalStore, local_store


def entry(name: str, **more: Any) -> dict[str, Any]:
    """A product, as far as results look at it."""
    models = [{"name": "m", "version": "1", "digest": "d"}]
    return {"product_id": name, "models": models, "reduced_accuracy": {"blue": "why"}, "model_notes": {}, **more}


def entries(wave: int, number: int) -> list[dict[str, Any]]:
    return [entry(f"w{wave}.{n}") for n in range(number)]


def refused(name: str) -> QuarantineEntry:
    return QuarantineEntry(scene_id=name, stage="process", error="read", message=f"{name}: cut short")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path)


def results(store: LocalStore, *, many: bool = True) -> Results:
    return Results(store=store, run_id="r", many=many)


def told(store: LocalStore, results: Results, kind: str) -> list[dict[str, Any]]:
    """All entries of a kind by the parts that the listing names."""
    found = []
    for path in results.listings()[kind].paths:
        data = store.read(path)
        assert data is not None, path
        found += unpacked(data)
    return found


@pytest.mark.parametrize("widths", [(1,), (PART,), (PART + 1,), (32, 32, 32), (999, 1, 1), (600, 600, 2200)])
def test_parts_hold_every_product_in_order_after_every_wave(store: LocalStore, widths: tuple[int, ...]) -> None:
    kept, expected = results(store), list[tuple[str, int]]()
    for wave, width in enumerate(widths):
        kept.take(wave, products=entries(wave, width), quarantine=[refused(f"q{wave}")])
        expected += [(f"w{wave}.{n}", wave) for n in range(width)]
        assert [(e["product_id"], e["wave"]) for e in told(store, kept, "products")] == expected
    listing = kept.listings()
    assert listing["products"].entries == sum(widths)
    assert len(listing["products"].paths) == -(-sum(widths) // PART)
    assert [e["scene_id"] for e in told(store, kept, "quarantine")] == [f"q{w}" for w in range(len(widths))]
    assert (listing["skips"].entries, listing["skips"].paths) == (0, ())
    assert (kept.totals.products, kept.totals.modelled, kept.totals.reduced) == (sum(widths), sum(widths), {"blue": sum(widths)})


def test_few_entries_stay_in_the_result(store: LocalStore) -> None:
    few = results(store, many=False)
    few.take(0, products=entries(0, FIRST_PRODUCTS), quarantine=[refused("q")], skipped=[SkippedEntry(scene_id="s", reason="r")])
    assert {k: (v.entries, v.paths) for k, v in few.listings().items()} == {
        "products": (FIRST_PRODUCTS, ()), "quarantine": (1, ()), "skips": (1, ()),
    }  # fmt: skip
    assert list(store.list("reports")) == []


@pytest.mark.parametrize(
    ("products", "quarantine"),
    [
        (entries(0, FIRST_PRODUCTS + 1), []),
        ([], [refused(f"q{n}") for n in range(FIRST_SCENES + 1)]),
        ([entry("fat", pictures="x" * PRODUCT_BYTES)], []),
    ],
)
def test_what_the_result_cannot_hold_goes_to_parts_after_all(
    store: LocalStore, products: list[dict[str, Any]], quarantine: list[QuarantineEntry]
) -> None:
    more = results(store, many=False)
    more.take(0, products=products, quarantine=quarantine)
    assert [e["product_id"] for e in told(store, more, "products")] == [p["product_id"] for p in products]
    assert [e["scene_id"] for e in told(store, more, "quarantine")] == [q.scene_id for q in quarantine]
    assert len(more.quarantine) == min(len(quarantine), FIRST_SCENES)


def test_a_restart_takes_up_waves_that_exist_and_drops_the_one_that_does_not(store: LocalStore) -> None:
    killed = results(store)
    for wave, width in enumerate((700, 700, 900)):
        killed.take(wave, products=entries(wave, width), quarantine=[refused(f"q{wave}")])
    # Told, and never committed: wave 2.
    again = results(store)
    assert again.resume({0, 1}) == {0, 1}
    assert again.totals.products == 1400
    assert [q.scene_id for q in again.quarantine] == ["q0", "q1"]
    assert not [p for p in store.list("reports/r") if "products" in p and p not in again.listings()["products"].paths]
    again.take(2, products=entries(2, 3))
    assert [e["product_id"] for e in told(store, again, "products")] == [
        *(f"w0.{n}" for n in range(700)), *(f"w1.{n}" for n in range(700)), "w2.0", "w2.1", "w2.2",
    ]  # fmt: skip


def test_what_a_product_replaces_is_said_once_more_after_a_restart(store: LocalStore) -> None:
    first = results(store)
    first.take(0, products=[entry("p", replaced="S1: newer")])
    again = results(store)
    again.resume({0})
    assert (first.replaced, again.replaced) == (["S1: newer"], ["S1: newer"])


def test_a_part_that_is_cut_short_is_an_error(store: LocalStore, tmp_path: Path) -> None:
    results(store).take(0, products=entries(0, 5))
    (path,) = store.list("reports/r")
    data = store.read(path) or b""
    with pytest.raises(ValueError, match="a part of a result cannot be read"):
        unpacked(data[:-4])
    assert json.dumps(unpacked(data)[0]).startswith('{"product_id": "w0.0"')
