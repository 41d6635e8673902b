import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swath.simulator.noise import fractal, hashed, line, ramp, smooth, unit


def test_hash_spreads_neighbouring_cells_evenly() -> None:
    draws = unit(hashed(np.arange(300)[None, :], np.arange(300)[:, None], seed=5))
    assert abs(float(draws.mean()) - 0.5) < 0.01
    assert abs(float(draws.std()) - 12**-0.5) < 0.01
    assert abs(float(np.corrcoef(draws[:, :-1].ravel(), draws[:, 1:].ravel())[0, 1])) < 0.02


def test_negative_cells_hash_like_any_other() -> None:
    cells = np.arange(-40, 40)
    assert np.unique(hashed(cells, np.zeros_like(cells), seed=1)).size == cells.size


def test_a_field_has_mean_zero_and_unit_spread() -> None:
    x = np.arange(0.0, 40_000.0, 40.0)
    field = smooth(x, x, wavelength_m=160.0, seed=3)
    assert abs(float(field.mean())) < 0.03
    assert float(field.std()) == pytest.approx(1.0, abs=0.03)
    assert float(line(np.arange(0.0, 4e6, 100.0), wavelength_m=700.0, octaves=1, seed=3).std()) == pytest.approx(1.0, abs=0.05)


def test_slope_is_the_derivative_of_the_field() -> None:
    x, y, step = np.linspace(-900.0, 900.0, 31), np.linspace(500.0, -700.0, 17), 0.5
    slope = fractal(x, y, wavelength_m=400.0, octaves=2, seed=9, slope="x")
    ahead = fractal(x + step, y, wavelength_m=400.0, octaves=2, seed=9).astype(np.float64)
    behind = fractal(x - step, y, wavelength_m=400.0, octaves=2, seed=9).astype(np.float64)
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(row=st.integers(0, 50), height=st.integers(1, 9), col=st.integers(0, 50), width=st.integers(1, 9))
def test_any_window_holds_the_same_bits_as_the_whole(row: int, height: int, col: int, width: int) -> None:
    x, y = -300.0 + 10.0 * np.arange(60.0), 7000.0 - 10.0 * np.arange(60.0)
    whole = fractal(x, y, wavelength_m=90.0, octaves=3, seed=2)
    part = fractal(x[col : col + width], y[row : row + height], wavelength_m=90.0, octaves=3, seed=2)
    np.testing.assert_array_equal(part, whole[row : row + height, col : col + width])


def test_ramp_goes_from_zero_to_one_and_stays() -> None:
    ramped = ramp(np.array([-5.0, 1.0, 2.0, 3.0, 9.0], np.float32), low=1.0, high=3.0)
    np.testing.assert_allclose(ramped, [0.0, 0.0, 0.5, 1.0, 1.0])
