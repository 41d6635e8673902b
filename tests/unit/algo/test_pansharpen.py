"""Pan-sharpening against GDAL's own result, and what it keeps."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from tests.conftest import SHARED

from swath.algo.pansharpen import brovey, upsampled

_REFERENCE = SHARED / "science" / "pansharpen_gdal_LC08_195025.npz"
_SCENE = "satellite_r/inst/extdata/LC08_L1TP_195025_20130707_20170503_01_T1"


def test_it_is_gdals_over_the_window_that_gdal_takes(scenes: Path) -> None:
    """The pan grid starts 7.5 m west and south of the others and ends 7.5 m south of them; GDAL ends its window with them."""
    if not _REFERENCE.is_file():
        pytest.skip("the reference numbers (../shared/science) are not beside this checkout")
    with rasterio.open(scenes / f"{_SCENE}_B8.TIF") as source:
        pan, fine = source.read(1).astype(np.float64), source.transform
    bands = []
    for number in (4, 3, 2):
        with rasterio.open(scenes / f"{_SCENE}_B{number}.TIF") as source:
            values, coarse = source.read(1).astype(np.float64), source.transform
        left, top = (fine.c - coarse.c) / coarse.a, (fine.f - coarse.f) / coarse.e
        rows, columns = (top, min(top + pan.shape[0] / 2, values.shape[0])), (left, left + pan.shape[1] / 2)
        assert (rows, columns) == ((0.25, 41.0), (-0.25, 40.75))
        bands.append(upsampled(values, rows=rows, columns=columns, shape=pan.shape))
    ours = brovey(np.stack(bands), pan, weights=(1 / 3, 1 / 3, 1 / 3))
    with np.load(_REFERENCE) as reference:
        assert np.abs(np.rint(ours) - reference["rgb"]).max() <= 1


def test_a_plane_stays_a_plane_whatever_the_shift() -> None:
    y, x = np.mgrid[:20, :30]
    made = upsampled(3.0 + 2.0 * y - x, rows=(5.25, 15.25), columns=(4.75, 24.75), shape=(20, 40))
    centres = np.ix_(5.25 + (np.arange(20) + 0.5) / 2 - 0.5, 4.75 + (np.arange(40) + 0.5) / 2 - 0.5)
    np.testing.assert_allclose(made, 3.0 + 2.0 * centres[0] - centres[1], atol=1e-10)


def test_invalid_pixels_stay_where_they_are_and_give_nothing() -> None:
    values = np.full((10, 10), 5.0)
    values[4, 4] = np.nan
    made = upsampled(values, rows=(0.0, 10.0), columns=(0.0, 10.0), shape=(20, 20))
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
