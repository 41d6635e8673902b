"""Areas of interest in odd places: across the antimeridian, over a pole, outside everything, and what is no area."""

import json

import pytest
from pyproj import CRS
from shapely.geometry import box

from swath.composites.area import area_in, area_of
from swath.errors import ConfigError

#: Fiji: east and west of the antimeridian.
FIJI = "176,-20,-178,-16"


@pytest.mark.parametrize("crs", ["EPSG:32760", "EPSG:32701", "EPSG:3832"])
def test_a_bbox_across_the_antimeridian_is_in_one_place_in_a_system_that_holds_it(crs: str) -> None:
    area = area_in(area_of(FIJI), crs=crs)
    assert area is not None
    for longitude in (176.5, 179.99, -179.99, -178.5):
        there = area_in(area_of(f"{longitude},-18,{min(longitude + 0.001, 180)},-17.999"), crs=crs)
        assert there is not None
        assert area.intersects(there), longitude
    for longitude in (174.0, -176.0):
        beside = area_in(area_of(f"{longitude},-18,{longitude + 0.001},-17.999"), crs=crs)
        assert beside is not None
        assert not area.intersects(beside), longitude
    # Six degrees at 18 degrees of latitude are 635 km: no part of it is a world away.
    west, _, east, _ = area.bounds
    assert 600_000 < east - west < 700_000


def test_both_spellings_of_an_area_across_the_antimeridian_are_one_area() -> None:
    parts = [
        [[[176, -20], [180, -20], [180, -16], [176, -16], [176, -20]]],
        [[[-180, -20], [-178, -20], [-178, -16], [-180, -16], [-180, -20]]],
    ]
    spelled = area_of(json.dumps({"type": "MultiPolygon", "coordinates": parts}))
    for crs in ("EPSG:32760", "EPSG:4326"):
        one, other = area_in(spelled, crs=crs), area_in(area_of(FIJI), crs=crs)
        assert one is not None
        assert other is not None
        assert one.symmetric_difference(other).area < 1e-6 * one.area


def test_an_area_around_a_pole_holds_the_pole_and_not_what_is_south_of_it() -> None:
    area = area_in(area_of("-180,80,180,90"), crs="EPSG:3413")
    assert area is not None
    assert area.buffer(0).area == pytest.approx(3.8e12, rel=0.05), "the cap north of 80 degrees"
    assert area.intersects(box(-15_000, -15_000, 15_000, 15_000)), "a tile on the pole"
    assert area.intersects(box(500_000, 500_000, 530_000, 530_000))
    assert not area.intersects(box(1_500_000, 0, 1_530_000, 30_000))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10,50,10,51", "bounds that do not run from west to east"),
        ("10,51,11,50", "bounds that do not run from west to east and from south to north"),
        ("10,50,190,51", "bounds that do not run"),
        ("10,50,x,51", "could not convert"),
        ('{"type": "Point", "coordinates": [1, 2]}', "GeoJSON of type 'Point'"),
        ('{"type": "FeatureCollection", "features": []}', "an empty geometry"),
        ('{"type": "Polygon", "coordinates": [[[179, 0], [181, 0], [181, 1], [179, 0]]]}', "bounds"),
        ("no-such-file.geojson", "No such file"),
    ],
)
def test_what_is_no_area_is_refused_by_its_text(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"--aoi .*{why}"):
        area_of(text)


@pytest.mark.parametrize("bbox", ["-180,-90,180,90", "-180,-60,180,70", "-90,-10,100,70"])
@pytest.mark.parametrize(("crs", "left", "top"), [("EPSG:32633", 400_000, 5_100_000), ("EPSG:3035", 4_300_000, 2_900_000)])
def test_an_area_larger_than_a_system_holds_its_tiles(bbox: str, crs: str, left: float, top: float) -> None:
    area = area_in(area_of(bbox), crs=crs)
    assert area is not None
    assert area.contains(box(left, top - 100_000, left + 100_000, top))


def test_an_area_on_the_other_side_of_the_world_meets_no_tile() -> None:
    area = area_in(area_of("-150,-40,-140,-30"), crs="EPSG:32633")
    assert area is not None
    assert area.is_empty


def test_a_system_that_cannot_show_an_area_is_named() -> None:
    half = CRS.from_proj4("+proj=ortho +lat_0=0 +lon_0=0").to_wkt()
    with pytest.raises(ConfigError, match="cannot show all of the area"):
        area_in(area_of("80,-10,120,10"), crs=half)
