"""The map of a report: footprints where they are."""

import json
import re

import pytest

from swath.report.footprint_map import WIDTH, FootprintMap, footprint_map

Ring = list[list[float]]


def box(west: float, south: float, east: float, north: float) -> Ring:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def drawn(*geometries: object) -> FootprintMap | None:
    files = {f"{n}.json": json.dumps({"geometry": g}).encode() for n, g in enumerate(geometries)}
    return footprint_map([(f"product-{n}", f"scene {n}", name) for n, name in enumerate(files)], read=files.get)


def polygon(*ring: float) -> object:
    west, south, east, north = ring
    return {"type": "Polygon", "coordinates": [box(west, south, east, north)]}


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path)]


def test_a_square_kilometre_is_square_wherever_it_is() -> None:
    """At 60 degrees north a degree of longitude is half as long as one of latitude."""
    found = drawn(polygon(13.0, 59.5, 15.0, 60.5))
    assert found is not None
    points = corners(found.outlines[0].path)
    width, height = (max(p[k] for p in points) - min(p[k] for p in points) for k in (0, 1))
    assert width == pytest.approx(height, rel=0.01)
    assert all(0 < x < WIDTH and 0 < y < found.height for x, y in points)


def test_small_footprints_are_drawn_over_large_ones_and_north_is_up() -> None:
    found = drawn(polygon(13, 50, 13.2, 50.2), polygon(12, 49, 14, 51))
    assert found is not None
    assert [o.anchor for o in found.outlines] == ["product-1", "product-0"]
    assert found.parallels[0].at > found.parallels[-1].at
    assert found.parallels[0].text.endswith("° N")
    assert float(found.parallels[0].text.split("°")[0]) < float(found.parallels[-1].text.split("°")[0])


def test_both_parts_of_a_footprint_over_the_antimeridian_are_drawn() -> None:
    parts = {"type": "MultiPolygon", "coordinates": [[box(179, -1, 180, 0)], [box(-180, -1, -179, 0)]]}
    found = drawn(parts)
    assert found is not None
    assert found.outlines[0].path.count("M") == 2
    assert {line.text[-1] for line in found.meridians} >= {"E", "W"}


@pytest.mark.parametrize("geometry", [None, {"type": "Point", "coordinates": [1, 2]}, {"type": "Polygon"}, []])
def test_items_without_an_area_have_no_map(geometry: object) -> None:
    assert drawn(geometry) is None


def test_an_item_that_is_gone_or_no_json_is_left_out() -> None:
    assert footprint_map([("a", "a", "gone.json")], read=lambda _: None) is None
    assert footprint_map([("a", "a", "a.json")], read=lambda _: b"\xff{") is None
