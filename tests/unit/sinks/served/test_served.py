import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.records import item_path

from swath.product import Product
from swath.sinks.served.items import TREE, absolute, served_collection, served_item
from swath.sinks.stac.item import encode, item_of
from swath.sinks.stac.validate import StacValidator

BASE = "https://data.example.org/out"


@pytest.fixture
def item(product: Product) -> dict[str, Any]:
    return item_of(product)


def test_every_href_stands_for_itself(product: Product, item: dict[str, Any]) -> None:
    path = item_path(product)
    served = served_item(encode(item), path=path, base=BASE)
    folder = path.rsplit("/", 1)[0]
    for name, asset in served["assets"].items():
        assert asset["href"] == f"{BASE}/{folder}/{item['assets'][name]['href'].removeprefix('./')}"
    assert {link["rel"] for link in served["links"]} & TREE == set()
    (canonical,) = [link for link in served["links"] if link["rel"] == "canonical"]
    assert canonical["href"] == f"{BASE}/{path}"
    assert canonical["file:checksum"] == f"1220{hashlib.sha256(encode(item)).hexdigest()}"
    assert canonical["file:size"] == len(encode(item))
    assert all("://" in link["href"] or link["href"].startswith("/") for link in served["links"])


def test_only_hrefs_and_links_differ(product: Product, item: dict[str, Any]) -> None:
    served = served_item(encode(item), path=item_path(product), base=BASE)
    rest = set(item) - {"links", "assets"}
    assert {k: served[k] for k in rest} == {k: item[k] for k in rest}
    for name, asset in served["assets"].items():
        assert asset | {"href": ""} == item["assets"][name] | {"href": ""}


def test_a_served_item_is_valid_stac(product: Product, item: dict[str, Any]) -> None:
    served = served_item(encode(item), path=item_path(product), base=BASE)
    found = StacValidator(None).validate(served)
    assert found.checked
    assert found.findings == ()


def test_the_source_scene_stays_linked(product: Product, item: dict[str, Any]) -> None:
    served = served_item(encode(item), path=item_path(product), base=BASE)
    sources = [link["title"] for link in served["links"] if link["rel"] == "derived_from"]
    assert sources == [f"scene {product.scene.scene_id}"]


@pytest.mark.parametrize(
    ("href", "base", "expected"),
    [
        ("./a.tif", "s3://bucket/out", "s3://bucket/out/products/x/a.tif"),
        ("./a.tif", "s3://bucket/out/", "s3://bucket/out/products/x/a.tif"),
        ("../y/a.tif", "file:///data/out", "file:///data/out/products/y/a.tif"),
        ("a b#1.tif", "https://host/out", "https://host/out/products/x/a%20b%231.tif"),
        ("a b#1.tif", "s3://bucket/out", "s3://bucket/out/products/x/a b#1.tif"),
        ("https://else.where/a.tif", "s3://bucket/out", "https://else.where/a.tif"),
        ("/data/scene", "s3://bucket/out", "/data/scene"),
    ],
)
def test_hrefs_become_absolute(href: str, base: str, expected: str) -> None:
    assert absolute(href, folder="products/x", base=base) == expected


@given(order=st.permutations([0, 1, 2, 3]), cut=st.integers(min_value=1, max_value=3))
def test_a_collection_does_not_depend_on_the_order_of_its_items(order: list[int], cut: int) -> None:
    items = [_item(n) for n in range(4)]
    whole = served_collection("toa-x", items=items, before=None, base=BASE)
    first = served_collection("toa-x", items=[items[i] for i in order[:cut]], before=None, base=BASE)
    both = served_collection("toa-x", items=[items[i] for i in order[cut:]], before=first, base=BASE)
    assert both == whole


def _item(number: int) -> dict[str, Any]:
    return {
        "bbox": [float(number), 40.0, number + 1.0, 41.0 + number],
        "properties": {
            "datetime": f"202{number}-03-04T05:06:07Z",
            "platform": f"p{number % 2}",
            "processing:software": {"swath": "1.0"},
        },
        "assets": {f"band{number}": {"href": "x", "title": "T", "type": "image/tiff"}},
    }
