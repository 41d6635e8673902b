import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swath.errors import CatalogueError, ConfigError
from swath.sinks.served.delivery import CatalogueDelivery, CatalogueSession, DeliveryOutcome, uri_of
from swath.sinks.served.outbox import Outbox, OutboxEntry
from swath.stores.local import LocalStore

Json = dict[str, Any]
DOWN = CatalogueError("PostgreSQL (host=db): connection refused", down=True)


class Shelf:
    """A catalogue in memory that goes down, or does not like some items."""

    def __init__(self) -> None:
        self.items: dict[str, Json] = {}
        self.trouble: Exception | None = None
        self.disliked: frozenset[str] = frozenset()
        self.dies_after: int | None = None
        self.upserts = 0

    @contextmanager
    def session(self) -> Iterator[CatalogueSession]:
        if self.trouble is not None:
            raise self.trouble
        yield self

    def upsert(self, items: Sequence[Json], *, base: str) -> None:
        if self.dies_after is not None and self.upserts >= self.dies_after:
            raise DOWN
        self.upserts += 1
        bad = self.disliked & {i["id"] for i in items}
        if bad:
            raise CatalogueError(f"PostgreSQL (host=db): cannot take {sorted(bad)}")
        self.items |= {i["id"]: i for i in items}

    def known(self, *, base: str) -> dict[tuple[str, str], str]:
        links = [(i, link) for i in self.items.values() for link in i["links"] if link["rel"] == "canonical"]
        return {(i["collection"], i["id"]): link["file:checksum"] for i, link in links if link["href"].startswith(f"{base}/")}

    def remove(self, names: Sequence[tuple[str, str]]) -> None:
        for _, name in names:
            self.items.pop(name, None)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path.resolve())


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def publish(store: LocalStore, name: str, **properties: Any) -> OutboxEntry:
    """An item as a run leaves it."""
    path = f"products/c/2024/05/01/{name}/{name}.json"
    item = {"id": name, "collection": "c", "properties": properties, "links": [], "assets": {"red": {"href": f"./{name}.tif"}}}
    store.write(path, json.dumps(item).encode())
    return OutboxEntry(collection="c", product_id=name, item=path)


def waiting(store: LocalStore) -> list[str]:
    box = Outbox(store)
    return sorted(e.product_id for path in box.pending() for e in box.read(path))


def test_what_was_noted_is_delivered_with_absolute_hrefs_and_the_outbox_is_empty(store: LocalStore, shelf: Shelf) -> None:
    delivery = CatalogueDelivery(store, shelf)
    delivery.note("r.000000", [publish(store, "a"), publish(store, "b")])
    assert delivery.deliver() == DeliveryOutcome(items=2)
    assert shelf.items["a"]["assets"]["red"]["href"] == f"{store.folder.as_uri()}/products/c/2024/05/01/a/a.tif"
    assert list(store.list("outbox")) == []


def test_nothing_to_tell_asks_no_catalogue(store: LocalStore, shelf: Shelf) -> None:
    shelf.trouble = DOWN
    assert CatalogueDelivery(store, shelf).deliver() == DeliveryOutcome()


@pytest.mark.parametrize("trouble", [DOWN, ConfigError("PostgreSQL (host=db) has no pgSTAC schema")])
def test_a_catalogue_in_trouble_fails_nobody_and_is_told_later(store: LocalStore, shelf: Shelf, trouble: Exception) -> None:
    shelf.trouble = trouble
    delivery = CatalogueDelivery(store, shelf)
    delivery.note("r.000000", [publish(store, "a")])
    told = delivery.deliver()
    assert (told.items, told.pending, told.problem) == (0, 1, str(trouble))
    assert told.unusable == isinstance(trouble, ConfigError)
    assert waiting(store) == ["a"]
    assert "1 wait in the outbox" in str(told)
    shelf.trouble = None
    assert CatalogueDelivery(store, shelf).deliver() == DeliveryOutcome(items=1)
    assert waiting(store) == []


def test_a_catalogue_that_goes_down_midway_gets_the_rest_later(store: LocalStore, shelf: Shelf, monkeypatch: Any) -> None:
    monkeypatch.setattr("swath.sinks.served.delivery.BATCH", 2)
    delivery = CatalogueDelivery(store, shelf)
    for wave in range(3):
        delivery.note(f"r.{wave:06d}", [publish(store, f"{wave}{n}") for n in "ab"])
    shelf.dies_after = 1
    told = delivery.deliver()
    assert (told.items, told.pending) == (2, 4)
    assert waiting(store) == ["1a", "1b", "2a", "2b"]
    shelf.dies_after = None
    assert delivery.deliver() == DeliveryOutcome(items=4)


def test_who_replays_late_tells_the_newest_version(store: LocalStore, shelf: Shelf) -> None:
    delivery = CatalogueDelivery(store, shelf)
    delivery.note("r1.000000", [publish(store, "a", cloud=1)])
    delivery.note("r2.000000", [publish(store, "a", cloud=2)])
    delivery.deliver()
    assert shelf.items["a"]["properties"] == {"cloud": 2}


def test_an_item_that_is_no_more_waits_for_nobody(store: LocalStore, shelf: Shelf) -> None:
    delivery = CatalogueDelivery(store, shelf)
    entry = publish(store, "a")
    delivery.note("r.000000", [entry, publish(store, "b")])
    store.delete(entry.item)
    assert delivery.deliver() == DeliveryOutcome(items=1, gone=1)
    assert waiting(store) == []


@settings(deadline=None, max_examples=25)
@given(disliked=st.sets(st.sampled_from(list("acegikm")), max_size=7))
def test_items_that_the_catalogue_refuses_keep_no_other_waiting(disliked: set[str], tmp_path_factory: Any) -> None:
    store, shelf = LocalStore(tmp_path_factory.mktemp("out").resolve()), Shelf()
    shelf.disliked = frozenset(disliked)
    delivery = CatalogueDelivery(store, shelf)
    letters = list("abcdefghijklmn")
    for wave, name in enumerate(letters):
        delivery.note(f"r.{wave:06d}", [publish(store, name)])
    told = delivery.deliver()
    assert set(shelf.items) == set(letters) - disliked
    assert waiting(store) == sorted(disliked)
    assert (told.items, told.pending) == (len(letters) - len(disliked), len(disliked))
    assert bool(told.problem) == bool(disliked)


def test_a_catalogue_that_refuses_everything_is_not_asked_for_ever(store: LocalStore, shelf: Shelf) -> None:
    names = [f"{n:03d}" for n in range(100)]
    shelf.disliked = frozenset(names)
    delivery = CatalogueDelivery(store, shelf)
    delivery.note("r.000000", [publish(store, n) for n in names])
    told = delivery.deliver()
    assert (told.items, told.pending) == (0, 100)
    assert shelf.upserts == 1 + 5


def test_a_new_catalogue_can_be_told_everything(store: LocalStore, shelf: Shelf) -> None:
    publish(store, "a")
    publish(store, "b")
    store.write("products/c/2024/05/01/a/notes.json", b"{}")
    delivery = CatalogueDelivery(store, shelf, base="https://host/out")
    delivery.note_all()
    assert delivery.deliver() == DeliveryOutcome(items=2)
    assert shelf.items["b"]["assets"]["red"]["href"] == "https://host/out/products/c/2024/05/01/b/b.tif"


def test_the_same_wave_noted_again_replaces_its_note(store: LocalStore) -> None:
    box, entry = Outbox(store), publish(store, "a")
    assert box.put("r.000000", [entry]) == box.put("r.000000", [entry]) == "outbox/r.000000.ndjson"
    assert waiting(store) == ["a"]
    assert box.put("r.000001", []) is None


def test_an_output_names_itself(tmp_path: Path) -> None:
    assert uri_of(LocalStore(tmp_path)) == tmp_path.as_uri()


def test_comparing_finds_what_is_missing_stale_and_no_more(store: LocalStore, shelf: Shelf) -> None:
    delivery = CatalogueDelivery(store, shelf, base="https://host/out")
    kept = [publish(store, name) for name in "abc"]
    delivery.note("r.000000", kept)
    delivery.deliver()
    assert len(delivery.compare()) == 0
    store.delete(kept[0].item)
    publish(store, "b", cloud=9)
    publish(store, "d")
    found = delivery.compare()
    assert [e.product_id for e in found.missing] == ["d"]
    assert [e.product_id for e in found.stale] == ["b"]
    assert found.surplus == (("c", "a"),)
    assert (found.items, len(found)) == (3, 3)
    assert delivery.mend(found) == DeliveryOutcome(items=2)
    assert sorted(shelf.items) == ["b", "c", "d"]
    assert len(delivery.compare()) == 0


def test_items_of_other_outputs_are_left_alone(store: LocalStore, shelf: Shelf, tmp_path_factory: Any) -> None:
    other = LocalStore(tmp_path_factory.mktemp("other").resolve())
    for place, name in ((store, "a"), (other, "b")):
        delivery = CatalogueDelivery(place, shelf)
        delivery.note("r.000000", [publish(place, name)])
        delivery.deliver()
    assert len(CatalogueDelivery(store, shelf).compare()) == len(CatalogueDelivery(other, shelf).compare()) == 0


def test_an_empty_output_takes_nothing_out(store: LocalStore, shelf: Shelf) -> None:
    delivery = CatalogueDelivery(store, shelf)
    entry = publish(store, "a")
    delivery.note("r.000000", [entry])
    delivery.deliver()
    store.delete(entry.item)
    found = delivery.compare()
    with pytest.raises(ConfigError, match="has no items, but 1 are served: is this the output that was meant"):
        delivery.mend(found)
    assert list(shelf.items) == ["a"]


def test_who_has_no_catalogue_loads_no_database_client() -> None:
    loaded = "import sys, swath.cli.run, swath.runs.run, swath.engine.child.main; print({'psycopg', 'pypgstac'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
