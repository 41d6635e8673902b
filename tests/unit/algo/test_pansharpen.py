"""Pan-sharpening: what it keeps. GDAL's own result is in tests/real/test_pansharpen_real.py."""

import numpy as np
import pytest

from swath.algo.pansharpen import REACH_PX, brovey, shares_of_light, upsampled


def test_a_plane_stays_a_plane_whatever_the_shift() -> None:
    y, x = np.mgrid[:20, :30]
    rows, columns = 5.25 + (np.arange(20) + 0.5) / 2, 4.75 + (np.arange(40) + 0.5) / 2
    made = upsampled(3.0 + 2.0 * y - x, rows=rows, columns=columns, first=(0, 0), size=(20, 30))
    np.testing.assert_allclose(made, 3.0 + 2.0 * (rows[:, None] - 0.5) - (columns[None, :] - 0.5), atol=1e-10)


def test_a_fine_pixel_has_the_same_bits_whatever_is_in_memory() -> None:
    random = np.random.default_rng(4)
    values = random.uniform(0.01, 0.5, (60, 70))
    values[random.random(values.shape) < 0.05] = np.nan
    rows, columns = -0.25 + (np.arange(121) + 0.5) / 2, 0.25 + (np.arange(140) + 0.5) / 2
    whole = upsampled(values, rows=rows, columns=columns, first=(0, 0), size=values.shape)
    assert np.isnan(whole[-1]).all(), "beyond the band's edge"
    for top, left in ((0, 0), (17, 40), (91, 99)):
        part = (slice(top, top + 30), slice(left, left + 41))
        y, x = int(max(rows[top] - REACH_PX, 0)), int(max(columns[left] - REACH_PX, 0))
        held = values[y : int(rows[part[0]][-1]) + 1 + REACH_PX, x : int(columns[part[1]][-1]) + 1 + REACH_PX]
        made = upsampled(held, rows=rows[part[0]], columns=columns[part[1]], first=(y, x), size=values.shape)
        assert np.array_equal(made, whole[part], equal_nan=True)


def test_invalid_pixels_stay_where_they_are_and_give_nothing() -> None:
    values = np.full((10, 10), 5.0)
    values[4, 4] = np.nan
    centres = (np.arange(20) + 0.5) / 2
    made = upsampled(values, rows=centres, columns=centres, first=(0, 0), size=(10, 10))
    assert np.isnan(made[8:10, 8:10]).all()
    assert np.isnan(made).sum() == 4
    np.testing.assert_allclose(made[np.isfinite(made)], 5.0)


def test_colours_are_kept_and_the_weighted_sum_is_the_pan_band() -> None:
    random = np.random.default_rng(2)
    bands, pan, weights = random.uniform(0.1, 1.0, (3, 8, 9)), random.uniform(0.1, 1.0, (8, 9)), (0.2, 0.5, 0.3)
    pan[0, 0], bands[:, 1, 1] = np.nan, 0.0
    sharp = brovey(bands, pan, weights=weights)
    assert np.isnan(sharp[:, 0, 0]).all()
    assert np.isnan(sharp[:, 1, 1]).all()
    good = np.isfinite(sharp[0])
    np.testing.assert_allclose(np.tensordot(weights, sharp, axes=1)[good], pan[good])
    np.testing.assert_allclose((sharp[0] * bands[1])[good], (sharp[1] * bands[0])[good])


def test_light_is_shared_by_the_overlap_of_spectra() -> None:
    found = shares_of_light([(0.45, 0.1), (0.55, 0.1), (0.7, 0.2), (1.6, 0.1)], (0.6, 0.3))
    assert found == pytest.approx([0.05 / 0.3, 0.1 / 0.3, 0.15 / 0.3, 0.0])
    assert shares_of_light([(1.6, 0.1)], (0.6, 0.3)) == [0.0]
