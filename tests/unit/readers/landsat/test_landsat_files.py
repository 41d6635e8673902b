import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.readers.landsat.files import match_bands
from swath.readers.landsat.mtl_bands import MtlBand

OLD = [MtlBand(native_id="B1", file_name="L5090081_B10.TIF"), MtlBand(native_id="B6", file_name="L5090081_B60.TIF")]
OLI = [MtlBand(native_id=f"B{n}", file_name=f"LC08_X_B{n}.TIF") for n in (1, 2, 10, 11)]
QUALITY = [MtlBand(native_id="BQA", file_name="LC08_X_BQA.TIF"), MtlBand(native_id="QA_PIXEL", file_name="LC08_X_QA_PIXEL.TIF")]


def _rasters(*names: str) -> dict[str, str]:
    return {name: f"/data/{name}" for name in names}


def test_names_as_in_the_metadata_win_whatever_their_case() -> None:
    found = match_bands(OLI, rasters=_rasters("lc08_x_b1.tif", "LC08_X_B2.TIF", "other_B10.TIF"))
    assert found.hrefs == {"B1": "/data/lc08_x_b1.tif", "B2": "/data/LC08_X_B2.TIF"}
    assert set(found.passed_over) == {"B10", "B11"}


def test_a_band_one_is_not_a_band_ten() -> None:
    found = match_bands(OLI, rasters=_rasters("crop_B1.TIF", "cropB10.TIF", "crop-B11.tiff"))
    assert found.hrefs == {"B1": "/data/crop_B1.TIF", "B10": "/data/cropB10.TIF", "B11": "/data/crop-B11.tiff"}


def test_the_names_of_before_2012_say_b10_for_band_1() -> None:
    found = match_bands(OLD, rasters=_rasters("crop_B10.TIF", "crop_B60.TIF"))
    assert found.hrefs == {"B1": "/data/crop_B10.TIF", "B6": "/data/crop_B60.TIF"}


def test_quality_bands_are_matched_by_token() -> None:
    found = match_bands(QUALITY, rasters=_rasters("cropBQA.TIF", "crop_QA_PIXEL.TIF", "DEM.TIF"))
    assert found.hrefs == {"BQA": "/data/cropBQA.TIF", "QA_PIXEL": "/data/crop_QA_PIXEL.TIF"}


def test_rasters_of_nothing_we_know_match_nothing() -> None:
    found = match_bands(OLI, rasters=_rasters("DEM.TIF", "slope.tif"))
    assert not found.hrefs
    assert found.passed_over["B2"] == "not in the delivery (the metadata names LC08_X_B2.TIF)"


@pytest.mark.parametrize("token", ["B6_VCID_1", "B6_VCID_2"])
def test_both_gains_are_told_apart(token: str) -> None:
    bands = [MtlBand(native_id=t) for t in ("B6_VCID_1", "B6_VCID_2")]
    assert match_bands(bands, rasters=_rasters(f"crop_{token}.TIF")).hrefs == {token: f"/data/crop_{token}.TIF"}


@given(
    st.sets(st.sampled_from([1, 2, 10, 11]), min_size=1),
    st.sampled_from(["", "_", "-"]),
    st.from_regex(r"[a-z][a-z0-9]{0,8}x", fullmatch=True),
)
def test_any_stem_and_separator_match(numbers: set[int], separator: str, stem: str) -> None:
    names = {f"B{n}": f"{stem}{separator}B{n}.TIF" for n in numbers}
    assert match_bands(OLI, rasters=_rasters(*names.values())).hrefs == {t: f"/data/{n}" for t, n in names.items()}
