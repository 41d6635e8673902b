"""Licence, providers and attribution follow the sensor, whatever a user calls his pipeline or platform."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.sinks.conftest import UTM12, scene_on

from swath.product import Product
from swath.scene import Scene
from swath.sensors import Provider
from swath.sinks.stac.collection import collection_of
from swath.sinks.stac.extent import Extent
from swath.sinks.stac.item import item_of

Json = dict[str, Any]
ACME = Provider(name="Acme", roles=("producer",), url="https://acme.example")


def _collection(name: str, *items: Json, before: Json | None = None) -> Json:
    return collection_of(name, items=items, before=before, extent=Extent(), years=[2014], links=[])


def _facts(record: Json) -> tuple[str, list[str], list[str], bool]:
    terms = [link["href"] for link in record["links"]]
    return record["license"], [p["name"] for p in record["providers"]], terms, "[2014]" in record["description"]


def _own(**changes: Any) -> Scene:
    return replace(scene_on(UTM12), family="sentinel-2-like", platform="sentinel-2-like", reader="stac", **changes)


def test_a_pipeline_named_after_one_sensor_over_another(product: Product) -> None:
    item = item_of(replace(product, pipeline="sentinel-2-like", collection="sentinel-2-like-landsat-oli"))
    record = _collection("sentinel-2-like-landsat-oli", item)
    assert _facts(record) == ("other", ["USGS", "swath"], ["https://www.usgs.gov/centers/eros/data-citation"], True)
    assert "public domain" in record["description"]
    assert "Copernicus" not in str(record)


def test_a_platform_named_after_a_sensor_is_the_users_own(make_product: Callable[..., Product]) -> None:
    item = item_of(make_product(UTM12, scene=_own()))
    assert not {"constellation", "license", "providers"} & set(item["properties"])
    assert _facts(_collection(item["collection"], item)) == ("other", ["swath"], [], False)


def test_a_users_own_sensor_has_the_terms_of_its_items(make_product: Callable[..., Product]) -> None:
    item = item_of(make_product(UTM12, scene=_own(license="CC-BY-4.0", providers=(ACME,))))
    assert item["properties"]["license"] == "CC-BY-4.0"
    assert item["properties"]["providers"] == [{"name": "Acme", "roles": ["producer"], "url": "https://acme.example"}]
    record = _collection(item["collection"], item)
    assert _facts(record) == ("CC-BY-4.0", ["Acme", "swath"], [], False)
    again = _collection(item["collection"], item, before=record)
    assert again == record
    without = item_of(make_product(UTM12, scene=_own(providers=(replace(ACME, name="Other"),))))
    assert _facts(_collection(item["collection"], without, before=record)) == ("other", ["Acme", "Other", "swath"], [], False)


def test_a_collection_whose_items_are_gone_keeps_its_terms(product: Product) -> None:
    record = _collection("ard-landsat-oli", item_of(product))
    assert _facts(_collection("ard-landsat-oli", before=record)) == _facts(record)


@pytest.mark.parametrize(
    ("family", "constellation"),
    [
        ("landsat-tm", "landsat"),
        ("landsat-5", "landsat"),
        ("sentinel-2-msi", "sentinel-2"),
        ("sentinel-2", "sentinel-2"),
        ("landsat-like", None),
        ("my-landsat-oli", None),
        ("sentinel-2-msi-x", None),
    ],
)
def test_the_constellation_is_the_familys(make_product: Callable[..., Product], family: str, constellation: str | None) -> None:
    item = item_of(make_product(UTM12, scene=replace(scene_on(UTM12), family=family)))
    assert item["properties"].get("constellation") == constellation


def test_terms_survive_the_tables() -> None:
    scene = _own(license="CC0-1.0", providers=(ACME,))
    assert Scene.from_json(scene.to_json()) == scene
