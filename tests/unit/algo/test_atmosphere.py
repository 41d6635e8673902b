from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.algo.atmosphere import (
    MAX_SUN_ZENITH_DEG,
    Atmosphere,
    SmacTerms,
    smac_terms,
    surface_reflectance,
    toa_reflectance_over,
)
from swath.algo.smac_table import smac_sensor
from swath.errors import GeometryError, RangeError

CLEAR = Atmosphere(aot550=0.1, ozone_atm_cm=0.3, water_vapour_g_cm2=0.3, pressure_hpa=1013.0)


def terms(
    band: str = "blue",
    *,
    platform: str = "sentinel-2a",
    sun: float = 45.0,
    view: float = 5.0,
    azimuth: float = 0.0,
    atmosphere: Atmosphere = CLEAR,
) -> SmacTerms:
    return smac_terms(
        smac_sensor(platform).bands[band],
        sun_zenith_deg=sun,
        view_zenith_deg=view,
        relative_azimuth_deg=azimuth,
        atmosphere=atmosphere,
    )


def test_the_published_point_is_met() -> None:
    # The value of CESBIO's own program, by way of openeo-geotrellis-extensions' testSMAC.
    assert surface_reflectance(0.2, terms(azimuth=360.0)) == pytest.approx(0.16214342470440238, abs=1e-12)


@given(
    sr=st.floats(-0.05, 1.2),
    sun=st.floats(0.0, MAX_SUN_ZENITH_DEG),
    view=st.floats(0.0, 15.0),
    azimuth=st.floats(-360.0, 360.0),
    aot=st.floats(0.0, 0.4),
    band=st.sampled_from(["coastal", "blue", "red", "nir", "nir09", "swir16", "swir22"]),
)
def test_the_inverse_undoes_the_atmosphere(sr: float, sun: float, view: float, azimuth: float, aot: float, band: str) -> None:
    found = terms(band, sun=sun, view=view, azimuth=azimuth, atmosphere=replace(CLEAR, aot550=aot))
    assert surface_reflectance(toa_reflectance_over(sr, found), found) == pytest.approx(sr, abs=1e-9)


def test_sun_and_sensor_may_change_places_in_azimuth() -> None:
    assert terms(azimuth=40.0) == terms(azimuth=-40.0)
    assert float(terms(azimuth=40.0).path_reflectance) == pytest.approx(float(terms(azimuth=400.0).path_reflectance), abs=1e-15)


def test_more_aerosol_brightens_the_path_and_dims_the_ground() -> None:
    hazy = terms(atmosphere=replace(CLEAR, aot550=0.5))
    assert hazy.path_reflectance > terms().path_reflectance
    assert hazy.transmission < terms().transmission
    assert hazy.spherical_albedo > terms().spherical_albedo


def test_each_gas_dims_its_own_bands() -> None:
    dry, wet = (replace(CLEAR, water_vapour_g_cm2=w) for w in (0.5, 5.0))
    assert terms("nir09", atmosphere=wet).transmission < 0.6 * terms("nir09", atmosphere=dry).transmission
    assert terms("blue", atmosphere=wet).transmission == terms("blue", atmosphere=dry).transmission
    thin, thick = (replace(CLEAR, ozone_atm_cm=o) for o in (0.2, 0.5))
    assert terms("green", atmosphere=thick).transmission < 0.96 * terms("green", atmosphere=thin).transmission
    assert terms("swir22", atmosphere=thick).transmission == terms("swir22", atmosphere=thin).transmission


def test_thin_air_scatters_less() -> None:
    assert terms(atmosphere=replace(CLEAR, pressure_hpa=700.0)).path_reflectance < 0.85 * terms().path_reflectance


def test_arrays_give_what_scalars_give() -> None:
    sun = np.linspace(20.0, 70.0, 12).reshape(3, 4)
    many = smac_terms(
        smac_sensor("landsat-8").bands["red"],
        sun_zenith_deg=sun,
        view_zenith_deg=4.0,
        relative_azimuth_deg=np.full((3, 4), 60.0),
        atmosphere=CLEAR,
    )
    single = [terms("red", platform="landsat-8", sun=float(s), view=4.0, azimuth=60.0) for s in sun.ravel()]
    assert np.asarray(many.path_reflectance).ravel() == pytest.approx([t.path_reflectance for t in single], rel=1e-14)
    assert np.asarray(many.transmission).ravel() == pytest.approx([t.transmission for t in single], rel=1e-14)


def test_invalid_pixels_stay_invalid() -> None:
    found = surface_reflectance(np.array([np.nan, 0.2]), terms())
    assert np.isnan(found).tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aot550", 1.5),
        ("aot550", -0.1),
        ("ozone_atm_cm", 330.0),
        ("water_vapour_g_cm2", float("nan")),
        ("pressure_hpa", 101325.0),
    ],
)
def test_an_atmosphere_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(RangeError, match=f"{name} is outside the range"):
        Atmosphere(**{name: value})


def test_a_low_sun_is_refused_but_winter_is_not() -> None:
    assert np.isfinite(surface_reflectance(0.2, terms(sun=74.9)))
    with pytest.raises(RangeError, match=r"sun zenith.*at most 75 degrees.*got 75.10"):
        terms(sun=75.1)


def test_a_slanting_view_is_refused() -> None:
    with pytest.raises(RangeError, match=r"view zenith.*at most 45"):
        terms(view=46.0)


def test_thick_haze_under_a_low_sun_is_refused() -> None:
    assert float(terms("coastal", sun=50.0, atmosphere=replace(CLEAR, aot550=0.8)).transmission) > 0.2
    with pytest.raises(RangeError, match=r"haze is too thick for so low a sun.*at least 0\.2"):
        terms("coastal", sun=72.0, atmosphere=replace(CLEAR, aot550=0.8))


@pytest.mark.parametrize("angle", [float("nan"), -1.0])
def test_angles_that_are_none_are_refused(angle: float) -> None:
    with pytest.raises(GeometryError, match="sun zenith angle is unusable"):
        terms(sun=angle)
