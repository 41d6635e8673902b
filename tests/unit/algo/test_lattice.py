import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance
from swath.algo.lattice import Axis, correct_on_lattice
from swath.algo.smac_table import smac_sensor

BLUE = smac_sensor("sentinel-2a").bands["coastal"]
HAZY = Atmosphere(aot550=0.3, ozone_atm_cm=0.33, water_vapour_g_cm2=2.0, pressure_hpa=1000.0)
HEIGHT, WIDTH = 300, 421
PIXEL_M = 60.0


def angles(down_m: NDArray[np.float64], across_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Like a winter tile of Sentinel-2: the sun turns by a degree, the view zenith has a kink every 5 km."""
    y, x = down_m[:, np.newaxis] / 1000.0, across_m[np.newaxis, :] / 1000.0
    sun = 68.0 + 0.009 * y + 0.0035 * x
    view = np.interp(x, np.arange(0.0, 30.0, 5.0), [10.0, 9.2, 8.6, 7.7, 7.1, 6.2]) + 0.01 * y
    return sun, view, 40.0 + 0.05 * x - 0.02 * y


def terms_at(
    down_m: NDArray[np.float64], across_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    sun, view, azimuth = angles(down_m, across_m)
    terms = smac_terms(BLUE, sun_zenith_deg=sun, view_zenith_deg=view, relative_azimuth_deg=azimuth, atmosphere=HAZY)
    return np.asarray(terms.path_reflectance), np.asarray(terms.transmission), terms.spherical_albedo


def corrected(toa: NDArray[np.float64], *, row: int, col: int) -> NDArray[np.float64]:
    rows = Axis.of(row, toa.shape[0], pixel=PIXEL_M)
    columns = Axis.of(col, toa.shape[1], pixel=PIXEL_M)
    path, transmission, albedo = terms_at(rows.nodes, columns.nodes)
    return correct_on_lattice(toa, path=path, transmission=transmission, spherical_albedo=albedo, rows=rows, columns=columns)


TOA = np.random.default_rng(7).uniform(0.05, 0.9, (HEIGHT, WIDTH))
WHOLE = corrected(TOA, row=0, col=0)


def test_the_lattice_is_as_good_as_every_pixel() -> None:
    path, transmission, albedo = terms_at(
        (np.arange(HEIGHT, dtype=np.float64) + 0.5) * PIXEL_M, (np.arange(WIDTH, dtype=np.float64) + 0.5) * PIXEL_M
    )
    excess = TOA - path
    direct = excess / (transmission + excess * albedo)
    assert np.abs(WHOLE - direct).max() < 5e-6


@given(st.data())
def test_any_window_gives_the_same_bits(data: st.DataObject) -> None:
    row, col = data.draw(st.integers(0, HEIGHT - 1)), data.draw(st.integers(0, WIDTH - 1))
    height, width = data.draw(st.integers(1, HEIGHT - row)), data.draw(st.integers(1, WIDTH - col))
    part = np.s_[row : row + height, col : col + width]
    assert np.array_equal(corrected(TOA[part], row=row, col=col), WHOLE[part])


def test_equal_angles_everywhere_give_the_scalar_formula() -> None:
    terms = smac_terms(BLUE, sun_zenith_deg=50.0, view_zenith_deg=3.0, relative_azimuth_deg=10.0, atmosphere=HAZY)
    rows, columns = Axis.of(0, 40, pixel=20.0), Axis.of(0, 70, pixel=20.0)
    shape = (len(rows.nodes), len(columns.nodes))
    toa = TOA[:40, :70]
    found = correct_on_lattice(
        toa,
        path=np.full(shape, terms.path_reflectance),
        transmission=np.full(shape, terms.transmission),
        spherical_albedo=terms.spherical_albedo,
        rows=rows,
        columns=columns,
    )
    assert np.array_equal(found, surface_reflectance(toa, terms))


@given(start=st.integers(0, 10979), count=st.integers(1, 600), pixel=st.sampled_from([10.0, 20.0, 60.0, 250.1, 1504.0, 1e-4]))
def test_an_axis_brackets_its_pixels(start: int, count: int, pixel: float) -> None:
    axis = Axis.of(start, count, pixel=pixel)
    assert axis.weight.min() >= 0.0
    assert axis.weight.max() < 1.0
    at = axis.nodes[axis.lower] * (1.0 - axis.weight) + axis.nodes[axis.lower + 1] * axis.weight
    assert at == pytest.approx((np.arange(start, start + count) + 0.5) * pixel, rel=1e-12)
    assert len(axis.nodes) <= count * max(1.0, pixel / 500.0) + 2


def test_nodes_meet_the_kinks_of_sentinel_2() -> None:
    for pixel in (10.0, 20.0, 60.0):
        assert np.isin(np.arange(5000.0, 105000.0, 5000.0), Axis.of(0, int(109800 / pixel), pixel=pixel).nodes).all()


def test_invalid_pixels_touch_no_other() -> None:
    toa = TOA.copy()
    toa[100:110, 50] = np.nan
    found = corrected(toa, row=0, col=0)
    assert np.array_equal(np.isnan(found), np.isnan(toa))
    assert np.array_equal(found[~np.isnan(toa)], WHOLE[~np.isnan(toa)])
