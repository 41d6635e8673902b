"""The outline and bbox of a grid in longitude and latitude."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.warp import transform
from shapely.affinity import translate
from shapely.geometry import LinearRing, MultiPolygon, Polygon, box, shape
from shapely.geometry.polygon import orient

from swath.errors import GeometryError
from swath.grid import Grid

#: Straight edges of a map projection are curves on the globe; 20 pieces an edge keep a bbox right to 1e-5 deg.
PIECES_PER_EDGE = 20
#: Decimals of degrees kept: 7 are about a centimetre.
DECIMALS = 7
#: How far a ring that the delivery tells may lie outside the grid [deg]: about a kilometre.
SLACK_DEG = 0.01
Point = tuple[float, float]
BBox = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """An outline in EPSG:4326.

    Args:
        geometry: GeoJSON ``Polygon``; ``MultiPolygon`` when it crosses the antimeridian (RFC 7946 section 3.1.9).
        bbox: (west, south, east, north); west > east when it crosses the antimeridian (RFC 7946 section 5.2).
    """

    geometry: dict[str, Any]
    bbox: BBox


def footprint_of(grid: Grid, *, told: Sequence[Point] = ()) -> Footprint:
    """The outline of a scene's valid data, counter-clockwise.

    Args:
        grid: The scene's grid; its outline, edges densified, is the footprint unless ``told`` is better.
        told: Ring of (longitude, latitude) around the data as the delivery tells it. It is taken when it is a proper ring
            within the grid's outline: the metadata of a crop tell the ring of the whole scene.

    Raises:
        GeometryError: The CRS is unknown, or a point of the outline has no longitude and latitude.
    """
    outline = _footprint(_globe_ring(grid))
    if len(told) < 4:
        return outline
    ring = [*told] if told[0] == told[-1] else [*told, told[0]]
    data = _footprint(ring)
    if not shape(data.geometry).is_valid or not shape(outline.geometry).buffer(SLACK_DEG).covers(shape(data.geometry)):
        return outline
    return data


def footprint_on(grid: Grid, data: Footprint) -> Footprint:
    """The part of the data's footprint that is on a product's grid; the footprint itself where the grid covers it.

    Args:
        grid: The product's grid.
        data: Valid pixels of the scene.
    """
    outline = _footprint(_globe_ring(grid))
    frame, whole = shape(outline.geometry), shape(data.geometry)
    if frame.buffer(SLACK_DEG).covers(whole):
        return data
    part = frame.intersection(whole)
    if not isinstance(part, Polygon | MultiPolygon) or part.is_empty:
        return outline
    parts = part.geoms if isinstance(part, MultiPolygon) else (part,)
    rings = [[[[round(x, DECIMALS), round(y, DECIMALS)] for x, y in orient(p).exterior.coords]] for p in parts]
    bbox = part.bounds if outline.bbox[0] <= outline.bbox[2] else outline.bbox
    west, south, east, north = (round(v, DECIMALS) for v in bbox)
    one = {"type": "Polygon", "coordinates": rings[0]} if len(rings) == 1 else {"type": "MultiPolygon", "coordinates": rings}
    return Footprint(geometry=one, bbox=(west, south, east, north))


def _footprint(points: Sequence[Point]) -> Footprint:
    ring = _unwrapped(points)
    if abs(ring[-1][0] - ring[0][0]) > 180.0:
        ring = _around_pole(ring)
    elif not LinearRing(ring).is_ccw:
        ring.reverse()
    west, east = min(lon for lon, _ in ring), max(lon for lon, _ in ring)
    if west >= -180.0 and east <= 180.0:
        return _whole(ring)
    return _split(ring)


def _globe_ring(grid: Grid) -> list[Point]:
    """The closed outline, counter-clockwise from the top left corner, as (longitude, latitude)."""
    corners = [*grid.corners, grid.corners[0]]
    steps = [i / PIECES_PER_EDGE for i in range(PIECES_PER_EDGE)]
    line = [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for (x0, y0), (x1, y1) in pairwise(corners) for t in steps]
    line.append(corners[-1])
    try:
        lons, lats = transform(grid.crs, "EPSG:4326", [x for x, _ in line], [y for _, y in line])[:2]
    except (ValueError, RasterioError, CPLE_BaseError) as error:
        raise _unusable(grid, str(error)[:200]) from error
    if not all(abs(lon) <= 360.0 and abs(lat) <= 90.0 for lon, lat in zip(lons, lats, strict=True)):
        raise _unusable(grid, f"bounds {grid.bounds}")
    return list(zip(lons, lats, strict=True))


def _unusable(grid: Grid, got: str) -> GeometryError:
    return GeometryError(
        "the scene's outline has no longitude and latitude",
        expected=f"bounds that {grid.crs[:40]} can map to the globe",
        got=got,
        remedy="Check the coordinate reference system of the delivery.",
    )


def _unwrapped(ring: Sequence[Point]) -> list[Point]:
    """The ring with longitudes that go on past 180 instead of jumping by 360."""
    lons = [ring[0][0]]
    for lon, _ in ring[1:]:
        lons.append(lon + 360.0 * round((lons[-1] - lon) / 360.0))
    return [(lon, lat) for lon, (_, lat) in zip(lons, ring, strict=True)]


def _around_pole(ring: Sequence[Point]) -> list[Point]:
    """An outline that goes once around the globe encloses a pole: close it along the pole's parallel."""
    pole = 90.0 if sum(lat for _, lat in ring) > 0 else -90.0
    return [*ring, (ring[-1][0], pole), (ring[0][0], pole), ring[0]]


def _whole(ring: Sequence[Point]) -> Footprint:
    points = [[round(lon, DECIMALS), round(lat, DECIMALS)] for lon, lat in ring]
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    return Footprint(geometry={"type": "Polygon", "coordinates": [points]}, bbox=(min(lons), min(lats), max(lons), max(lats)))


def _split(ring: Sequence[Point]) -> Footprint:
    """Cut at the antimeridian into parts that each lie within -180 .. 180."""
    whole = Polygon(ring).buffer(0)
    parts: list[Polygon] = []
    for turn in (-360.0, 0.0, 360.0):
        part = translate(whole.intersection(box(-180.0 + turn, -90.0, 180.0 + turn, 90.0)), xoff=-turn)
        parts += [p for p in getattr(part, "geoms", [part]) if isinstance(p, Polygon) and p.area > 0]
    parts.sort(key=lambda p: p.bounds)
    rings = [[[round(x, DECIMALS), round(y, DECIMALS)] for x, y in orient(p).exterior.coords] for p in parts]
    south, north = (round(v, DECIMALS) for v in (whole.bounds[1], whole.bounds[3]))
    # The western end of the box is where the part that touches +180 begins, the eastern end where the other stops.
    east_parts = [p for p in parts if p.bounds[2] == 180.0]
    west_parts = [p for p in parts if p.bounds[0] == -180.0]
    west = min((p.bounds[0] for p in east_parts), default=-180.0)
    east = max((p.bounds[2] for p in west_parts), default=180.0)
    if MultiPolygon(parts).bounds[2] - MultiPolygon(parts).bounds[0] >= 360.0 and west <= east:
        west, east = -180.0, 180.0
    geometry = {"type": "MultiPolygon", "coordinates": [[r] for r in rings]}
    return Footprint(geometry=geometry, bbox=(round(west, DECIMALS), south, round(east, DECIMALS), north))
