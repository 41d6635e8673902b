import numpy as np
import pytest

from swath.algo.ndvi import ndvi


def test_the_index_is_the_normalised_difference() -> None:
    found = ndvi(red=np.array([0.1, 0.3, 0.2]), nir=np.array([0.4, 0.1, 0.2]))
    assert found == pytest.approx([0.6, -0.5, 0.0])


def test_pixels_without_light_have_no_index_and_dark_ones_stay_in_bounds() -> None:
    found = ndvi(red=np.array([0.0, -0.2, np.nan, 0.1, -0.01]), nir=np.array([0.0, 0.1, 0.3, np.nan, 0.05]))
    assert np.isnan(found[:4]).all()
    assert found[4] == 1.0
