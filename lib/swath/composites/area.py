"""The area of interest: a bbox or GeoJSON in longitude and latitude, brought to the CRS of the tiles."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import box, mapping, shape
from shapely.geometry.base import BaseGeometry

from swath.errors import ConfigError, GeometryError
from swath.mapping import crs_of, project

#: Edges are followed in steps of this size [deg]: straight on the map, they are curves in another CRS.
_STEP_DEG = 0.05
#: Tiles may be so far outside of the area for which their CRS was made [deg].
_REACH_DEG = 20.0
_BBOX = 4
_WGS84 = "EPSG:4326"
_EXPECTED = "a GeoJSON file, GeoJSON text, or a bbox WEST,SOUTH,EAST,NORTH in degrees (WEST above EAST across the antimeridian)"


def area_of(text: str) -> Mapping[str, Any]:
    """The GeoJSON geometry that ``--aoi`` means.

    Args:
        text: A bbox, GeoJSON, or a path to it.

    Raises:
        ConfigError: The text is not an area.
    """
    parts = text.replace(" ", "").split(",")
    if len(parts) == _BBOX and not text.lstrip().startswith("{"):
        return _bbox(parts, text=text)
    document = _json(text)
    geometries = [shape(g) for g in _geometries(document, text=text)]
    try:
        whole = shapely.union_all(geometries)
        west, south, east, north = whole.bounds
    except (ShapelyError, ValueError) as error:
        raise _wrong(text, got=str(error)) from error
    if whole.is_empty or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _wrong(text, got="an empty geometry" if whole.is_empty else f"bounds {whole.bounds}")
    found: Mapping[str, Any] = json.loads(json.dumps(mapping(whole)))
    return found


def area_in(aoi: Mapping[str, Any] | None, *, crs: str) -> BaseGeometry | None:
    """An area in another CRS.

    Raises:
        ConfigError: The CRS cannot show it.
    """
    if aoi is None:
        return None
    near = _near(shape(dict(aoi)), crs=crs)
    if near.is_empty:
        return near
    try:
        dense = shapely.segmentize(near, _STEP_DEG)
        found = shapely.transform(dense, lambda points: _points_in(points, crs=crs))
    except GeometryError as error:
        msg = f"--aoi: {error}"
        raise ConfigError(msg) from error
    return found


def _near(area: BaseGeometry, *, crs: str) -> BaseGeometry:
    """The part of an area where a CRS is meant to be used, and ``_REACH_DEG`` around it: further away a map is no longer one."""
    use = crs_of(crs).area_of_use
    if use is None:
        return area
    west, south, east, north = use.bounds
    east += 360.0 if east < west else 0.0
    low, high = max(south - _REACH_DEG, -90.0), min(north + _REACH_DEG, 90.0)
    spans = [box(west + turn - _REACH_DEG, low, east + turn + _REACH_DEG, high) for turn in (-360.0, 0.0, 360.0)]
    near: BaseGeometry = area.intersection(shapely.union_all(spans))
    return near


def _points_in(points: NDArray[np.float64], *, crs: str) -> NDArray[np.float64]:
    found = np.column_stack(project(points[:, 0], points[:, 1], source=_WGS84, target=crs))
    if not np.isfinite(found).all():
        msg = f"--aoi: {crs[:40]} cannot show all of the area; state grid.crs of a system that can"
        raise ConfigError(msg)
    return found


def _bbox(parts: list[str], *, text: str) -> Mapping[str, Any]:
    try:
        west, south, east, north = (float(p) for p in parts)
    except ValueError as error:
        raise _wrong(text, got=str(error)) from error
    if not (-180 <= west <= 180 and -180 <= east <= 180 and west != east and -90 <= south < north <= 90):
        raise _wrong(text, got="bounds that do not run from west to east and from south to north")
    # A west above the east is a bbox across the antimeridian (RFC 7946, section 5.2): two boxes, which meet there.
    spans = [(west, east)] if west < east else [(west, 180.0), (-180.0, east)]
    whole = shapely.union_all([box(a, south, b, north) for a, b in spans if a < b])
    found: Mapping[str, Any] = json.loads(json.dumps(mapping(whole)))
    return found


def _json(text: str) -> Any:
    try:
        data = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        return json.loads(data)
    except (OSError, ValueError) as error:
        raise _wrong(text, got=str(error)) from error


def _geometries(document: Any, *, text: str) -> list[Any]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        return [f["geometry"] for f in document.get("features", []) if isinstance(f, dict) and f.get("geometry")]
    if kind == "Feature":
        return [document.get("geometry")]
    if kind in {"Polygon", "MultiPolygon"}:
        return [document]
    raise _wrong(text, got=f"GeoJSON of type {kind!r}")


def _wrong(text: str, *, got: str) -> ConfigError:
    return ConfigError(f"--aoi {text[:80]}: expected {_EXPECTED}; got {got}")
