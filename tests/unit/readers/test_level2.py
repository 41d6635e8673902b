"""Level-2 items as sources of composites: what each kind of product says, and what is asked for."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.stacks import BITS, JUDGED, Date, write_product, write_raster

from swath.algo.clear import distance_to, unusable_table
from swath.errors import MetadataError, MissingBandError
from swath.readers.level2.source import is_composite, read_reference, read_source
from swath.scene import Quality, Reflectance
from swath.source import MASK, Source
from swath.stack.composite import in_order

DAY = datetime(2024, 5, 1, 10, 30, tzinfo=UTC)
DN = np.arange(1, 401, dtype=np.uint16).reshape(20, 20)


def own(folder: Path, *, qa: int | None = JUDGED, **more: Any) -> Path:
    values = None if qa is None else np.full(DN.shape, qa, dtype=np.uint16)
    date = Date(reflectance={"red": DN.astype(np.int16)}, qa=values, day=DAY, name="own", **more)
    return write_product(date, folder)


def other(folder: Path, *, item_id: str, assets: dict[str, dict[str, Any]], **properties: Any) -> Path:
    """An item of others; every asset gets a file of its own."""
    for key, asset in assets.items():
        values = np.full((20, 20), asset.pop("value", 7), dtype=asset.pop("dtype", "uint16"))
        write_raster(folder / f"{key}.tif", values, left=600_000.0, top=5_000_000.0, pixel=asset.pop("pixel", 30.0), epsg=32633)
        asset |= {"href": f"./{key}.tif", "type": "image/tiff; application=geotiff"}
    said = {"datetime": "2024-05-01T10:30:00Z", **properties}
    record = {"type": "Feature", "stac_version": "1.0.0", "id": item_id, "links": [], "properties": said, "assets": assets}
    path = folder / "item.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def landsat(folder: Path, **scale: Any) -> Path:
    scale = scale or {"scale": 2.75e-05, "offset": -0.2, "nodata": 0}
    assets: dict[str, dict[str, Any]] = {
        "red": {"eo:bands": [{"name": "OLI_B4", "common_name": "red"}], "raster:bands": [scale], "roles": ["data"]},
        "qa_pixel": {"value": 21824, "roles": ["cloud", "cloud-shadow"]},
    }
    properties = {"platform": "landsat-8", "instruments": ["oli", "tirs"], "landsat:correction": "L2SP"}
    return other(
        folder, item_id="LC08_L2SP_190030_20240501_20240510_02_T1", assets=assets, **properties,
        **{"landsat:collection_number": "02", "landsat:wrs_path": "190", "landsat:wrs_row": "030"},
    )  # fmt: skip


def sentinel(folder: Path, *, offset: float | None = -0.1, **properties: Any) -> Path:
    scaled: dict[str, Any] = {"scale": 0.0001, "nodata": 0} | ({} if offset is None else {"offset": offset})
    assets: dict[str, dict[str, Any]] = {
        "red": {"eo:bands": [{"name": "B04", "common_name": "red"}], "raster:bands": [scaled], "pixel": 10.0},
        "scl": {"dtype": "uint8", "value": 4, "pixel": 20.0, "roles": ["data"]},
    }
    said = {"platform": "sentinel-2a", "instruments": ["msi"], "s2:processing_baseline": "05.10", "grid:code": "MGRS-33TVM"}
    return other(folder, item_id="S2A_33TVM_20240501_0_L2A", assets=assets, **{**said, **properties})


def test_a_product_of_swath_says_all_without_its_files(tmp_path: Path) -> None:
    path = own(tmp_path)
    for file in path.parent.glob("*.tif"):
        file.unlink()
    source = read_source(str(path))
    red = source.assets["red"]
    assert (red.calibration, red.nodata, red.dtype) == (Reflectance(gain=1e-4, offset=0.0, sun_normalised=True), -9999, "int16")
    assert (source.assets[MASK].calibration, source.bands) == (Quality(scheme="swath-qa"), ("red",))
    assert Source.from_plain(json.loads(json.dumps(source.to_plain()))) == source
    assert not is_composite(str(path))


def test_a_qa_that_judges_no_clouds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="own: the product's qa does not judge clouds"):
        read_source(str(own(tmp_path, qa=0)))


def test_a_product_without_qa_has_no_mask(tmp_path: Path) -> None:
    assert MASK not in read_source(str(own(tmp_path, qa=None))).assets


def test_landsat_level_2_has_its_scale_and_qa_pixel(tmp_path: Path) -> None:
    source = read_source(str(landsat(tmp_path)))
    red = source.assets["red"]
    assert (red.calibration, red.nodata) == (Reflectance(gain=2.75e-05, offset=-0.2, sun_normalised=True), 0)
    assert source.assets[MASK].calibration == Quality(scheme="landsat-c2-qa-pixel")
    assert source.acquisition == "landsat-8 190030 20240501"


def test_files_of_usgs_have_the_scale_of_its_product_guide_where_their_item_has_none(tmp_path: Path) -> None:
    name = "LC08_L2SP_190030_20240501_20240510_02_T1"
    path = landsat(tmp_path)
    item = json.loads(path.read_text(encoding="utf-8"))
    red = item["assets"]["red"]
    del red["raster:bands"]
    (tmp_path / "red.tif").rename(tmp_path / f"{name}_SR_B4.TIF")
    red["href"] = f"./{name}_SR_B4.TIF"
    path.write_text(json.dumps(item), encoding="utf-8")
    found = read_source(str(path)).assets["red"]
    assert (found.calibration, found.nodata) == (Reflectance(gain=2.75e-05, offset=-0.2, sun_normalised=True), 0)
    # Another file's numbers may mean anything.
    (tmp_path / f"{name}_SR_B4.TIF").rename(tmp_path / "mine.tif")
    red["href"] = "./mine.tif"
    path.write_text(json.dumps(item), encoding="utf-8")
    with pytest.raises(MissingBandError, match="no bands of surface reflectance"):
        read_source(str(path))


def test_sentinel_2_level_2_needs_its_offset_once(tmp_path: Path) -> None:
    source = read_source(str(sentinel(tmp_path)))
    assert source.assets["red"].calibration == Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True)
    assert source.assets[MASK].calibration == Quality(scheme="sentinel2-scl")
    with pytest.raises(MetadataError, match="the radiometric offset is missing"):
        read_source(str(sentinel(tmp_path, offset=None)))
    applied = {"earthsearch:boa_offset_applied": True}
    assert read_source(str(sentinel(tmp_path, offset=0.0, **applied))).assets["red"].calibration.offset == 0.0  # type: ignore[union-attr]
    with pytest.raises(MetadataError, match="says that the offset is in the pixels already, and gives one"):
        read_source(str(sentinel(tmp_path, **applied)))


def test_of_copies_of_a_band_at_other_samplings_the_finest_is_taken(tmp_path: Path) -> None:
    def scaled(metres: int) -> dict[str, Any]:
        raster = {"scale": 0.0001, "offset": 0, "nodata": 0, "data_type": "uint16", "spatial_resolution": metres}
        return {
            "eo:bands": [{"name": "rededge1", "common_name": "rededge", "center_wavelength": 0.704}],
            "raster:bands": [raster],
        }

    assets: dict[str, dict[str, Any]] = {
        "rededge1_60m": {**scaled(60), "pixel": 60.0},
        "rededge1": {**scaled(20), "pixel": 20.0},
        "scl_60m": {"dtype": "uint8", "pixel": 60.0},
        "scl": {"dtype": "uint8", "value": 4, "pixel": 20.0},
    }
    said = {"platform": "sentinel-2b", "instruments": ["msi"], "s2:processing_baseline": "02.14", "grid:code": "MGRS-22HBD"}
    source = read_source(str(other(tmp_path, item_id="S2B_22HBD_20210122_0_L2A", assets=assets, **said)))
    assert source.assets["rededge071"].grid.dx == source.assets[MASK].grid.dx == 20.0


def test_zones_of_one_digit_are_one_place_with_a_zero_and_without(tmp_path: Path) -> None:
    with_zero = read_source(str(sentinel(tmp_path, offset=-0.1, **{"grid:code": "MGRS-07HFE"})))
    without = read_source(str(sentinel(tmp_path, offset=-0.1, **{"grid:code": "MGRS-7HFE"})))
    assert with_zero.acquisition == without.acquisition


def test_hls_has_the_scale_of_its_user_guide(tmp_path: Path) -> None:
    assets: dict[str, dict[str, Any]] = {
        "B04": {"dtype": "int16", "eo:bands": [{"common_name": "red"}]}, "Fmask": {"dtype": "uint8", "value": 64}
    }  # fmt: skip
    path = other(tmp_path, item_id="HLS.L30.T33TVM.2024122T095000.v2.0", assets=assets, platform="landsat-8", instruments=["oli"])
    source = read_source(str(path))
    assert source.assets["red"].calibration == Reflectance(gain=1e-4, offset=0.0, sun_normalised=True)
    assert source.assets["red"].nodata == -9999
    assert source.assets[MASK].calibration == Quality(scheme="hls-fmask")


def test_a_product_of_the_top_of_the_atmosphere_is_compared_with_and_no_composite_is_made_of_it(tmp_path: Path) -> None:
    path = own(tmp_path)
    item = json.loads(path.read_text(encoding="utf-8"))
    both = {name: asset for name, asset in item["assets"].items() if asset["swath:layer"].startswith("sr:")}
    assert set(read_reference(str(path)).assets) == set(both)  # without the mask
    for asset in both.values():
        asset["swath:layer"] = asset["swath:layer"].replace("sr:", "toa:")
    path.write_text(json.dumps(item), encoding="utf-8")
    assert set(read_reference(str(path)).assets) == set(both)
    told = r"no bands of surface reflectance: expected a product of surface-reflectance or ard; got .*Make it with one of these"
    with pytest.raises(MissingBandError, match=told):
        read_source(str(path))


def test_level_1_and_items_without_bands_are_refused(tmp_path: Path) -> None:
    assets: dict[str, dict[str, Any]] = {"red": {"raster:bands": [{"scale": 1e-4}]}}
    with pytest.raises(MetadataError, match="a composite is made of surface reflectance"):
        read_source(str(other(tmp_path, item_id="mine", assets=assets, platform="skysat-1")))
    none: dict[str, dict[str, Any]] = {"elevation": {}}
    with pytest.raises(MissingBandError, match="no bands of surface reflectance"):
        read_source(str(other(tmp_path, item_id="mine", assets=none, platform="mine", **{"swath:level": "L2"})))


def test_of_versions_of_an_acquisition_the_newest_counts_whatever_the_order(tmp_path: Path) -> None:
    found = []
    for name, made in (("a", "2024-06-01T00:00:00Z"), ("b", "2024-08-01T00:00:00Z"), ("c", "2024-07-01T00:00:00Z")):
        (tmp_path / name).mkdir()
        found.append(read_source(str(sentinel(tmp_path / name, created=made))))
    assert in_order(found) == in_order(found[::-1]) == (found[1],)


@pytest.mark.parametrize(
    ("scheme", "instrument", "clear", "hidden"),
    [
        ("swath-qa", "oli", [JUDGED, JUDGED | BITS["water"]], [0, JUDGED | BITS["cloud"], JUDGED | BITS["shadow"], 1]),
        ("sentinel2-scl", "msi", [2, 4, 5, 6, 7, 11], [0, 1, 3, 8, 9, 10, 200]),
        ("hls-fmask", "msi", [0, 64, 32, 16], [255, 1, 2, 4, 8]),
        ("landsat-c2-qa-pixel", "oli", [21824, 21952, 30048], [1, 22280, 23888, 21826]),
    ],
)
def test_masks_speak_one_language(scheme: Any, instrument: str, clear: list[int], hidden: list[int]) -> None:
    table = unusable_table(scheme, instrument=instrument, flags=("cloud", "shadow", "cirrus", "adjacent", "saturated"))
    assert not table[clear].any()
    assert table[hidden].all()


def test_distances_are_euclidean_and_end_at_the_most() -> None:
    marked = np.random.default_rng(5).random((40, 50)) < 0.01
    y, x = np.nonzero(marked)
    rows, cols = np.mgrid[:40, :50]
    exact = np.sqrt((rows[..., None] - y) ** 2 + (cols[..., None] - x) ** 2).min(axis=-1)
    np.testing.assert_allclose(distance_to(marked, most_px=6), np.minimum(exact, 6), atol=1e-6)
    assert (distance_to(np.zeros((3, 3), dtype=np.bool_), most_px=2) == 2).all()
