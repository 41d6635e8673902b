from math import log, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.algo.radiometry import brightness_temperature_k, fold_esun, linear, toa_reflectance
from swath.errors import GeometryError, MetadataError


def test_reflectance_is_the_handbooks_formula() -> None:
    dn = np.array([[0, 10000], [20000, 65535]], dtype=np.uint16)
    rho = toa_reflectance(dn, gain=2e-5, offset=-0.1, sun_elevation_deg=30.0)
    assert rho == pytest.approx(np.array([[-0.2, 0.2], [0.6, 2.4214]]), abs=1e-12)
    assert rho.dtype == np.float64


def test_a_sun_in_the_zenith_changes_nothing() -> None:
    dn = np.arange(9, dtype=np.int16).reshape(3, 3)
    assert np.array_equal(toa_reflectance(dn, gain=1e-4, offset=-0.1, sun_elevation_deg=90.0), linear(dn, gain=1e-4, offset=-0.1))


@pytest.mark.parametrize("elevation", [0.0, -3.0, 91.0, float("nan")])
def test_no_reflectance_without_sun(elevation: float) -> None:
    with pytest.raises(GeometryError, match="sun is not above the horizon"):
        toa_reflectance(np.zeros((1, 1), np.uint16), gain=1.0, offset=0.0, sun_elevation_deg=elevation)


@given(st.floats(180.0, 400.0))
def test_temperature_inverts_plancks_law(kelvin: float) -> None:
    k1, k2 = 774.89, 1321.08
    radiance = np.array([k1 / (np.exp(k2 / kelvin) - 1.0)])
    assert brightness_temperature_k(radiance, k1=k1, k2_k=k2)[0] == pytest.approx(kelvin, abs=1e-9)


def test_radiance_of_nothing_has_no_temperature() -> None:
    found = brightness_temperature_k(np.array([-1.0, 0.0, np.nan, 1.0]), k1=600.0, k2_k=1200.0)
    assert np.isnan(found[:3]).all()
    assert found[3] == pytest.approx(1200.0 / log(601.0))


def test_folded_irradiance_gives_the_reflectance_of_the_radiance() -> None:
    gain, offset = fold_esun(gain=0.7658, offset=-2.2858, esun=1983.0, distance_au=1.0165)
    radiance = 0.7658 * 80 - 2.2858
    assert gain * 80 + offset == pytest.approx(pi * radiance * 1.0165**2 / 1983.0, rel=1e-14)


@pytest.mark.parametrize(("esun", "distance"), [(0.0, 1.0), (1900.0, 0.0), (float("nan"), 1.0), (1900.0, float("inf"))])
def test_unusable_irradiance_is_refused(esun: float, distance: float) -> None:
    with pytest.raises(MetadataError, match="radiance calibration is unusable"):
        fold_esun(gain=1.0, offset=0.0, esun=esun, distance_au=distance)
