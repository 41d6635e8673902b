"""The map over a served catalogue: a real STAC API over pgSTAC."""

import pytest
import rasterio
from rasterio.warp import transform
from starlette.testclient import TestClient
from tests.catalog.test_search_run import Json, api, items  # noqa: F401  fixtures

from swath.errors import ConfigError
from swath.view.app import View
from swath.view.served import ServedSource

pytestmark = pytest.mark.filterwarnings("ignore::pystac_client.warnings.PystacClientWarning")


def test_items_are_listed_drawn_and_read(api: str, items: list[Json]) -> None:  # noqa: F811
    client = TestClient(View(ServedSource(api)).app(), base_url="http://127.0.0.1")
    told = client.get("/api/output").json()
    assert (told["collections"], told["complete"]) == (["a", "b"], True)
    listed = client.get("/api/products").json()["products"]
    assert {p["id"] for p in listed} == {"one", "two", "other"}
    assert [p["id"] for p in client.get("/api/products", params={"collection": "b"}).json()["products"]] == ["other"]
    assert client.get("/api/products", params={"first": "2100-01-01", "last": "2100-01-01"}).json()["products"] == []
    assert client.get("/api/quarantine").json() == []

    west, south, east, north = items[0]["bbox"]
    lon, lat = (west + east) / 2, (south + north) / 2
    readings = client.get("/api/products/two/point", params={"lon": lon, "lat": lat}).json()["readings"]
    with rasterio.open(items[0]["assets"]["red"]["href"]) as raster:
        xs, ys = transform("EPSG:4326", raster.crs, [lon], [lat])
        stored = raster.read(1)[raster.index(xs[0], ys[0])]
    assert next(r["stored"] for r in readings if r["asset"] == "red") == stored


def test_one_collection_can_be_asked_for(api: str) -> None:  # noqa: F811
    source = ServedSource(f"{api}/collections/b")
    assert source.summary()["products"] == 1
    assert source.located("nothing") is None


def test_what_is_no_api_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"expected a STAC API, or \.\.\./collections/ID of one"):
        ServedSource("http://127.0.0.1:9")
