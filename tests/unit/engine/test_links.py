"""What of a product is there is found from names, keys and sizes alone; no JVM, no pixel."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from swath.engine.link_messages import KnownVersion
from swath.engine.links import Links, find_links, linked
from swath.engine.product_plan import ProductPlan, plan_product
from swath.product import AssetRecord, Statistics
from swath.stores.local import LocalStore

PIPELINE = json.dumps({"name": "mine", "steps": [{"name": "toa"}], "assets": [{"layers": "toa", "required": True}]})
COLOURS = ("red", "green", "blue")


class Place:
    """A product's folder, with files of one byte more than the last."""

    def __init__(self, folder: Path, plan: ProductPlan) -> None:
        self.store = LocalStore(folder)
        self.plan = plan
        self.path = f"{plan.folder}/{plan.product_id}.json"
        self.sizes = {name: 10 + n for n, name in enumerate(plan.keys)}
        for name, size in self.sizes.items():
            self.store.write(f"{plan.folder}/{plan.href(name)}", b"x" * size)
        self.store.write(f"{plan.folder}/thumbnail.png", b"png")

    def row(self, *names: str, pictures: bool = True) -> KnownVersion:
        """A version in the ledger."""
        thumbnail = {"thumbnail": f"{self.plan.folder}/thumbnail.png"} if pictures else {}
        return KnownVersion(item=self.path, records=tuple(self._record(n) for n in names), pictures=thumbnail)

    def _record(self, name: str) -> AssetRecord:
        return AssetRecord(
            name=name, layer=f"toa:{name}", href=self.plan.href(name), key=self.plan.keys[name], bytes=self.sizes[name],
            digest="", statistics=Statistics(),
        )  # fmt: skip

    def publish(self, *names: str) -> None:
        """An item that names assets."""
        assets: dict[str, Any] = {}
        for name in names:
            told = {"href": f"./{self.plan.href(name)}", "data_type": "int16", "file:checksum": "1220" + "0" * 64}
            own = {"swath:key": self.plan.keys[name], "swath:layer": f"toa:{name}", "file:size": self.sizes[name]}
            assets[name] = told | own
        assets["thumbnail"] = {"href": "./thumbnail.png", "roles": ["overview", "thumbnail"]}
        self.store.write(self.path, json.dumps({"properties": {}, "assets": assets}).encode())

    def links(self, *versions: KnownVersion) -> Links:
        return find_links(self.plan, versions, store=self.store)


@pytest.fixture
def place(make: Any, tmp_path: Path) -> Place:
    fine = make.grid(10.0, height=64, width=64)
    scene = make.scene(dict.fromkeys((*COLOURS, "nir"), fine))
    return Place(tmp_path, plan_product(scene.to_json(), PIPELINE))


def test_nothing_is_linked_where_nothing_is(place: Place) -> None:
    found = place.links()
    assert (found.records, found.adoptable, found.pictures, found.true_colour) == ({}, [], {}, False)


def test_files_that_the_ledger_knows_are_linked_with_their_records_and_picture(place: Place) -> None:
    found = place.links(place.row(*COLOURS))
    assert set(found.records) == set(COLOURS)
    assert found.records["red"].bytes == place.sizes["red"]
    assert (found.true_colour, set(found.pictures)) == (True, {"thumbnail"})


def test_a_picture_is_kept_only_whole_and_of_one_version(place: Place) -> None:
    assert not place.links(place.row("red", "green", "nir")).true_colour
    assert not place.links(place.row("red", "green"), place.row("blue")).true_colour
    assert not place.links(place.row(*COLOURS, pictures=False)).true_colour
    place.store.delete(f"{place.plan.folder}/thumbnail.png")
    assert not place.links(place.row(*COLOURS)).true_colour


@pytest.mark.parametrize("content", [None, b"", b"x" * 9, b"x" * 11])
def test_a_file_of_another_size_is_not_linked(place: Place, content: bytes | None) -> None:
    path = f"{place.plan.folder}/{place.plan.href('red')}"
    place.store.delete(path)
    if content is not None:
        place.store.write(path, content)
    assert set(place.links(place.row(*COLOURS)).records) == {"green", "blue"}


def test_what_an_item_alone_names_is_adoptable(place: Place) -> None:
    place.publish(*COLOURS)
    found = place.links(place.row("red"))
    assert (set(found.records), set(found.adoptable)) == ({"red"}, {"green", "blue"})
    assert (found.item, found.true_colour) == (place.path, True)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b'{"assets": 3}',
        b'{"assets": {"red": {"swath:key": "k"}}}',
        b'{"assets": {"red": 3}}',
        b'{"assets": {"red": {"roles": null}}}',
        b"[" * 200_000,
    ],
)
def test_a_broken_item_names_nothing(place: Place, broken: bytes) -> None:
    place.store.write(place.path, broken)
    assert place.links().adoptable == []


def test_an_item_whose_keys_are_no_text_names_nothing(place: Place) -> None:
    place.publish(*COLOURS)
    item = json.loads(place.store.read(place.path) or b"")
    item["assets"]["red"]["swath:key"] = ["not", "a", "text"]
    place.store.write(place.path, json.dumps(item).encode())
    assert place.links().adoptable == []


def test_a_version_in_another_folder_lends_nothing(place: Place) -> None:
    assert place.links(replace(place.row(*COLOURS), item="products/elsewhere/S1.json")).records == {}


def test_another_key_is_another_file(place: Place) -> None:
    known = place.row(*COLOURS)
    other = replace(known, records=tuple(replace(r, key="0" * 64) for r in known.records))
    assert place.links(other).records == {}


def test_a_file_that_an_item_names_and_that_cannot_be_counted_is_made_again(place: Place) -> None:
    """Its bytes are what the item says, and they are no image."""
    place.publish("red")
    item = json.loads(place.store.read(place.path) or b"")
    digest, _ = place.store.digest(f"{place.plan.folder}/{place.plan.href('red')}")
    item["assets"]["red"]["file:checksum"] = f"1220{digest}"
    place.store.write(place.path, json.dumps(item).encode())
    assert place.links().adoptable == ["red"]
    found = linked(place.plan, (), store=place.store)
    assert (found.records, found.true_colour) == ({}, False)
