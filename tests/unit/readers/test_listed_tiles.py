"""Elevation that STAC lists: collections and item collections; only what is needed is read, and what is missing is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from swath.errors import ConfigError, GeometryError, ReadError
from swath.readers.elevation.listed import listed_tiles
from swath.readers.elevation.model import Elevation, open_elevation
from swath.readers.files.digest import file_digest, multihash


def glo30(lat: int, lon: int) -> str:
    return f"Copernicus_DSM_COG_10_{'N' if lat >= 0 else 'S'}{abs(lat):02d}_00_{'E' if lon >= 0 else 'W'}{abs(lon):03d}_00_DEM"


def tile(folder: Path, lat: int, lon: int, *, name: str = "") -> Path:
    """A tile of the height 100 lat + lon, half a pixel west and north of its cell, as Copernicus cuts them."""
    path = folder / f"{name or glo30(lat, lon)}.tif"
    profile: dict[str, Any] = {"width": 100, "height": 100, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    where = from_origin(lon - 0.005, lat + 1.005, 0.01, 0.01)
    with rasterio.open(path, "w", driver="GTiff", transform=where, **profile) as target:
        target.write(np.full((1, 100, 100), 100.0 * lat + lon, dtype=np.float32))
    return path


def item(path: Path, lat: int, lon: int, *, checksum: str = "", href: str = "") -> dict[str, Any]:
    data = {"href": href or path.name, "type": "image/tiff", "roles": ["data"]} | (
        {"file:checksum": checksum} if checksum else {}
    )
    box = [lon - 0.005, lat, lon + 1, lat + 1.005]
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": path.stem, "bbox": box, "links": [],
        "assets": {"data": data, "thumbnail": {"href": "x.tif", "roles": ["thumbnail"]}},
    }  # fmt: skip


def write(path: Path, document: dict[str, Any]) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def collection(folder: Path, hrefs: list[str]) -> str:
    links = [{"rel": "root", "href": "x.json"}, *({"rel": "item", "href": href} for href in hrefs)]
    return write(folder / "collection.json", {"type": "Collection", "stac_version": "1.0.0", "id": "dem", "links": links})


def heights(model: Elevation, *places: tuple[float, float]) -> list[float]:
    lon, lat = np.array(places).T
    return [float(v) for v in model.heights_m(lon, lat)]


def test_an_item_of_a_collection_is_read_when_its_tile_is_needed(tmp_path: Path) -> None:
    home = tmp_path / "items"
    home.mkdir()
    for lat, lon in ((44, 5), (44, 6), (-1, -1)):
        write(home / f"{glo30(lat, lon)}.json", item(tile(home, lat, lon), lat, lon))
    hrefs = [f"./items/{glo30(*cell)}.json" for cell in ((44, 5), (44, 6), (-1, -1), (10, 10))]
    model = open_elevation(collection(tmp_path, hrefs), datum="ellipsoid")
    assert heights(model, (5.5, 44.5), (6.5, 44.5), (-0.5, -0.5)) == pytest.approx([4405.0, 4406.0, -101.0])
    # The item of N10E010 is not there; nobody has asked for it.
    with pytest.raises(ReadError, match=r"an item of the site's rasters cannot be used: .*N10_00_E010_00_DEM\.json"):
        heights(model, (10.5, 10.5))
    with pytest.raises(GeometryError, match=r"the elevation lacks the tile N44E007: .*4 tiles that do not cover it \(N44E005, "):
        heights(model, (7.5, 44.5))


def test_an_item_collection_has_tiles_by_name_or_box_and_their_digests(tmp_path: Path) -> None:
    named, plain = tile(tmp_path, 44, 5), tile(tmp_path, 44, 6, name="east")
    said = multihash("ab" * 32)
    features = [item(named, 44, 5, checksum=said), item(plain, 44, 6, href=f"file://{plain}")]
    where = write(tmp_path / "dem.json", {"type": "FeatureCollection", "features": features})
    model = open_elevation(where, datum="ellipsoid")
    assert heights(model, (5.5, 44.5), (6.5, 44.5)) == pytest.approx([4405.0, 4406.0])
    west, east = (np.array([5.5]), np.array([44.5])), (np.array([6.5]), np.array([44.5]))
    assert [t.name for t in model.touching(*west)] == [named.name]
    assert model.touching(*west)[0].digest == "ab" * 32
    digests = model.digest(*west), model.digest(*east)
    # A tile that a product does not touch is no part of its key, whatever becomes of it.
    plain.write_bytes(b"")
    assert open_elevation(where, datum="ellipsoid").digest(*west) == digests[0] != digests[1]
    assert file_digest(str(named)) != "ab" * 32


def test_a_tile_that_is_listed_and_gone_is_named(tmp_path: Path) -> None:
    gone = tile(tmp_path, 44, 5)
    where = write(tmp_path / "gone.json", {"type": "FeatureCollection", "features": [item(gone, 44, 5)]})
    gone.unlink()
    with pytest.raises(ReadError, match=rf"a raster of the site cannot be opened: .*{gone.name}"):
        heights(open_elevation(where, datum="ellipsoid"), (5.5, 44.5))


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"type": "Collection", "links": []}, "got Collection without items"),
        ({"type": "FeatureCollection", "features": [{"id": "a", "assets": {}}]}, "0 rasters with the role data in the item a"),
        ({"links": [{"rel": "item", "href": "https://there.example/a.json"}]}, "tiles are read from folders and from S3"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, document: dict[str, Any], told: str) -> None:
    where = write(tmp_path / "list.json", document)
    with pytest.raises(ConfigError, match=told):
        listed_tiles(where)
    (tmp_path / "list.json").write_text("[", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"list\.json: expected a STAC collection with links to its items"):
        listed_tiles(where)
