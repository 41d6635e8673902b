import numpy as np
import pytest

from swath.algo.shadows import darker, grown, reach_px, thrown

PIXEL_M = 30.0


@pytest.mark.parametrize(
    ("azimuth_deg", "down", "right"),
    [(180.0, -1, 0), (0.0, 1, 0), (90.0, 0, -1), (135.0, -1, -1)],  # the sun in the south throws shadows to the north
)
def test_a_shadow_is_thrown_away_from_the_sun(azimuth_deg: float, down: int, right: int) -> None:
    cloudy = np.zeros((81, 81), dtype=np.bool_)
    cloudy[40, 40] = True
    found = thrown(cloudy, sun_elevation_deg=45.0, sun_azimuth_deg=azimuth_deg, highest_m=600.0, pixel_m=PIXEL_M, most_px=400)
    rows, cols = np.nonzero(found)
    assert set(zip(np.sign(rows - 40).tolist(), np.sign(cols - 40).tolist(), strict=True)) == {(down, right)}
    distance = np.hypot(rows - 40, cols - 40) * PIXEL_M
    # At 45 degrees a shadow is as far as its cloud is high: 200 to 600 m.
    assert distance.min() == pytest.approx(200.0, abs=PIXEL_M)
    assert distance.max() == pytest.approx(600.0, abs=PIXEL_M)


def test_the_reach_covers_the_highest_cloud() -> None:
    assert reach_px(sun_elevation_deg=45.0, highest_m=599.0, pixel_m=PIXEL_M) == 20
    assert reach_px(sun_elevation_deg=30.0, highest_m=600.0, pixel_m=PIXEL_M) == 35


def test_dark_ground_is_told_from_its_cloudless_surroundings() -> None:
    nir = np.full((31, 31), 0.3)
    nir[10:13, 10:13] = 0.15
    nir[20:25, 20:25] = 0.9
    nir[0, 0] = np.nan
    cloudy = nir > 0.5
    found = darker(nir, cloudy=cloudy, around=5)
    assert found[10:13, 10:13].all()
    assert found.sum() == 9


def test_growing_reaches_as_far_as_it_says() -> None:
    marked = np.zeros((9, 9), dtype=np.bool_)
    marked[4, 4] = True
    rows, cols = np.nonzero(grown(marked, by_px=2))
    assert np.hypot(rows - 4, cols - 4).max() == 2
    assert rows.size == 13
    assert grown(marked, by_px=0) is marked
