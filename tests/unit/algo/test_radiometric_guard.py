from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.algo.darkest import INVALID, bin_count, bins_of, merged, quantile, rayleigh_reflectance, sparse
from swath.algo.radiometric_guard import ViewGeometry, judge

SIX_S = ViewGeometry(sun_zenith_deg=44.0, view_zenith_deg=8.0, relative_azimuth_deg=120.0)
#: A dark place, as a share of the scene: reflectance of every band over water or shadow, and over bright ground.
DARK = {"cirrus": 0.001, "blue": 0.065, "green": 0.04, "nir": 0.01, "swir16": 0.005, "swir22": 0.004}
DESERT = {"cirrus": 0.001, "blue": 0.16, "green": 0.24, "nir": 0.42, "swir16": 0.52, "swir22": 0.47}
#: Over 5000 m of ground with next to no water above it, without cloud: the cirrus band sees the ground.
HIGH = {"cirrus": 0.045, "blue": 0.08, "green": 0.12, "nir": 0.25, "swir16": 0.3, "swir22": 0.25}
PLATEAU_OF_ICE = {"cirrus": 0.3, "blue": 0.95, "green": 0.95, "nir": 0.85, "swir16": 0.12, "swir22": 0.1}
CLOUDY = {"cirrus": 0.12, "blue": 0.6, "green": 0.6, "nir": 0.65, "swir16": 0.45, "swir22": 0.35}
LOW_CLOUD = {**CLOUDY, "cirrus": 0.002}


def counts(
    values: dict[str, float], *, shift: float = 0.0, without: tuple[str, ...] = (), spread: float = 0.1
) -> dict[str, dict[int, int]]:
    """A scene from these dark ends up to twice as bright, every band shifted by a false offset."""
    ramp = np.linspace(0.0, 1.0, 20_000)
    pixels = {b: v * (1.0 + ramp) + spread * ramp**3 * (b != "cirrus") + shift for b, v in values.items() if b not in without}
    return {b: sparse(np.bincount(bins_of(p), minlength=bin_count())) for b, p in pixels.items()}


@pytest.mark.parametrize("without", [(), ("cirrus",), ("swir16", "swir22"), ("cirrus", "nir", "swir16", "swir22")])
@pytest.mark.parametrize("values", [DARK, DESERT, HIGH, PLATEAU_OF_ICE, CLOUDY, LOW_CLOUD])
def test_scenes_as_they_are_are_no_contradiction(values: dict[str, float], without: tuple[str, ...]) -> None:
    assert judge(counts(values, without=without), geometry=SIX_S).outcome != "contradicts"


@pytest.mark.parametrize("shift", [-0.1, -0.2, 0.1, 0.2])
@pytest.mark.parametrize("values", [DARK, DESERT, LOW_CLOUD])
def test_the_cirrus_band_finds_every_false_offset_whatever_is_below(values: dict[str, float], shift: float) -> None:
    assert judge(counts(values, shift=shift), geometry=SIX_S).outcome == "contradicts"


@pytest.mark.parametrize("worth", [1.1, 1.5, 2.4])
@pytest.mark.parametrize("offset", [0.1, 0.2])
def test_an_offset_that_is_added_before_the_suns_cosine_is_found_too(offset: float, worth: float) -> None:
    found = judge(counts(LOW_CLOUD, shift=offset * worth), geometry=replace(SIX_S, offset_worth=worth))
    assert found.outcome == "contradicts"
    assert found.why == f"the cirrus band has a floor of {offset * worth:.3g}: an offset was not applied"


@pytest.mark.parametrize("shift", [-0.1, -0.2, 0.1])
def test_without_the_cirrus_band_dark_places_find_it(shift: float) -> None:
    assert judge(counts(DARK, shift=shift, without=("cirrus",)), geometry=SIX_S).outcome == "contradicts"


@pytest.mark.parametrize("shift", [-0.1, -0.2])
def test_a_false_offset_is_found_by_blue_and_green_alone(shift: float) -> None:
    found = judge(counts(DARK, shift=shift, without=("cirrus", "nir", "swir16", "swir22")), geometry=SIX_S)
    assert found.outcome == "contradicts"
    assert found.why == "blue and green darker than any ground under air"


def test_where_nothing_is_dark_the_guard_cannot_tell() -> None:
    assert judge(counts(CLOUDY, without=("cirrus",)), geometry=SIX_S).outcome == "cannot tell"
    assert judge(counts(DESERT, shift=0.1, without=("cirrus",)), geometry=SIX_S).outcome == "cannot tell"
    assert judge({}, geometry=SIX_S).outcome == "cannot tell"
    assert judge({"cirrus": {-60: 999}}, geometry=SIX_S).outcome == "cannot tell"


def test_an_edge_in_the_raster_asks_for_more_dark_pixels() -> None:
    edge = {"blue": {0: 100, 40: 19_900}, "green": {0: 100, 25: 19_900}}
    assert judge(edge, geometry=SIX_S).outcome == "contradicts"
    assert judge({b: {**c, INVALID: 5_000} for b, c in edge.items()}, geometry=SIX_S).outcome == "agrees"


def test_a_known_pressure_sharpens_the_limit() -> None:
    blue = {"blue": {15: 5_000, 40: 5_000}}
    known = ViewGeometry(sun_zenith_deg=44.0, view_zenith_deg=8.0, relative_azimuth_deg=120.0, pressure_hpa=1013.25)
    assert judge(blue, geometry=SIX_S).outcome == "agrees"
    assert judge(blue, geometry=known).outcome == "contradicts"


@pytest.mark.parametrize(("wavelength_um", "six_s"), [(0.4927, 0.059), (0.5598, 0.033)])
def test_the_light_of_the_air_is_a_lower_limit_of_that_of_6s(wavelength_um: float, six_s: float) -> None:
    found = rayleigh_reflectance(
        wavelength_um, sun_zenith_deg=44.0, view_zenith_deg=8.0, relative_azimuth_deg=120.0, pressure_hpa=1013.25
    )
    assert 0.8 * six_s < found < six_s


def test_a_quantile_is_numpys_to_half_a_bin() -> None:
    values = np.random.default_rng(1).gamma(2.0, 0.05, 50_000) - 0.05
    found = sparse(np.bincount(bins_of(values), minlength=bin_count()))
    for share in (0.001, 0.05, 0.5):
        assert quantile(found, share) == pytest.approx(np.quantile(values, share), abs=0.0011)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["blue", "cirrus"]), st.dictionaries(st.integers(-200, 301), st.integers(1, 9))),
        max_size=6,
    )
)
def test_parts_merge_in_any_order(parts: list[dict[str, dict[int, int]]]) -> None:
    assert merged(parts) == merged(parts[::-1]) == merged([merged(parts[:2]), merged(parts[2:])])
