"""Where a source is in the system of the tiles: also across the antimeridian, and around a pole."""

import pytest

from swath.grid import Grid
from swath.stack.tiles import Tiling
from swath.stack.warping import bounds_in


def square(crs: str, left: float, top: float, *, side: float = 109_800.0) -> Grid:
    pixels = round(side / 100.0)
    return Grid(crs=crs, left=left, top=top, dx=100.0, dy=100.0, width=pixels, height=pixels)


#: A scene of zone 60 over the antimeridian near Fiji, and one around the north pole.
FIJI = square("EPSG:32760", 770_000.0, 8_100_000.0)
POLE = square("EPSG:3413", -54_900.0, 54_900.0)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857"])
def test_a_source_that_a_map_tears_is_on_none_of_its_tiles(crs: str) -> None:
    degrees = crs == "EPSG:4326"
    tiling = Tiling(crs=crs, resolution=0.001 if degrees else 100.0, origin=(0.0, 0.0), side=1024)
    # Its bounds would reach around the world, and every tile of that row would be made, without a pixel.
    assert bounds_in(FIJI, crs) is None
    assert list(tiling.touching(FIJI)) == []
    beside = square("EPSG:32760", 600_000.0, 8_100_000.0)
    assert 1 <= len(list(tiling.touching(beside))) <= 9


def test_a_source_across_the_antimeridian_is_whole_in_systems_that_hold_it() -> None:
    for crs in ("EPSG:32701", "EPSG:3832"):
        bounds = bounds_in(FIJI, crs)
        assert bounds is not None
        assert 100_000 < bounds[2] - bounds[0] < 130_000
        assert 100_000 < bounds[3] - bounds[1] < 130_000


def test_a_source_around_a_pole_is_whole_in_a_polar_system_alone() -> None:
    assert bounds_in(POLE, "EPSG:4326") is None
    bounds = bounds_in(POLE, "EPSG:3995")
    assert bounds is not None
    assert bounds[0] < -54_000 < 54_000 < bounds[2]


def test_a_long_narrow_source_is_not_taken_for_a_torn_one() -> None:
    narrow = Grid(crs="EPSG:32633", left=400_000.0, top=6_000_000.0, dx=10.0, dy=10.0, width=20_000, height=64)
    assert bounds_in(narrow, "EPSG:4326") is not None
