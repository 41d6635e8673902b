import pytest

from swath.algo.smac_table import smac_platforms, smac_sensor
from swath.errors import UnsupportedSensorError

OLI = {"coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "pan", "cirrus"}
MSI = {
    *("coastal", "blue", "green", "red", "rededge071", "rededge075", "rededge078"),
    *("nir", "nir08", "nir09", "cirrus", "swir16", "swir22"),
}


@pytest.mark.parametrize(
    ("platform", "bands"),
    [("landsat-8", OLI), ("landsat-9", OLI), ("sentinel-2a", MSI), ("sentinel-2b", MSI), ("sentinel-2c", MSI)],
)
def test_a_sensor_has_all_its_bands(platform: str, bands: set[str]) -> None:
    assert set(smac_sensor(platform).bands) == bands


def test_landsat_9_says_whose_coefficients_it_uses() -> None:
    borrowed = smac_sensor("landsat-9")
    assert borrowed.platform == "landsat-8"
    assert borrowed.bands == smac_sensor("landsat-8").bands


def test_the_publisher_is_acknowledged() -> None:
    assert "CNES" in smac_sensor("sentinel-2a").acknowledgement


@pytest.mark.parametrize("platform", smac_platforms())
def test_molecules_scatter_less_at_longer_waves(platform: str) -> None:
    bands = smac_sensor(platform).bands
    depths = [bands[b].rayleigh_depth for b in ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22")]
    assert depths == sorted(depths, reverse=True)
    assert 0.2 < depths[0] < 0.26
    # Molecular scattering falls with about the fourth power of the wavelength: 0.490 and 0.865 um.
    assert depths[1] / depths[4] == pytest.approx((0.865 / 0.49) ** 4.09, rel=0.1)


def test_published_numbers_stand_in_the_right_places() -> None:
    blue = smac_sensor("sentinel-2a").bands["blue"]
    assert blue.ozone == (-0.027266, 0.995324, 0.0)
    assert blue.albedo == (0.066164, 0.188677, -0.074672, 0.053871)
    assert blue.scattering == (1.111931, -0.218353, -0.125175, -0.250030)
    assert blue.rayleigh_depth == 0.151087
    assert blue.aerosol_depth == (5.551115e-17, 1.123589)
    assert (blue.single_scattering_albedo, blue.asymmetry) == (0.898712, 0.639672)
    assert blue.phase[0] == 6.75779106959695
    assert blue.residual_total == (-0.009084, -0.024424, -0.019179, -0.003182)
    assert blue.residual_rayleigh == (-0.003098, 0.000327, 0.022817)
    assert blue.residual_aerosol == (-0.010181, -0.036498, -0.032372, -0.008926)


def test_a_sensor_without_coefficients_is_named_with_what_there_is() -> None:
    with pytest.raises(UnsupportedSensorError, match=r"expected one of landsat-8, landsat-9.*got 'landsat-5'"):
        smac_sensor("landsat-5")
