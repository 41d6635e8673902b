"""STAC items as people write them, and the fixture that writes them with their rasters."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
WriteItem = Callable[..., str]
PROPERTIES: Json = {
    "datetime": "2023-06-01T10:20:30Z",
    "platform": "sentinel-2a",
    "instruments": ["msi"],
    "gsd": 30,
    "view:sun_elevation": 55.5,
    "view:sun_azimuth": 143.25,
    "view:off_nadir": 4.5,
    "view:azimuth": 287.0,
    "eo:cloud_cover": 7.5,
    "grid:code": "MGRS-32TQM",
    "s2:processing_baseline": "05.09",
    "unrelated": "not kept",
}


def item_of(assets: Json, **properties: Any) -> Json:
    told = {k: v for k, v in {**PROPERTIES, **properties}.items() if v is not None}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "my-scene",
        "geometry": None,
        "properties": told,
        "links": [{"rel": "self", "href": "https://example.com/item.json"}],
        "assets": assets,
    }


def asset_of(href: str, **fields: Any) -> Json:
    return {"href": href, "type": "image/tiff; application=geotiff; profile=cloud-optimized", "roles": ["data"], **fields}


def band_11(common: str, **fields: Any) -> Json:
    """STAC 1.1: one list, fields with prefixes."""
    return {"name": common, "eo:common_name": common, "raster:scale": 1e-4, "raster:offset": -0.1, "nodata": 0, **fields}


@pytest.fixture
def write_item(tmp_path: Path, write_raster: Any) -> WriteItem:
    """Write an item, and a raster for each local asset that has none yet."""

    def write(item: Json, **profile: Any) -> str:
        for asset in item["assets"].values():
            path = tmp_path / asset.get("href", "nothing.txt")
            if path.suffix == ".tif" and "://" not in asset["href"] and not path.exists():
                path.parent.mkdir(exist_ok=True)
                write_raster(path, **profile)
        path = tmp_path / "item.json"
        path.write_text(json.dumps(item), encoding="utf-8")
        return str(path)

    return write
