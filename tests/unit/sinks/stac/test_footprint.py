"""Footprints against pyproj and by hand at the antimeridian and the poles."""

import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape
from shapely.geometry.polygon import LinearRing

from swath.errors import GeometryError
from swath.grid import Grid
from swath.sinks.stac.footprint import footprint_of


def grid(crs: str, *, left: float, top: float, side: float, dx: float = 30.0) -> Grid:
    return Grid(crs=crs, left=left, top=top, dx=dx, dy=dx, width=round(side / dx), height=round(side / dx))


def test_corners_and_bbox_agree_with_pyproj() -> None:
    scene = grid("EPSG:32631", left=600_000.0, top=5_700_000.0, side=109_800.0)
    to_globe = pyproj.Transformer.from_crs(32631, 4326, always_xy=True)
    west, south, east, north = to_globe.transform_bounds(*scene.bounds, densify_pts=1001)
    found = footprint_of(scene)
    assert found.bbox == pytest.approx((west, south, east, north), abs=1e-5)
    assert found.geometry["type"] == "Polygon"
    assert found.geometry["coordinates"][0][0] == pytest.approx(to_globe.transform(600_000.0, 5_700_000.0), abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(
    zone=st.integers(1, 60),
    left=st.floats(170_000, 700_000),
    top=st.floats(200_000, 9_000_000),
    side=st.floats(300, 180_000),
)
def test_outlines_are_closed_simple_and_inside_the_globe(zone: int, left: float, top: float, side: float) -> None:
    found = footprint_of(grid(f"EPSG:{32600 + zone}", left=left, top=top, side=side, dx=100.0))
    outline = shape(found.geometry)
    assert outline.is_valid
    assert outline.bounds[0] >= -180.0
    assert outline.bounds[2] <= 180.0
    parts = found.geometry["coordinates"]
    rings = [parts[0]] if found.geometry["type"] == "Polygon" else [p[0] for p in parts]
    assert all(r[0] == r[-1] and LinearRing(r).is_ccw for r in rings)


def test_a_scene_across_the_antimeridian_is_cut_there() -> None:
    found = footprint_of(grid("EPSG:32660", left=750_000.0, top=2_000_000.0, side=109_800.0))
    assert found.geometry["type"] == "MultiPolygon"
    west, _, east, _ = found.bbox
    assert west > 179.0
    assert east < -179.0
    assert all(abs(lon) <= 180.0 for part in found.geometry["coordinates"] for lon, _ in part[0])
    edges = {abs(lon) for part in found.geometry["coordinates"] for lon, _ in part[0]}
    assert max(edges) == 180.0


def test_a_scene_over_the_pole_reaches_it() -> None:
    found = footprint_of(grid("EPSG:3413", left=-300_000.0, top=300_000.0, side=600_000.0, dx=100.0))
    assert found.bbox[0] == -180.0
    assert found.bbox[2] == 180.0
    assert found.bbox[3] == 90.0
    assert shape(found.geometry).is_valid


def test_an_unknown_crs_is_a_geometry_error() -> None:
    with pytest.raises(GeometryError, match="no longitude and latitude"):
        footprint_of(grid("EPSG:999999", left=0.0, top=0.0, side=300.0))


def test_bounds_off_the_globe_are_a_geometry_error() -> None:
    with pytest.raises(GeometryError, match="no longitude and latitude"):
        footprint_of(grid("EPSG:4326", left=0.0, top=200.0, side=3.0, dx=0.1))


SCENE = Grid(crs="EPSG:32631", left=600_000.0, top=5_700_000.0, dx=100.0, dy=100.0, width=1098, height=1098)
RING = ((4.6, 51.3), (5.5, 51.2), (5.4, 50.6), (4.7, 50.6), (4.6, 51.3))


def test_a_ring_that_the_delivery_tells_is_taken_and_turned() -> None:
    found = footprint_of(SCENE, told=RING)
    assert found.bbox == (4.6, 50.6, 5.5, 51.3)
    assert LinearRing(found.geometry["coordinates"][0]).is_ccw
    assert footprint_of(SCENE, told=RING[:-1]) == found


@pytest.mark.parametrize(
    "ring",
    [
        pytest.param(((0.0, 51.0), (5.0, 51.0), (5.0, 50.5), (0.0, 51.0)), id="of a larger scene"),
        pytest.param(((4.6, 51.0), (5.4, 50.7), (5.4, 51.0), (4.6, 50.7), (4.6, 51.0)), id="crossing itself"),
        pytest.param(((4.6, 51.0), (4.7, 51.0)), id="two points"),
    ],
)
def test_other_rings_give_way_to_the_grid(ring: tuple[tuple[float, float], ...]) -> None:
    assert footprint_of(SCENE, told=ring) == footprint_of(SCENE)
