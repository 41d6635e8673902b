from typing import Any

import pytest

from swath.readers.gate.levels import has_two_levels, level_in, stated_level

LEVEL2 = """
    L2; L2A; Level-2A; LEVEL 2; 2A; S2MSI2A; S2MSI2Ap; L2SP; hls2-s30; hls2-l30; HLSS30_2.0; HLSL30.v2.0; ga_s2am_ard_3;
    ga_ls8c_ard_3; ga_ls8c_nbart_gm_cyear_3; sentinel-2-l2a; sentinel-2-c1-l2a; landsat-c2-l2; landsat-c2l2-sr;
    landsat-c2ard-sr; COPERNICUS/S2_SR_HARMONIZED; LANDSAT/LC08/C02/T1_L2; Surface Reflectance; TOC
"""
LEVEL1 = """
    L1; L1C; Level-1C; 1C; level1; S2MSI1C; L1TP; L1GT; L1GS; L1T; sentinel-2-l1c; landsat-c2l1; landsat-c2-l1;
    usgs_ls8c_level1_2; LANDSAT/LC08/C02/T1_TOA; toa-landsat-oli; top of atmosphere
"""


@pytest.mark.parametrize("text", LEVEL2.split(";"))
def test_every_spelling_of_level_2_is_level_2(text: str) -> None:
    assert level_in(text) == 2


@pytest.mark.parametrize("text", LEVEL1.split(";"))
def test_every_spelling_of_level_1_is_level_1(text: str) -> None:
    assert level_in(text) == 1


@pytest.mark.parametrize("text", ["", "c", "k01-coll-a", "my-sat", "scenes-2024", "landsat-8", "sentinel-2a", "standard"])
def test_other_words_say_no_level(text: str) -> None:
    assert level_in(text) is None


@pytest.mark.parametrize(
    ("item_id", "level"),
    [
        ("HLS.S30.T32TQM.2023152T102030.v2.0", 2),
        ("S2B_32TQM_20230601_0_L2A", 2),
        ("S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042", 1),
        ("S2A_OPER_MSI_L1C_TL_EPAE_20180629T012042_A015757_T56JMM_N02.06", 1),
        ("LC09_L1TP_033033_20230716_20230716_02_T1", 1),
        ("LC09_L2SP_033033_20230716_20230716_02_T1_SR", 2),
        ("LC08_CU_003010_20200101_20210101_02_SR", 2),
        ("my-l2-scene", None),
    ],
)
def test_ids_of_missions_say_a_level_and_other_ids_do_not(item_id: str, level: int | None) -> None:
    found = stated_level({}, collection="", item_id=item_id)
    assert (found.number if found else None) == level


@pytest.mark.parametrize(
    ("properties", "collection", "level", "said"),
    [
        ({"processing:level": "L1", "landsat:correction": "L2SP"}, "", 2, "landsat:correction L2SP"),
        ({"processing:level": "L1C"}, "hls2-s30", 2, "collection hls2-s30"),
        ({"odc:product": "ga_s2bm_ard_3"}, "ga_s2bm_ard_3", 2, "odc:product"),
        ({"product:type": "S2MSI1C", "processing:level": "L1"}, "sentinel-2-l1c", 1, "processing:level L1"),
        ({"processing:level": "gold"}, "", None, "processing:level gold"),
        # The user's own word counts for a sensor of the user's own, and not against a mission's.
        ({"swath:level": "L1", "platform": "my-sat"}, "sr-lab", 1, "swath:level L1"),
        ({"swath:level": "L1", "platform": "sentinel-2a"}, "sentinel-2-l2a", 2, "collection sentinel-2-l2a"),
    ],
)
def test_the_highest_level_that_is_stated_counts(
    properties: dict[str, Any], collection: str, level: int | None, said: str
) -> None:
    found = stated_level(properties, collection=collection, item_id="a")
    assert found is not None
    assert found.number == level
    assert found.said.startswith(said)


def test_missions_with_two_levels_are_known() -> None:
    assert all(has_two_levels(name) for name in ("landsat-8", "LANDSAT_9", "Sentinel-2A", "sentinel-2", "planetscope"))
    assert not any(has_two_levels(name) for name in ("my-sat", "drone-1", "dove-hill", "spotter", ""))
