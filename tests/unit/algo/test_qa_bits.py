import numpy as np
import pytest
from numpy.typing import NDArray

from swath.algo.qa import QA_BITS, layout, qa_flag, quality_table, unpack
from swath.scene import QualityScheme


def packed(*numbers: int) -> NDArray[np.uint16]:
    return np.array(numbers, dtype=np.uint16)


# Values that USGS explains: Landsat Collection 1 BQA table; Collection 2 DFCB LSDS-1619, table of QA_PIXEL values.
@pytest.mark.parametrize(
    ("scheme", "instrument", "number", "true"),
    [
        # LDCM-DFCB-004: confidences 1 no, 2 maybe, 3 yes.
        ("landsat-pre-bqa", "oli", 1, {"nodata"}),
        ("landsat-pre-bqa", "oli", 2, {"nodata"}),
        ("landsat-pre-bqa", "oli", 4, set()),
        ("landsat-pre-bqa", "oli", 20480, set()),
        ("landsat-pre-bqa", "oli", 53248, {"cloudy"}),
        ("landsat-pre-bqa", "oli", 36864, set()),
        ("landsat-pre-bqa", "oli", 28672, {"cirrus"}),
        ("landsat-pre-bqa", "oli", 23552, {"snowy"}),
        ("landsat-pre-bqa", "oli", 20528, {"watery"}),
        ("landsat-c1-bqa", "oli", 1, {"nodata"}),
        ("landsat-c1-bqa", "oli", 2720, set()),
        ("landsat-c1-bqa", "oli", 2800, {"cloudy"}),
        ("landsat-c1-bqa", "oli", 2976, {"shadowed"}),
        ("landsat-c1-bqa", "oli", 3744, {"snowy"}),
        ("landsat-c1-bqa", "oli", 6816, {"cirrus"}),
        ("landsat-c1-bqa", "oli", 2724, {"saturated"}),
        ("landsat-c1-bqa", "etm", 674, {"nodata"}),
        ("landsat-c1-bqa", "tm", 672, set()),
        ("landsat-c2-qa-pixel", "oli", 1, {"nodata"}),
        ("landsat-c2-qa-pixel", "oli", 21824, set()),
        ("landsat-c2-qa-pixel", "oli", 21952, {"watery"}),
        ("landsat-c2-qa-pixel", "oli", 22280, {"cloudy"}),
        ("landsat-c2-qa-pixel", "oli", 23888, {"shadowed"}),
        ("landsat-c2-qa-pixel", "oli", 30048, {"snowy"}),
        ("landsat-c2-qa-pixel", "oli", 54596, {"cirrus"}),
        ("landsat-c2-qa-pixel", "etm", 5440, set()),
        ("landsat-c2-qa-pixel", "tm", 5896, {"cloudy"}),
        ("landsat-c2-qa-radsat", "oli", 0, set()),
        ("landsat-c2-qa-radsat", "oli", 1 << 11, set()),
        ("landsat-c2-qa-radsat", "oli", 1 << 8, {"saturated"}),
        ("landsat-c2-qa-radsat", "etm", 1 << 9, {"nodata"}),
        ("landsat-c2-qa-radsat", "tm", 1 << 6, {"saturated"}),
    ],
)
def test_a_delivered_number_means_what_its_agency_says(
    scheme: QualityScheme, instrument: str, number: int, true: set[str]
) -> None:
    flags = unpack(packed(number), scheme=scheme, instrument=instrument)
    named = {name: getattr(flags, name) for name in flags.__slots__}
    assert {name for name, value in named.items() if value is not None and value[0]} == true


def test_a_band_that_does_not_tell_says_none() -> None:
    assert unpack(packed(0), scheme="landsat-c1-bqa", instrument="oli").watery is None
    assert unpack(packed(0), scheme="landsat-c1-bqa", instrument="tm").cirrus is None
    assert unpack(packed(0), scheme="landsat-c2-qa-radsat", instrument="oli").cloudy is None


@pytest.mark.parametrize("instrument", ["oli", "tm"])
@pytest.mark.parametrize("scheme", ["landsat-c1-bqa", "landsat-c2-qa-pixel", "landsat-c2-qa-radsat"])
def test_no_two_names_share_a_bit(scheme: QualityScheme, instrument: str) -> None:
    taken = [b for bits in layout(scheme, instrument=instrument).values() for b in range(bits.first, bits.first + bits.width)]
    assert len(taken) == len(set(taken))


def test_before_collections_a_confidence_of_0_is_no_judgement() -> None:
    table = quality_table("landsat-pre-bqa", instrument="oli")
    bits = table[[20480, 53248, 0, 20528]]
    assert qa_flag(bits, name="cloud").tolist() == [False, True, False, False]
    assert qa_flag(bits, name="cloud_from_quality").tolist() == [True, True, False, True]
    assert qa_flag(bits, name="water_from_quality").tolist() == [False, False, False, True]
    assert not qa_flag(table, name="shadow_from_quality").any()


def test_the_products_bits_are_sixteen_names_in_order() -> None:
    assert [c.value for c in QA_BITS] == list(range(16))
    assert len({c.name for c in QA_BITS}) == 16


def test_the_table_packs_what_unpacking_finds() -> None:
    numbers = np.arange(1 << 16, dtype=np.uint16)
    flags = unpack(numbers, scheme="landsat-c2-qa-pixel", instrument="oli")
    table = quality_table("landsat-c2-qa-pixel", instrument="oli")
    assert flags.nodata is not None
    assert flags.cloudy is not None
    assert flags.watery is not None
    assert np.array_equal(qa_flag(table, name="nodata"), flags.nodata)
    assert np.array_equal(qa_flag(table, name="cloud"), flags.cloudy & ~flags.nodata)
    assert np.array_equal(qa_flag(table, name="water"), flags.watery & ~flags.nodata)
    assert np.array_equal(qa_flag(table, name="cloud_from_quality"), ~flags.nodata)
    assert not qa_flag(table, name="cloud_from_model").any()


def test_what_collection_1_does_not_judge_stays_unknown() -> None:
    table = quality_table("landsat-c1-bqa", instrument="oli")
    assert qa_flag(table[packed(2720)], name="snow_from_quality").all()
    assert not qa_flag(table, name="water_from_quality").any()
