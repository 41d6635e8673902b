"""The position of the sun.

Low-precision solar coordinates of the Astronomical Almanac (USNO), good to 0.01 degrees between 1950 and 2050.
"""

from datetime import UTC, datetime
from math import asin, atan2, cos, degrees, radians, sin

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def _days(when: datetime) -> float:
    return (when - _J2000).total_seconds() / 86400.0


def sun_position(when: datetime, *, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Elevation above the horizon and azimuth from north [deg] at an aware time."""
    days = _days(when)
    anomaly = radians(357.528 + 0.9856003 * days)
    mean = 280.460 + 0.9856474 * days
    ecliptic = radians(mean + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    tilt = radians(23.439 - 0.0000004 * days)
    ascension = atan2(cos(tilt) * sin(ecliptic), cos(ecliptic))
    declination = asin(sin(tilt) * sin(ecliptic))
    sidereal = radians(15.0 * (18.697374558 + 24.06570982441908 * days) + longitude_deg)
    hour, latitude = sidereal - ascension, radians(latitude_deg)
    elevation = asin(sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour))
    north = sin(declination) * cos(latitude) - cos(declination) * sin(latitude) * cos(hour)
    azimuth = atan2(-cos(declination) * sin(hour), north)
    return degrees(elevation), degrees(azimuth) % 360.0
