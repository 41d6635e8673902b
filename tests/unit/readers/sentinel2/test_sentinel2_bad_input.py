"""Broken Sentinel-2 deliveries: each says what is wrong, and nothing but a SceneError comes out."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio
from tests.unit.readers.sentinel2.conftest import NAME

from swath.errors import GeometryError, MetadataError, MissingBandError, ReadError, SceneError, UnsupportedSensorError
from swath.readers import registry
from swath.readers.sentinel2.product import product_name
from swath.readers.sentinel2.scene import read_scene

WriteSafe = Callable[..., Path]


def images_of(safe: Path) -> Path:
    return next(safe.glob("GRANULE/*/IMG_DATA"))


@pytest.mark.parametrize("offsets", [None, '<RADIO_ADD_OFFSET band_id="0">-1000</RADIO_ADD_OFFSET>'])
def test_from_baseline_4_on_missing_offsets_are_an_error(write_safe: WriteSafe, offsets: str | None) -> None:
    safe = write_safe(product={"Radiometric_Offset_List": offsets})
    with pytest.raises(MetadataError, match=r"offsets are missing.*RADIO_ADD_OFFSET.*baseline 05\.11") as caught:
        read_scene(str(safe))
    assert caught.value.scene_id == safe.stem


@pytest.mark.parametrize("old", ["PROCESSING_BASELINE", "GENERATION_TIME", "QUANTIFICATION_VALUE"])
def test_product_metadata_that_cannot_be_used_is_named_by_the_product(write_safe: WriteSafe, old: str) -> None:
    safe = write_safe(product={old: None})
    with pytest.raises(MetadataError, match=old) as caught:
        read_scene(str(safe))
    assert caught.value.scene_id == safe.stem


def test_a_granule_that_is_cut_short_is_named_by_its_product(write_safe: WriteSafe) -> None:
    safe = write_safe()
    granule = next(safe.glob("GRANULE/*/MTD_TL.xml"))
    granule.write_bytes(granule.read_bytes()[:400])
    with pytest.raises(MetadataError, match="not well-formed XML") as caught:
        read_scene(str(safe))
    assert caught.value.scene_id == safe.stem


def test_a_delivery_without_bands_is_an_error(write_safe: WriteSafe) -> None:
    safe = write_safe()
    shutil.rmtree(images_of(safe))
    with pytest.raises(MissingBandError, match=r"has no bands: expected B01 to B12"):
        read_scene(str(safe))


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_truncated_band_is_a_read_error_with_a_remedy(write_safe: WriteSafe, keep: int) -> None:
    safe = write_safe()
    band = next(images_of(safe).glob("*_B03.jp2"))
    band.write_bytes(band.read_bytes()[:keep])
    with pytest.raises(ReadError, match=r"(truncated|empty).*_B03\.jp2.*Fetch the file again") as caught:
        read_scene(str(safe))
    assert caught.value.scene_id == safe.stem


def test_a_band_of_another_type_is_a_read_error(write_safe: WriteSafe) -> None:
    safe = write_safe(rasters={"B04": {"dtype": "uint8"}})
    with pytest.raises(ReadError, match=r"B04 is of another type: expected one band of uint16; got 1 of uint8"):
        read_scene(str(safe))


def test_bands_over_different_ground_are_an_error(write_safe: WriteSafe) -> None:
    elsewhere = rasterio.Affine(20.0, 0.0, 700000.0, 0.0, -20.0, 5100000.0)
    safe = write_safe(rasters={"B11": {"transform": elsewhere}})
    with pytest.raises(GeometryError, match=r"different extents.*B11"):
        read_scene(str(safe))


def test_another_crs_than_the_metadata_says_is_an_error(write_safe: WriteSafe) -> None:
    safe = write_safe(tile={"EPSG:32632": "EPSG:32633"})
    with pytest.raises(GeometryError, match=r"another coordinate system.*EPSG:32633.*EPSG:32632"):
        read_scene(str(safe))


def test_bands_of_another_tile_than_the_metadata_are_an_error(write_safe: WriteSafe) -> None:
    safe = write_safe(tile={"<ULX>": "<ULX>9"})
    with pytest.raises(MetadataError, match=r"B\w\w is of another place than its metadata says.*a part of 9\d{6}, "):
        read_scene(str(safe))


def test_level_2a_is_refused_with_a_remedy(write_safe: WriteSafe) -> None:
    safe = write_safe(product={"PROCESSING_LEVEL": "Level-2A"}, tile={"Level-1C_Tile_ID": "Level-2A_Tile_ID"})
    with pytest.raises(MetadataError, match=r"surface reflectance already.*Level-2A.*Give the Level-1C"):
        read_scene(str(safe))


def test_a_satellite_without_wavelengths_is_unsupported(write_safe: WriteSafe) -> None:
    safe = write_safe(product={"SPACECRAFT_NAME": "Sentinel-2E"}, tile={"S2C_OPER_MSI_L1C_TL": "S2E_OPER_MSI_L1C_TL"})
    with pytest.raises(UnsupportedSensorError, match=r"'sentinel-2e'"):
        read_scene(str(safe))


def test_the_sun_below_the_horizon_is_a_geometry_error(write_safe: WriteSafe) -> None:
    safe = write_safe(tile={"<ZENITH_ANGLE>28.2<": "<ZENITH_ANGLE>93.5<"})
    with pytest.raises(GeometryError, match=r"sun is not above the horizon"):
        read_scene(str(safe))


def test_several_granules_are_an_error_and_one_of_them_a_scene(write_safe: WriteSafe) -> None:
    safe = write_safe()
    first = next((safe / "GRANULE").iterdir())
    whole = read_scene(str(safe))
    shutil.copytree(first, safe / "GRANULE" / "L1C_T32TQN_A003901_20250601T101043")
    with pytest.raises(MetadataError, match=r"several granules.*name one granule's folder"):
        read_scene(str(safe))
    assert registry.read_scene(str(first)).digest == whole.digest


def test_a_safe_without_its_granules_metadata_is_an_error(write_safe: WriteSafe) -> None:
    safe = write_safe()
    next(safe.glob("GRANULE/*/MTD_TL.xml")).unlink()
    with pytest.raises(MetadataError, match=r"granule's metadata is missing: expected MTD_TL\.xml"):
        read_scene(str(safe))


def test_a_safe_without_the_products_metadata_lacks_its_offsets(write_safe: WriteSafe) -> None:
    safe = write_safe()
    (safe / "MTD_MSIL1C.xml").unlink()
    with pytest.raises(MetadataError, match=r"offsets are missing.*MTD_MSIL1C\.xml"):
        read_scene(str(safe))


@pytest.mark.parametrize("name", ["MTD_MSIL1C.xml", "MTD_TL.xml"])
@pytest.mark.parametrize("text", ["", "<a>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "\x00\x01"])
def test_broken_metadata_is_a_metadata_error(write_safe: WriteSafe, name: str, text: str) -> None:
    safe = write_safe()
    next(safe.rglob(name)).write_text(text)
    with pytest.raises(MetadataError, match=rf"metadata.*{name}"):
        read_scene(str(safe))


@pytest.mark.parametrize("name", ["nowhere", "nowhere.zip"])
def test_a_path_that_is_not_there_is_a_read_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReadError, match=r"not there|archive cannot be read"):
        read_scene(str(tmp_path / name))


def test_a_folder_of_other_things_is_a_metadata_error(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(MetadataError, match=r"no Sentinel-2 metadata was found.*1 other files"):
        read_scene(str(tmp_path))


def test_a_broken_zip_is_a_read_error(write_safe: WriteSafe, zip_folder: Callable[[Path], Path]) -> None:
    archive = zip_folder(write_safe())
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(ReadError, match=r"archive cannot be read"):
        read_scene(str(archive))


def test_metadata_with_holes_gives_a_scene_or_a_scene_error(write_safe: WriteSafe) -> None:
    safe = write_safe()
    tile = next(safe.glob("GRANULE/*/MTD_TL.xml"))
    whole = tile.read_text()
    refused = 0
    for start in range(0, len(whole), len(whole) // 60):
        tile.write_text(whole[:start] + whole[start + 7 :])
        try:
            read_scene(str(safe))
        except SceneError:
            refused += 1
    assert 20 < refused <= 61


def test_level_2_is_told_before_anything_else_that_is_wrong(write_safe: WriteSafe) -> None:
    safe = write_safe(
        product={"PROCESSING_LEVEL": "Level-2A"}, tile={"Level-1C_Tile_ID": "Level-2A_Tile_ID", "Mean_Sun_Angle": "Gone"}
    )
    with pytest.raises(MetadataError, match=r"surface reflectance already.*Level-2A"):
        read_scene(str(safe))


def test_a_product_uri_that_is_a_url_names_the_product(write_safe: WriteSafe) -> None:
    plain = read_scene(str(write_safe()))
    url = f"https://example.com/odata/{plain.scene_id}.SAFE"
    assert product_name(url) == product_name(f"{plain.scene_id}.SAFE") == product_name(f"{url}/?a=b") == plain.scene_id


@pytest.mark.parametrize("uri", ["https://host/odata/v1/Products(0b1c)/$value", "/eodata/latest", "product.SAFE"])
def test_a_product_uri_that_names_no_product_leaves_the_granule_to_name_the_scene(write_safe: WriteSafe, uri: str) -> None:
    scene = read_scene(str(write_safe(product={"PRODUCT_URI": uri})))
    assert scene.scene_id.startswith("S2C_OPER_MSI_L1C_TL_")
    assert "_T32TQM" in scene.scene_id
    assert product_name(f"https://host/odata/v1/Products('{NAME}.SAFE')/$value") == NAME
