from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.errors import MetadataError
from swath.readers.sentinel2.bands import NATIVE_IDS, PLATFORMS, band_of
from swath.readers.sentinel2.metadata import MetadataFiles, Sentinel2Metadata, read_sentinel2_metadata
from swath.readers.sentinel2.product import offset_dn, read_product
from swath.readers.sentinel2.tile import read_tile

Xml = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    def write_text(text: str) -> str:
        path = tmp_path / "metadata.xml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_text


def test_offsets_belong_to_their_own_bands(product_xml: Xml, write: Callable[[str], str]) -> None:
    offsets = read_product(write(product_xml({}))).offsets
    assert offsets == {native: -1000.0 - index for index, native in enumerate(NATIVE_IDS)}
    assert offsets["B8A"] == -1008.0


@pytest.mark.parametrize(
    ("element", "value", "message"),
    [
        ("QUANTIFICATION_VALUE", None, r"QUANTIFICATION_VALUE is missing"),
        ("QUANTIFICATION_VALUE", "0", r"quantification value is not positive"),
        ("QUANTIFICATION_VALUE", "many", r"QUANTIFICATION_VALUE is not a number"),
        ("PROCESSING_BASELINE", "4", r"processing baseline is unreadable: expected NN\.NN"),
        ("PRODUCT_START_TIME", "yesterday", r"PRODUCT_START_TIME is not a time"),
        ("PRODUCT_URI", None, r"PRODUCT_URI is missing"),
        ("SPACECRAFT_NAME", "", r"SPACECRAFT_NAME is missing"),
        ("SENSING_ORBIT_NUMBER", "NaN", r"SENSING_ORBIT_NUMBER is not a number"),
        ("Radiometric_Offset_List", '<RADIO_ADD_OFFSET band_id="13">-1000</RADIO_ADD_OFFSET>', r"offset names no band"),
        ("Radiometric_Offset_List", '<RADIO_ADD_OFFSET band_id="1">x</RADIO_ADD_OFFSET>', r"RADIO_ADD_OFFSET is not a number"),
    ],
)
def test_what_a_product_lacks_is_named(
    product_xml: Xml, write: Callable[[str], str], element: str, value: str | None, message: str
) -> None:
    with pytest.raises(MetadataError, match=message):
        read_product(write(product_xml({element: value})))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Mean_Sun_Angle", "Mean_Moon_Angle", r"mean sun angles are missing"),
        ("<ZENITH_ANGLE>28.2<", "<ZENITH_ANGLE>NaN<", r"ZENITH_ANGLE is not a number"),
        ("SENSING_TIME", "NONSENSE_TIME", r"SENSING_TIME is missing"),
        ("_T32TQM_N05.11", "", r"tile id is unreadable"),
        ("Geoposition", "Geo", r"geocoding is incomplete"),
        ("<ULX>600000", "<ULX>inf", r"ULX is not a number"),
    ],
)
def test_what_a_granule_lacks_is_named(tile_xml: Xml, write: Callable[[str], str], old: str, new: str, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        read_tile(write(tile_xml({old: new})))


def test_entities_are_refused(tile_xml: Xml, write: Callable[[str], str]) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    with pytest.raises(MetadataError, match=r"metadata"):
        read_tile(write(bomb + tile_xml({"32TQM": "&b;"})))


def test_huge_metadata_is_refused(tile_xml: Xml, write: Callable[[str], str]) -> None:
    with pytest.raises(MetadataError, match=r"too large"):
        read_tile(write(tile_xml({}) + " " * (33 << 20)))


def test_swapped_documents_are_noticed(product_xml: Xml, tile_xml: Xml, write: Callable[[str], str]) -> None:
    with pytest.raises(MetadataError, match=r"not the metadata of a Sentinel-2 granule.*Level-1C_User_Product"):
        read_tile(write(product_xml({})))
    with pytest.raises(MetadataError, match=r"not the metadata of a Sentinel-2 product.*Level-1C_Tile_ID"):
        read_product(write(tile_xml({})))


def test_product_and_granule_of_two_satellites_are_noticed(product_xml: Xml, tile_xml: Xml, tmp_path: Path) -> None:
    product, tile = tmp_path / "p.xml", tmp_path / "t.xml"
    product.write_text(product_xml({"SPACECRAFT_NAME": "Sentinel-2A"}))
    tile.write_text(tile_xml({}))
    with pytest.raises(MetadataError, match=r"do not belong together.*sentinel-2a.*sentinel-2c"):
        read_sentinel2_metadata(MetadataFiles(product=str(product), tile=str(tile)))


def test_no_documents_at_all_are_an_error() -> None:
    with pytest.raises(MetadataError, match=r"no Sentinel-2 metadata"):
        Sentinel2Metadata(product=None, tile=None)


def test_heights_in_a_footprint_are_passed_over(product_xml: Xml, write: Callable[[str], str]) -> None:
    plain = read_product(write(product_xml({}))).footprint
    for heights in ("46 11 0 46 12 0 45 12 0 45 11 0 46 11 0", "46 11 0 46 12 0 45 12 0 45 11 0 46 11"):
        assert read_product(write(product_xml({"EXT_POS_LIST": heights}))).footprint == plain
    assert plain[0] == (11.0, 46.0)


@given(baseline=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_only_baselines_below_4_may_lack_offsets(baseline: tuple[int, int]) -> None:
    text = f"{baseline[0]:02d}.{baseline[1]:02d}"
    if baseline[0] < 4:
        assert offset_dn("B02", offsets={}, baseline=text) == 0.0
    else:
        with pytest.raises(MetadataError, match=r"offsets are missing"):
            offset_dn("B02", offsets={}, baseline=text)
    assert offset_dn("B02", offsets={"B02": -1000.0}, baseline=text) == -1000.0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_bands_lie_where_their_names_say(platform: str) -> None:
    """STAC eo extension 2.0, common band names: ranges of wavelength [um]."""
    ranges = {
        "coastal": (0.40, 0.45),
        "blue": (0.45, 0.53),
        "green": (0.51, 0.60),
        "red": (0.62, 0.69),
        "rededge071": (0.69, 0.73),
        "rededge075": (0.73, 0.76),
        "rededge078": (0.76, 0.80),
        "nir": (0.76, 1.00),
        "nir08": (0.80, 0.90),
        "nir09": (0.90, 1.00),
        "cirrus": (1.35, 1.40),
        "swir16": (1.55, 1.75),
        "swir22": (2.08, 2.35),
    }
    bands = [band_of(native, platform=platform) for native in NATIVE_IDS]
    assert {b.name for b in bands} == set(ranges)
    for band in bands:
        low, high = ranges[band.name]
        assert band.centre_um is not None
        assert band.fwhm_um is not None
        assert low < band.centre_um - band.fwhm_um / 4
        assert band.centre_um + band.fwhm_um / 4 < high
