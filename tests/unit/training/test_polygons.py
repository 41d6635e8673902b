import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from swath.errors import ConfigError
from swath.training.polygons import LabelledPolygon, Polygons, read_polygons

SQUARE = {"type": "Polygon", "coordinates": [[[3.0, 50.0], [3.1, 50.0], [3.1, 50.1], [3.0, 50.1], [3.0, 50.0]]]}


def written(path: Path, features: list[dict[str, Any]]) -> str:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


def feature(geometry: Any = SQUARE, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"class": "water", **properties}, "geometry": geometry}


def test_geojson_is_in_degrees_and_features_are_numbered(tmp_path: Path) -> None:
    polygons = read_polygons(written(tmp_path / "p.geojson", [feature(), feature(**{"class": "forest"})]))
    assert polygons.crs == "EPSG:4326"
    assert [(p.polygon_id, p.label) for p in polygons.items] == [("0", "water"), ("1", "forest")]
    assert polygons.labels == ("forest", "water")
    assert shapely.geometry.shape(dict(polygons.items[0].geometry)).area == pytest.approx(0.01)


def test_a_geopackage_keeps_its_coordinate_system_and_ids(tmp_path: Path) -> None:
    path = tmp_path / "p.gpkg"
    shapes = [shapely.multipolygons([b]) for b in (shapely.box(500000, 5600000, 500100, 5600100), shapely.box(0, 0, 1, 1))]
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array(shapes)),
        field_data=[np.array(["bare", "urban"], dtype=object), np.array(["x7", "x9"], dtype=object)],
        fields=["cover", "key"],
        geometry_type="MultiPolygon",
        crs="EPSG:32631",
    )
    polygons = read_polygons(str(path), label_field="cover", id_field="key")
    assert polygons.crs == "EPSG:32631"
    assert [(p.polygon_id, p.label) for p in polygons.items] == [("x7", "bare"), ("x9", "urban")]


def test_reprojection_moves_the_corners(tmp_path: Path) -> None:
    polygons = read_polygons(written(tmp_path / "p.geojson", [feature()])).reprojected("EPSG:32631")
    left, bottom, right, _ = shapely.geometry.shape(dict(polygons.items[0].geometry)).bounds
    # 3 degrees east is the central meridian of zone 31: x = 500 km there.
    assert left == pytest.approx(500_000.0, abs=0.01)
    assert right == pytest.approx(507_166.0, abs=5.0)
    assert bottom == pytest.approx(5_538_630.7, abs=1.0)
    assert polygons.reprojected("EPSG:32631") is polygons


def test_an_unknown_field_is_named_with_those_there_are(tmp_path: Path) -> None:
    href = written(tmp_path / "p.geojson", [feature(area=3)])
    with pytest.raises(ConfigError, match=r"no field 'kind'; its fields are class, area"):
        read_polygons(href, label_field="kind")


@pytest.mark.parametrize("geometry", [{"type": "Point", "coordinates": [3.0, 50.0]}, None])
def test_only_polygons_are_taken(tmp_path: Path, geometry: Any) -> None:
    with pytest.raises(ConfigError, match=r"feature 0 is (Point|nothing); training needs polygons"):
        read_polygons(written(tmp_path / "p.geojson", [feature(geometry)]))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.geojson").write_text("nope", encoding="utf-8")
    for href in (tmp_path / "p.geojson", tmp_path / "missing.geojson"):
        with pytest.raises(ConfigError, match="the polygons cannot be read"):
            read_polygons(str(href))


def test_no_polygons_are_refused() -> None:
    with pytest.raises(ConfigError, match="no labelled polygons"):
        Polygons(crs="EPSG:4326", items=())


def test_two_polygons_with_one_id_are_refused() -> None:
    twin = LabelledPolygon(polygon_id="1", label="water", geometry=SQUARE)
    with pytest.raises(ConfigError, match="two polygons share an id"):
        Polygons(crs="EPSG:4326", items=(twin, twin))
