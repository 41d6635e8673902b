"""Items as providers write them, small: USGS, Element 84, CDSE, Planetary Computer, DEA; and several files of one band."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.errors import MetadataError
from swath.readers.registry import read_scene
from swath.scene import Quality, Reflectance

OWN: Json = {"platform": "my-sat", "instruments": ["cam"], "s2:processing_baseline": None}


def test_a_usgs_item_is_what_its_mtl_file_says(write_landsat: Any, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    native = read_scene(str(folder))

    def told(suffix: str, **fields: Any) -> Json:
        path = next(folder.glob(f"*_{suffix}"))
        checksum = "1340" + hashlib.sha512(path.read_bytes()).hexdigest()
        return {"href": path.name, "type": "image/vnd.stac.geotiff; cloud-optimized=true", "file:checksum": checksum, **fields}

    quality = {"roles": ["cloud", "cloud-shadow", "snow-ice", "water-mask"]}
    assets = {
        **{n: told(f"{a.band.native_id}.TIF", roles=["data"], **{"eo:bands": [{"name": a.band.native_id, "common_name": n}]})
           for n, a in native.assets.items() if a.calibration.kind != "quality"},
        "qa_pixel": told("QA_PIXEL.TIF", **quality),
        "MTL.txt": {"href": next(folder.glob("*_MTL.txt")).name, "type": "text/plain", "roles": ["metadata"]},
    }  # fmt: skip
    properties = {
        "datetime": "2023-07-16T17:38:42.123456Z", "platform": "LANDSAT_9", "instruments": ["OLI_TIRS"], "gsd": 30,
        "view:sun_elevation": 64.25, "view:sun_azimuth": 123.5, "landsat:correction": "L1TP", "landsat:collection_number": "02",
    }  # fmt: skip
    item = {"type": "Feature", "stac_version": "1.0.0", "id": native.scene_id, "properties": properties, "assets": assets}
    (folder / "item.json").write_text(json.dumps({**item, "collection": "landsat-c2l1"}))
    scene = read_scene(str(folder / "item.json"))
    assert {n: a.calibration for n, a in scene.assets.items()} == {
        n: a.calibration for n, a in native.assets.items() if n != "qa_radsat"
    }
    assert scene.assets["lwir11"].calibration.kind == "thermal"
    assert scene.assets["qa_pixel"].calibration == Quality(scheme="landsat-c2-qa-pixel")
    assert {n: (a.digest, a.nodata) for n, a in scene.assets.items()} == {
        n: (a.digest, a.nodata) for n, a in native.assets.items() if n != "qa_radsat"
    }


def test_an_item_of_element_84_of_level_1c(write_item: WriteItem) -> None:
    raster = [
        {"nodata": 0, "data_type": "uint16", "bits_per_sample": 15, "spatial_resolution": 10, "scale": 1e-4, "offset": -0.1}
    ]
    eo = [{"name": "red", "common_name": "red", "center_wavelength": 0.665}]
    assets = {
        "red": asset_of("B04.tif", **{"eo:bands": eo, "raster:bands": raster}),
        "visual": {**asset_of("TCI.tif", **{"eo:bands": eo}), "roles": ["visual"]},
        "thumbnail": {"href": "preview.jpg", "type": "image/jpeg", "roles": ["thumbnail"]},
    }
    item = item_of(assets, **{"s2:product_type": "S2MSI1C"}) | {"collection": "sentinel-2-l1c", "stac_version": "1.0.0"}
    scene = read_scene(write_item(item))
    assert list(scene.assets) == ["red"]
    assert scene.assets["red"].calibration == Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True)


def test_an_item_of_cdse_of_level_1c(write_item: WriteItem, tmp_path: Path) -> None:
    write_item(item_of({"B04": asset_of("B04.tif")}))
    md5 = hashlib.new("md5", (tmp_path / "B04.tif").read_bytes(), usedforsecurity=False).hexdigest()
    red = {
        "bands": [{"name": "B04", "eo:common_name": "red"}],
        "data_type": "uint16",
        "nodata": 0,
        "file:checksum": f"d50110{md5}",
    }
    scaled = {"raster:scale": 1e-4, "raster:offset": -0.1}
    assets = {"B04": asset_of("B04.tif", **red, **scaled), "TCI": asset_of("TCI.tif", bands=[{"eo:common_name": "red"}])}
    told = {"processing:level": "L1", "product:type": "S2MSI1C", "processing:version": "05.11", "s2:processing_baseline": None}
    scene = read_scene(write_item(item_of(assets, **told) | {"collection": "sentinel-2-l1c"}))
    assert (list(scene.assets), scene.baseline) == (["red"], "05.11")
    assert scene.left_out["TCI"] == "it is a picture"


@pytest.mark.parametrize(
    ("collection", "properties"),
    [
        ("sentinel-2-l2a", {"s2:product_type": "S2MSI2A", "view:sun_elevation": None, "s2:mean_solar_zenith": 30.0}),
        ("landsat-c2-l2", {"platform": "landsat-8", "landsat:correction": "L2SP"}),
        ("hls2-l30", {"platform": "landsat-8"}),
        ("ga_s2bm_ard_3", {"odc:product": "ga_s2bm_ard_3", "datetime": None}),
        ("sentinel-2-c1-l2a", {"earthsearch:boa_offset_applied": True}),
    ],
)
def test_level_2_of_any_provider_is_the_first_cause(write_item: WriteItem, collection: str, properties: Json) -> None:
    item = item_of({"red": asset_of("r.tif")}, **properties) | {"collection": collection}
    with pytest.raises(MetadataError, match=r"my-scene: the item's bands are surface reflectance already"):
        read_scene(write_item(item))


def test_a_picture_never_wins_over_bands(write_item: WriteItem, tmp_path: Path, write_raster: Any) -> None:
    write_raster(tmp_path / "rgb.tif", dtype="uint8", count=3)
    rgb = [band_11(n, **{"raster:scale": 1 / 255, "raster:offset": 0.0}) for n in ("red", "green", "blue")]
    bands = {f"{n}_band": asset_of(f"{n}.tif", gsd=10, bands=[band_11(n)]) for n in ("red", "green", "blue")}
    for assets in ({"rgb": asset_of("rgb.tif", bands=rgb), **bands}, {**bands, "rgb": asset_of("rgb.tif", bands=rgb)}):
        scene = read_scene(write_item(item_of(assets, **OWN)))
        assert {Path(a.href).name for a in scene.assets.values()} == {"red.tif", "green.tif", "blue.tif"}
        assert scene.left_out["rgb"] == "an 8-bit picture beside bands of more bits"


def test_two_equal_files_of_a_band_are_a_message(write_item: WriteItem) -> None:
    both = {"a": asset_of("a.tif", bands=[band_11("red")]), "b": asset_of("b.tif", bands=[band_11("red")])}
    with pytest.raises(MetadataError, match=r"it is not clear which asset is red.*a band 1 and b band 1.*Name the right one"):
        read_scene(write_item(item_of(both, **OWN)))
    both["b"]["roles"] = ["data", "reflectance"]
    assert Path(read_scene(write_item(item_of(both, **OWN))).assets["red"].href).name == "b.tif"


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ({"datetime": "2016-12-31T23:59:60Z"}, datetime(2017, 1, 1, tzinfo=UTC)),
        ({"datetime": "2023-06-01t10:20:60.01z"}, datetime(2023, 6, 1, 10, 21, 0, 10_000, tzinfo=UTC)),
        ({"datetime": None, "start_datetime": "2023-06-01T10:00:00Z", "end_datetime": "2023-06-01T11:00:00Z"},
         datetime(2023, 6, 1, 10, 30, tzinfo=UTC)),
        ({"datetime": None, "start_datetime": "2023-06-01T10:00:00Z"}, datetime(2023, 6, 1, 10, tzinfo=UTC)),
        ({"datetime": "2023-06-01T10:00:00Z/2023-06-01T11:00:00Z"}, datetime(2023, 6, 1, 10, 30, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_times_of_every_legal_spelling_are_read(write_item: WriteItem, told: Json, meant: datetime) -> None:
    assert read_scene(write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}, **OWN, **told))).acquired == meant


def test_an_encoded_href_is_decoded_unless_a_file_has_its_very_name(write_item: WriteItem, tmp_path: Path) -> None:
    href = write_item(item_of({"red": asset_of("my data.tif", bands=[band_11("red")])}, **OWN))
    Path(href).write_text(Path(href).read_text().replace("my data.tif", "my%20data.tif"))
    assert Path(read_scene(href).assets["red"].href).name == "my data.tif"
    (tmp_path / "my%20data.tif").write_bytes((tmp_path / "my data.tif").read_bytes())
    assert Path(read_scene(href).assets["red"].href).name == "my%20data.tif"
