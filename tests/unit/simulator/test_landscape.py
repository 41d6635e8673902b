import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.simulator.landcover import CODE_OF, LAND_COVER, reflectances_at
from swath.simulator.landscape import Ground, Landscape

PLACE = Landscape(seed=7, sun_azimuth_deg=155.0)
X: NDArray[np.float64] = np.arange(399_975.0, 411_975.0, 30.0)
Y: NDArray[np.float64] = np.arange(5_999_985.0, 5_987_985.0, -30.0)


@pytest.fixture(scope="module")
def whole() -> Ground:
    return PLACE.ground(X, Y)


def test_every_class_is_somewhere_in_the_demo_place(whole: Ground) -> None:
    counts = np.bincount(whole.code.ravel(), minlength=len(LAND_COVER) + 1)
    assert counts[0] == 0
    assert all(counts[c.code] > 1000 for c in LAND_COVER), counts


@settings(max_examples=15, deadline=None)
@given(row=st.integers(0, 380), height=st.integers(1, 20), col=st.integers(0, 300), width=st.integers(1, 100))
def test_a_strip_alone_equals_the_same_rows_of_the_whole(whole: Ground, row: int, height: int, col: int, width: int) -> None:
    part = PLACE.ground(X[col : col + width], Y[row : row + height])
    window = (slice(row, row + height), slice(col, col + width))
    np.testing.assert_array_equal(part.code, whole.code[window])
    np.testing.assert_array_equal(part.reflectance(centre_um=0.865), whole.reflectance(centre_um=0.865)[window])
    np.testing.assert_array_equal(part.temperature_k(), whole.temperature_k()[window])


def test_two_pixel_sizes_see_the_same_place(whole: Ground) -> None:
    fine = PLACE.ground(np.arange(399_965.0, 405_965.0, 10.0), np.arange(5_999_995.0, 5_993_995.0, -10.0))
    np.testing.assert_array_equal(fine.code[1::3, 1::3], whole.code[:200, :200])


def test_another_seed_is_another_place(whole: Ground) -> None:
    other = Landscape(seed=8, sun_azimuth_deg=155.0).ground(X, Y)
    assert float((other.code == whole.code).mean()) < 0.7


def test_plants_are_bright_in_the_near_infrared_and_water_is_dark(whole: Ground) -> None:
    red, nir = whole.reflectance(centre_um=0.665), whole.reflectance(centre_um=0.865)
    ndvi = (nir - red) / (nir + red)
    assert float(np.median(ndvi[whole.code == CODE_OF["crop_green"]])) > 0.8
    assert float(np.median(ndvi[whole.code == CODE_OF["water"]])) < 0.0
    assert 0.0 < float(np.median(ndvi[whole.code == CODE_OF["crop_dry"]])) < 0.4


def test_reflectance_stays_between_the_extremes_of_its_class_but_for_texture(whole: Ground) -> None:
    low, high = reflectances_at(0.561)
    flat = Ground(code=whole.code, mix=whole.mix, gain=np.ones_like(whole.gain), green=np.zeros_like(whole.green))
    seen = flat.reflectance(centre_um=0.561)
    assert bool((seen >= low[whole.code] - 1e-6).all())
    assert bool((seen <= high[whole.code] + 1e-6).all())
