"""STAC items: what they say, and that they always say it the same way."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone

import pystac
import pytest
import rasterio.crs
from tests.records import item_path

from swath.grid import Grid
from swath.product import REFLECTANCE, Product, Statistics
from swath.sinks.stac.assets import PictureRecord, statistics_object
from swath.sinks.stac.item import encode, item_of


def test_the_item_says_when_where_and_by_whom(product: Product) -> None:
    properties = item_of(product)["properties"]
    assert properties["datetime"] == "2014-07-12T18:22:31.500000Z"
    assert properties["platform"] == "landsat-8"
    assert properties["constellation"] == "landsat"
    assert properties["landsat:wrs_path"] == "040"
    assert properties["proj:code"] == "EPSG:32612"
    assert properties["proj:shape"] == [80, 100]
    assert properties["proj:bbox"] == [450_000.0, 5_197_600.0, 453_000.0, 5_200_000.0]
    assert properties["view:sun_azimuth"] == pytest.approx(219.5)
    assert properties["processing:level"] == "L2A"
    assert properties["swath:atmosphere"] == {"aot550": {"value": 0.14, "source": "scene"}}
    assert properties["swath:left_out"] == {"cirrus": "the delivery has no such band"}
    assert properties["swath:models"][0]["digest"] == "ab" * 32


def test_an_asset_tells_how_to_read_its_numbers(product: Product) -> None:
    red = item_of(product)["assets"]["red"]
    assert (red["data_type"], red["nodata"], red["raster:scale"], red["unit"]) == ("int16", -9999, 1e-4, "1")
    assert red["bands"][0]["eo:common_name"] == "red"
    assert red["bands"][0]["eo:full_width_half_max"] == 0.038
    assert red["file:checksum"] == "1220" + "ef" * 32
    assert red["swath:key"] == "01" * 32
    assert red["statistics"] == {
        "minimum": 100,
        "maximum": 300,
        "mean": 200.0,
        "stddev": pytest.approx(81.649658),
        "count": 4,
        "valid_percent": 75.0,
    }


def test_only_assets_on_another_grid_repeat_the_projection(product: Product) -> None:
    assets = item_of(product)["assets"]
    assert not [k for k in assets["red"] if k.startswith("proj:")]
    assert assets["lwir11"]["proj:shape"] == [40, 50]
    assert "proj:code" not in assets["lwir11"]
    assert assets["lwir11"]["raster:spatial_resolution"] == 60.0


def test_classes_and_bits_carry_their_legend(product: Product) -> None:
    assets = item_of(product)["assets"]
    water = assets["landcover"]["classification:classes"][0]
    assert water == {"value": 0, "name": "water", "description": "Water", "color_hint": "1e5ab4"}
    assert assets["landcover"]["swath:class_percent"] == {"water": 25.0, "forest": 75.0}
    assert [b["offset"] for b in assets["qa"]["classification:bitfields"]] == [0, 2]
    assert assets["qa"]["swath:bit_percent"] == {"nodata": 33.3333, "cloud": 33.3333}
    assert assets["qa"]["statistics"] == {"count": 3, "valid_percent": 100.0}
    assert not {"nodata", "unit", "raster:scale"} & assets["qa"].keys()


def test_statistics_of_nothing_have_no_mean() -> None:
    assert statistics_object(Statistics(count=9), encoding=REFLECTANCE) == {"count": 9, "valid_percent": 0.0}


def test_the_same_product_gives_the_same_bytes_in_any_time_zone(product: Product) -> None:
    there = product.scene.acquired.astimezone(timezone(timedelta(hours=9)))
    moved = replace(product, scene=replace(product.scene, acquired=there))
    assert encode(item_of(moved)) == encode(item_of(product))
    assert item_path(moved) == item_path(product)


def test_steps_are_canonical_whatever_the_order_of_parameters(product: Product) -> None:
    first, last = product.steps
    turned = replace(last, parameters=dict(reversed(list(last.parameters.items()))))
    assert encode(item_of(replace(product, steps=(first, turned)))) == encode(item_of(product))


def test_links_lead_up_to_the_root_and_back_to_the_scene(product: Product) -> None:
    links = {link["rel"]: link["href"] for link in item_of(product, model_hrefs={"ab" * 32: "m/model.json"})["links"]}
    path = item_path(product)
    assert path.startswith("products/ard-landsat-oli/2014/07/12/LC08")
    assert links["root"].count("../") == path.count("/")
    assert links["parent"].endswith("collections/ard-landsat-oli/2014/07/12/catalog.json")
    assert links["derived_from"] == product.scene.source_href
    assert links["mlm:model"] == "m/model.json"
    assert "self" not in links


def test_the_quicklook_is_an_overview(product: Product) -> None:
    picture = PictureRecord(href="p.thumbnail.png", bytes=10, digest="aa" * 32)
    thumbnail = item_of(product, pictures=(picture,))["assets"]["thumbnail"]
    assert thumbnail["roles"] == ["overview", "thumbnail"]
    assert thumbnail["type"] == "image/png"


def test_a_crs_without_a_code_is_given_as_wkt(make_product: Callable[..., Product]) -> None:
    proj4 = "+proj=laea +lat_0=45 +lon_0=-100 +datum=WGS84 +units=m"
    wkt = rasterio.crs.CRS.from_string(proj4).to_wkt()
    grid = Grid(crs=wkt, left=0.0, top=0.0, dx=30.0, dy=30.0, width=10, height=10)
    properties = item_of(make_product(grid))["properties"]
    assert properties["proj:code"] is None
    assert properties["proj:wkt2"].startswith("PROJCRS[")
    assert rasterio.crs.CRS.from_wkt(properties["proj:wkt2"]) == rasterio.crs.CRS.from_string(proj4)


def test_lists_of_numbers_stand_on_one_line_and_strings_are_untouched() -> None:
    stac = {"bbox": [1.5, -2e-05, 3], "say": "[\n 1,\n 2\n]", "links": []}
    text = encode(stac).decode()
    assert '"bbox": [1.5, -2e-05, 3]' in text
    assert json.loads(text) == stac


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"gsd": float("nan")})


def test_pystac_reads_the_item(product: Product) -> None:
    item = pystac.Item.from_dict(item_of(product))
    assert item.datetime == product.scene.acquired
    assert item.ext.proj.epsg == 32612
    assert set(item.assets) == {"red", "lwir11", "landcover", "qa"}
