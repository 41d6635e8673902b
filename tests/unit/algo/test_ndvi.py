import numpy as np
import pytest

from swath.algo.ndvi import coded_ndvi, ndvi


def test_the_index_is_the_normalised_difference() -> None:
    found = ndvi(red=np.array([0.1, 0.3, 0.2]), nir=np.array([0.4, 0.1, 0.2]))
    assert found == pytest.approx([0.6, -0.5, 0.0])


def test_pixels_without_light_have_no_index_and_dark_ones_stay_in_bounds() -> None:
    found = ndvi(red=np.array([0.0, -0.2, np.nan, 0.1, -0.01]), nir=np.array([0.0, 0.1, 0.3, np.nan, 0.05]))
    assert np.isnan(found[:4]).all()
    assert found[4] == 1.0


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_coded_bands_give_the_same_bits(dtype: str) -> None:
    rng = np.random.default_rng(4)
    entries = np.iinfo(dtype).max + 1
    red, nir = (rng.integers(0, entries, (30, 41)).astype(dtype) for _ in range(2))
    tables = [np.linspace(-0.1, high, entries) for high in (0.5, 1.2)]
    for table in tables:
        table[0] = np.nan
    found = coded_ndvi(red=(red, tables[0]), nir=(nir, tables[1]))
    np.testing.assert_array_equal(found, ndvi(red=tables[0][red], nir=tables[1][nir]))
