"""The sun as a lamp: its distance, and what it sends into a band."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import cos, pi, sin, sqrt
from types import MappingProxyType
from typing import Final

from swath.errors import MetadataError

#: Mean solar irradiance at 1 au [W m-2 um-1] by platform and native band: Chander, G., Markham, B. L. and Helder, D. L.
#: (2009): Summary of current radiometric calibration coefficients for Landsat MSS, TM, ETM+, and EO-1 ALI sensors.
#: Remote Sensing of Environment 113, 893-903, tables 3 and 4.
ESUN: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "landsat-4": {"B1": 1983.0, "B2": 1795.0, "B3": 1539.0, "B4": 1028.0, "B5": 219.8, "B7": 83.49},
        "landsat-5": {"B1": 1983.0, "B2": 1796.0, "B3": 1536.0, "B4": 1031.0, "B5": 220.0, "B7": 83.44},
        "landsat-7": {"B1": 1997.0, "B2": 1812.0, "B3": 1533.0, "B4": 1039.0, "B5": 230.8, "B7": 84.90, "B8": 1362.0},
    }
)


def earth_sun_distance_au(when: datetime) -> float:
    """Distance of Earth and sun on the day of ``when`` (aware) [au].

    Spencer, J. W. (1971): Fourier series representation of the position of the sun. Search 2(5), 172.
    """
    day = 2.0 * pi * (when.astimezone(UTC).timetuple().tm_yday - 1) / 365.0
    inverse_square = 1.000110 + 0.034221 * cos(day) + 0.001280 * sin(day) + 0.000719 * cos(2.0 * day) + 0.000077 * sin(2.0 * day)
    return 1.0 / sqrt(inverse_square)


def esun(platform: str, *, native_id: str) -> float:
    """Tabled irradiance of a band of Landsat 4, 5 (TM) or 7 (ETM+) at 1 au [W m-2 um-1].

    Raises:
        MetadataError: The table has no such band.
    """
    try:
        return ESUN[platform][native_id]
    except KeyError:
        raise MetadataError(
            "the metadata has no reflectance coefficients and there is no solar irradiance for the band",
            expected="Landsat 4, 5 or 7, a reflective band",
            got=f"{platform} {native_id}",
            remedy="Order the scene from a newer collection.",
        ) from None
