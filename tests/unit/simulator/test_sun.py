from datetime import UTC, datetime

import pytest

from swath.simulator.sun import sun_position


@pytest.mark.parametrize(
    ("when", "latitude", "longitude", "elevation", "azimuth"),
    [
        # Scene centres of delivered Landsat 8 scenes: SUN_ELEVATION and SUN_AZIMUTH of their MTL.
        (datetime(2020, 10, 29, 0, 2, 59, tzinfo=UTC), -34.6075, 146.7540, 56.77807119, 57.65543514),
    ],
)
def test_sun_stands_where_delivered_metadata_says(
    when: datetime, latitude: float, longitude: float, elevation: float, azimuth: float
) -> None:
    found = sun_position(when, latitude_deg=latitude, longitude_deg=longitude)
    assert found == pytest.approx((elevation, azimuth), abs=0.1)
