"""Spectral cloud tests on spectra whose answer is known."""

import numpy as np
import pytest

from swath.algo.clouds import cloudy

# blue, green, red, nir, swir16, swir22 [TOA reflectance], temperature [K]
SPECTRA = {
    "thick cloud": ((0.50, 0.49, 0.50, 0.55, 0.40, 0.30, 265.0), True),
    "clear water": ((0.09, 0.06, 0.04, 0.02, 0.01, 0.01, 290.0), False),
    "forest": ((0.09, 0.07, 0.05, 0.30, 0.14, 0.06, 295.0), False),
    "bright desert": ((0.22, 0.28, 0.36, 0.44, 0.62, 0.55, 315.0), False),
    "snow": ((0.80, 0.78, 0.75, 0.65, 0.05, 0.04, 262.0), False),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_the_answer_for_a_known_spectrum(name: str) -> None:
    (blue, green, red, nir, swir16, swir22, kelvin), expected = SPECTRA[name]
    bands = {"blue": blue, "green": green, "red": red, "nir": nir, "swir16": swir16, "swir22": swir22}
    arrays = {n: np.array([v]) for n, v in bands.items()}
    assert cloudy(**arrays, temperature_k=np.array([kelvin])).tolist() == [expected]


def test_a_warm_pixel_is_no_cloud_where_temperature_is_known() -> None:
    bands = dict(zip(("blue", "green", "red", "nir", "swir16", "swir22"), np.full((6, 1), 0.5) * 0.9, strict=True))
    assert cloudy(**bands).tolist() == [True]
    assert cloudy(**bands, temperature_k=np.array([310.0])).tolist() == [False]


def test_an_invalid_band_is_never_cloud() -> None:
    bands = {n: np.array([0.5]) for n in ("blue", "green", "red", "nir", "swir16")}
    assert cloudy(**bands, swir22=np.array([np.nan])).tolist() == [False]
