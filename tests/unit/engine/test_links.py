"""What of a product is there is found from names, keys and sizes alone; no JVM, no pixel."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row

from swath.engine.product_plan import ProductPlan, plan_product
from swath.runs.relink import Links, find_links
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

    def row(self, *names: str, pictures: bool = True) -> Row:
        """A version in the ledger."""
        records = [self._record(n) for n in names]
        thumbnail = {"thumbnail": f"{self.plan.folder}/thumbnail.png"} if pictures else {}
        return Row(item=self.path, records=json.dumps(records), pictures=thumbnail)

    def _record(self, name: str) -> dict[str, Any]:
        told = {"name": name, "layer": f"toa:{name}", "href": self.plan.href(name), "key": self.plan.keys[name]}
        return {**told, "bytes": self.sizes[name], "model": None}

    def publish(self, *names: str) -> None:
        """An item that names assets."""
        assets: dict[str, Any] = {}
        for name in names:
            told = {"href": f"./{self.plan.href(name)}", "data_type": "int16", "file:checksum": "1220" + "0" * 64}
            own = {"swath:key": self.plan.keys[name], "swath:layer": f"toa:{name}", "file:size": self.sizes[name]}
            assets[name] = told | own
        assets["thumbnail"] = {"href": "./thumbnail.png", "roles": ["overview", "thumbnail"]}
        self.store.write(self.path, json.dumps({"properties": {}, "assets": assets}).encode())

    def links(self, *rows: Row) -> Links:
        scene = Row(scene=self.plan.graph.scene.to_json())
        (found,) = find_links(
            [scene],
            pipeline_json=PIPELINE,
            versions={self.plan.product_id: [r.asDict(recursive=True) for r in rows]},
            store=self.store,
        )
        return found


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
    assert found.records["red"]["bytes"] == place.sizes["red"]
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


def test_an_error_that_nobody_foresaw_in_one_scene_leaves_it_to_its_tasks(place: Place) -> None:
    """They meet it again, in a child, and it is the outcome of that scene."""
    whole = json.loads(place.plan.graph.scene.to_json())
    rows = [Row(scene=json.dumps(s)) for s in (whole, {**whole, "bands": 3}, {})]
    versions = {place.plan.product_id: [place.row(*COLOURS).asDict(recursive=True)]}
    found = find_links(rows, pipeline_json=PIPELINE, versions=versions, store=place.store)
    assert [set(f.records) for f in found] == [set(COLOURS), set(), set()]


def test_a_version_in_another_folder_lends_nothing(place: Place) -> None:
    row = place.row(*COLOURS)
    assert place.links(Row(**{**row.asDict(), "item": "products/elsewhere/S1.json"})).records == {}


def test_another_key_is_another_file(place: Place) -> None:
    row = place.row(*COLOURS)
    records = [{**r, "key": "0" * 64} for r in json.loads(row["records"])]
    assert place.links(Row(**{**row.asDict(), "records": json.dumps(records)})).records == {}
