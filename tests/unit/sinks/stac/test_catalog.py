"""The static catalogue: browsable, exact, and the same however it came about."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pystac
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.records import item_path

from swath.product import Product
from swath.sinks.stac.catalog import CatalogRow, rebuild
from swath.sinks.stac.extent import union
from swath.sinks.stac.item import encode, item_of


class Files:
    """Files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def json(self, path: str) -> Any:
        return json.loads(self.files[path])


def row(name: str, *, day: int, month: int = 7, collection: str = "ard-landsat-oli", west: float = 10.0) -> CatalogRow:
    return CatalogRow(
        collection=collection,
        acquired=datetime(2014, month, day, 12, tzinfo=UTC),
        product_id=name,
        href=f"products/{collection}/2014/{month:02d}/{day:02d}/{name}/{name}.json",
        bbox=(west, 40.0, west + 1.0, 41.0),
        platform="landsat-8",
    )


ROWS = [row("a", day=12), row("b", day=12, west=14.0), row("c", day=30), row("d", day=2, month=9, west=-3.0)]


def test_every_item_is_reached_from_the_root(tmp_path: Path, product: Product) -> None:
    store = Files()
    item = item_of(product)
    path = item_path(product)
    store.write(path, encode(item))
    west, south, east, north = item["bbox"]
    here = CatalogRow(
        collection=product.collection,
        acquired=product.scene.acquired,
        product_id=product.product_id,
        href=path,
        bbox=(west, south, east, north),
        platform="landsat-8",
    )
    rebuild([here], store=store)
    for name, data in store.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    catalog = pystac.Catalog.from_file(str(tmp_path / "catalog.json"))
    found = list(catalog.get_items(recursive=True))
    assert [i.id for i in found] == [product.product_id]
    collection = found[0].get_collection()
    assert collection is not None
    assert collection.summaries.lists["platform"] == ["landsat-8"]
    parent = found[0].get_parent()
    assert parent is not None
    assert parent.title == "2014-07-12"
    assert collection.extent.spatial.bboxes == [item["bbox"]]


def test_the_extent_is_that_of_all_items() -> None:
    store = Files()
    rebuild(ROWS, store=store)
    record = store.json("collections/ard-landsat-oli/collection.json")
    assert record["extent"]["spatial"]["bbox"] == [[-3.0, 40.0, 15.0, 41.0]]
    assert record["extent"]["temporal"]["interval"] == [["2014-07-12T12:00:00Z", "2014-09-02T12:00:00Z"]]
    assert record["swath:extent"]["items"] == 4


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(sorted({r.day for r in ROWS})))
def test_days_in_any_order_give_the_files_of_one_go(order: list[date]) -> None:
    at_once, by_day = Files(), Files()
    rebuild(ROWS, store=at_once)
    for day in order:
        rebuild([r for r in ROWS if r.day == day], store=by_day)
    assert by_day.files == at_once.files


def test_a_second_rebuild_writes_nothing() -> None:
    store = Files()
    assert rebuild(ROWS, store=store)
    assert rebuild(ROWS, store=store) == ()


def test_a_day_without_items_disappears_and_the_extent_shrinks() -> None:
    store = Files()
    rebuild(ROWS, store=store)
    rebuild([], store=store, touched=[("ard-landsat-oli", date(2014, 9, 2))])
    record = store.json("collections/ard-landsat-oli/collection.json")
    year = store.json("collections/ard-landsat-oli/2014/catalog.json")
    assert record["extent"]["spatial"]["bbox"] == [[10.0, 40.0, 15.0, 41.0]]
    assert [link["href"] for link in year["links"] if link["rel"] == "child"] == ["./07/catalog.json"]


def test_other_collections_stay_in_the_root() -> None:
    store = Files()
    rebuild(ROWS, store=store)
    sentinel_row = row("s", day=1, collection="toa-sentinel-2-msi")
    said = {"constellation": "sentinel-2", "processing:software": {"swath": "1"}}
    store.write(sentinel_row.href, encode({"properties": said, "assets": {}}))
    rebuild([sentinel_row], store=store)
    titles = [link["title"] for link in store.json("catalog.json")["links"] if link["rel"] == "child"]
    assert titles == ["ard-landsat-oli", "toa-sentinel-2-msi"]
    sentinel = store.json("collections/toa-sentinel-2-msi/collection.json")
    assert "Contains modified Copernicus Sentinel data [2014]" in sentinel["description"]


def test_boxes_on_both_sides_of_the_antimeridian_stay_small() -> None:
    assert union([(179.0, -5.0, 179.5, 0.0), (-179.5, -4.0, -179.0, 1.0)]) == (179.0, -5.0, -179.0, 1.0)
    assert union([(179.0, 0.0, -179.0, 1.0), (-178.0, 0.0, -177.0, 1.0)]) == (179.0, 0.0, -177.0, 1.0)
    assert union([(179.0, 0.0, -179.0, 1.0), (-1.0, 0.0, 1.0, 1.0)]) == (-180.0, 0.0, 180.0, 1.0)
    assert union([(-170.0, 0.0, -160.0, 1.0), (-150.0, 0.0, -140.0, 1.0)]) == (-170.0, 0.0, -140.0, 1.0)
