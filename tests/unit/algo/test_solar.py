from datetime import UTC, datetime, timedelta, timezone

import pytest

from swath.algo.solar import ESUN, earth_sun_distance_au, esun
from swath.errors import MetadataError


@pytest.mark.parametrize(("month", "distance"), [(1, 0.9829226), (7, 1.017105)])
def test_distance_is_spencers(month: int, distance: float) -> None:
    assert earth_sun_distance_au(datetime(2015, month, 1, tzinfo=UTC)) == pytest.approx(distance, abs=1e-6)


def test_the_day_is_counted_in_utc() -> None:
    evening = datetime(2014, 12, 31, 20, tzinfo=timezone(timedelta(hours=-8)))
    assert earth_sun_distance_au(evening) == earth_sun_distance_au(datetime(2015, 1, 1, tzinfo=UTC))


def test_every_tm_and_etm_band_that_reflects_is_in_the_table() -> None:
    assert {p: sorted(b) for p, b in ESUN.items()} == {
        "landsat-4": ["B1", "B2", "B3", "B4", "B5", "B7"],
        "landsat-5": ["B1", "B2", "B3", "B4", "B5", "B7"],
        "landsat-7": ["B1", "B2", "B3", "B4", "B5", "B7", "B8"],
    }
    assert esun("landsat-5", native_id="B3") == 1536.0


@pytest.mark.parametrize(("platform", "band"), [("landsat-5", "B6"), ("landsat-1", "B4")])
def test_no_irradiance_is_said_so(platform: str, band: str) -> None:
    with pytest.raises(MetadataError, match=f"got {platform} {band}"):
        esun(platform, native_id=band)
