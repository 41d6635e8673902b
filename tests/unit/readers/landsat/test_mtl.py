from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isnan
from pathlib import Path

import pytest

from swath.errors import MetadataError
from swath.readers.landsat.mtl import Mtl, read_mtl

MtlText = Callable[[Mapping[str, str | None]], str]

OLD = """GROUP = L1_METADATA_FILE
  GROUP = PRODUCT_METADATA
    PRODUCT_TYPE = "L1T"
    SPACECRAFT_ID = "Landsat7"
    SENSOR_ID = "ETM+"
    ACQUISITION_DATE = 2009-04-15
    SCENE_CENTER_SCAN_TIME = 23:39:26.9314625Z
    WRS_PATH = 90
    STARTING_ROW = 81
    BAND1_FILE_NAME = "L71090081_08120090415_B10.TIF"
    BAND61_FILE_NAME = "L71090081_08120090415_B61.TIF"
  END_GROUP = PRODUCT_METADATA
  GROUP = MIN_MAX
    LMAX_BAND1 = 191.600
    LMIN_BAND1 = -6.200
    QCALMAX_BAND1 = 255.0
    QCALMIN_BAND1 = 1.0
    LMAX_BAND61 = 17.040
    LMIN_BAND61 = 0.000
    QCALMAX_BAND61 = 255.0
    QCALMIN_BAND61 = 1.0
  END_GROUP = MIN_MAX
  GROUP = PRODUCT_PARAMETERS
    SUN_AZIMUTH = 44.5023798
    SUN_ELEVATION = 37.9491813
  END_GROUP = PRODUCT_PARAMETERS
END_GROUP = L1_METADATA_FILE
END
"""


def _read(folder: Path, text: str) -> Mtl:
    path = folder / "X_MTL.txt"
    path.write_text(text)
    return read_mtl(str(path))


def test_collection_2_metadata_is_read(mtl_text: MtlText, tmp_path: Path) -> None:
    mtl = _read(tmp_path, mtl_text({}))
    assert (mtl.spacecraft, mtl.sensor, mtl.level, mtl.collection, mtl.category) == (9, "OLI_TIRS", "L1TP", "02", "T1")
    assert mtl.acquired == datetime(2023, 7, 16, 17, 38, 42, 123456, tzinfo=UTC)
    assert (mtl.sun_elevation_deg, mtl.sun_azimuth_deg, mtl.earth_sun_distance_au) == (64.25, 123.5, 1.016399)
    assert (mtl.wrs_path, mtl.wrs_row, mtl.cloud_cover_percent) == (33, 33, 12.34)
    assert (mtl.bands["B10"].k1, mtl.bands["B10"].k2_k) == (799.0284, 1329.2405)
    assert mtl.bands["B4"].quantize_max == 65535
    assert mtl.bands["QA_RADSAT"].file_name.endswith("_QA_RADSAT.TIF")


def test_metadata_before_2012_gives_the_gains_of_the_2014_processing(tmp_path: Path) -> None:
    mtl = _read(tmp_path, OLD)
    assert (mtl.spacecraft, mtl.sensor, mtl.wrs_row, mtl.earth_sun_distance_au) == (7, "ETM", 81, None)
    blue, thermal = mtl.bands["B1"].radiance, mtl.bands["B6_VCID_1"].radiance
    assert blue is not None
    assert thermal is not None
    # the same ranges, as USGS prints them since 2014: RADIANCE_MULT_BAND_1 = 7.7874E-01, _ADD_ = -6.97874; 6.7087E-02
    assert (blue.gain, blue.offset) == pytest.approx((7.7874e-01, -6.97874), abs=5e-6)
    assert (thermal.gain, thermal.offset) == pytest.approx((6.7087e-02, -0.06709), abs=5e-6)


def test_a_gain_rounded_to_two_digits_gives_way_to_the_range(tmp_path: Path) -> None:
    rounded = "    RADIANCE_MULT_BAND_1 = 0.78\n    RADIANCE_ADD_BAND_1 = -6.97874\n    SUN_AZIMUTH"
    blue = _read(tmp_path, OLD.replace("    SUN_AZIMUTH", rounded)).bands["B1"].radiance
    assert blue is not None
    assert blue.gain == pytest.approx(7.7874e-01, abs=5e-6)


def test_a_gain_with_five_digits_is_kept_as_delivered(mtl_text: MtlText, tmp_path: Path) -> None:
    radiance = _read(tmp_path, mtl_text({})).bands["B4"].radiance
    assert radiance is not None
    assert (radiance.gain, radiance.offset) == (0.0125, -62.5)


def test_an_unknown_cloud_cover_is_none(mtl_text: MtlText, tmp_path: Path) -> None:
    assert _read(tmp_path, mtl_text({"CLOUD_COVER": "-1"})).cloud_cover_percent is None
    assert _read(tmp_path, mtl_text({"CLOUD_COVER": None})).cloud_cover_percent is None


def test_a_sun_that_is_no_number_parses(mtl_text: MtlText, tmp_path: Path) -> None:
    assert isnan(_read(tmp_path, mtl_text({"SUN_ELEVATION": "NaN"})).sun_elevation_deg)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"SPACECRAFT_ID": '"SPOT_5"'}, "unknown spacecraft: expected LANDSAT_1 to LANDSAT_9; got 'SPOT_5'"),
        ({"SENSOR_ID": None}, "incomplete: expected a value for SENSOR_ID; got none in .*X_MTL.txt"),
        ({"SUN_ELEVATION": None}, "expected a value for SUN_ELEVATION"),
        ({"SUN_ELEVATION": "high"}, "not a number: expected a number for SUN_ELEVATION; got 'high'"),
        ({"DATE_ACQUIRED": "2023-13-40"}, "acquisition time cannot be understood: .* got '2023-13-40'"),
        ({"REFLECTANCE_MULT_BAND_4": "inf"}, "a coefficient is not finite: .* REFLECTANCE_MULT_BAND_4 = inf"),
    ],
)
def test_wrong_values_are_named(mtl_text: MtlText, tmp_path: Path, edits: dict[str, str | None], message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        _read(tmp_path, mtl_text(edits))


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("SUN_ELEVATION", None, "incomplete"),
        ("DATE_ACQUIRED", "2016-13-41", "acquisition time"),
        ("SPACECRAFT_ID", '"LANDSAT_12"', "spacecraft"),
    ],
)
def test_metadata_that_cannot_be_used_is_named_by_the_id_that_it_states(
    mtl_text: MtlText, tmp_path: Path, key: str, value: str | None, told: str
) -> None:
    with pytest.raises(MetadataError, match=rf"^LC0\w+: .*{told}"):
        _read(tmp_path, mtl_text({key: value}))
