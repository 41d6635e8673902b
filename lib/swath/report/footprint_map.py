"""Where the products of a run are: their footprints as outlines on a plain graticule, in degrees."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any, Final

from swath.report.histogram import Axis, round_values

WIDTH: Final = 720.0
#: Heights of the map [px]; a long narrow area is drawn smaller.
HEIGHTS: Final = (150.0, 420.0)
#: Free space around the footprints, as a share of the larger side.
MARGIN: Final = 0.12
#: Longest and shortest side of the area that is drawn [deg].
LEAST_DEG: Final = 0.02

Point = tuple[float, float]
Ring = Sequence[Point]
FileReader = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One product.

    Args:
        anchor: Article on the page.
        title: Scene and date.
        path: SVG path data of all its parts.
    """

    anchor: str
    title: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLine:
    """A meridian or a parallel: where it is drawn, and its label."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FootprintMap:
    """The map.

    Args:
        height: Height of the drawing [px]; its width is ``WIDTH``.
        outlines: Products, the largest first, so that none hides another.
        meridians: Lines of equal longitude, by x.
        parallels: Lines of equal latitude, by y.
    """

    height: float
    outlines: tuple[Outline, ...]
    meridians: tuple[GridLine, ...]
    parallels: tuple[GridLine, ...]


def footprint_map(items: Sequence[tuple[str, str, str]], *, read: FileReader) -> FootprintMap | None:
    """Draw the footprints of items.

    Args:
        items: Anchor, title and path of each product's STAC item.
        read: Gives the bytes of a file by its path relative to the output's root, or None.

    Returns:
        The map; None where no item has a geometry.
    """
    known = [(anchor, title, rings) for anchor, title, path in items if (rings := _rings(read(path)))]
    if not known:
        return None
    frame = _Frame.around([p for _, _, rings in known for ring in rings for p in ring])
    known.sort(key=lambda entry: -_size(entry[2]))
    return FootprintMap(
        height=round(frame.height, 1),
        outlines=tuple(Outline(anchor=a, title=t, path=frame.path(rings)) for a, t, rings in known),
        meridians=tuple(GridLine(at=round(frame.x(v), 1), text=text) for v, text in _lines(frame.longitudes, "E", "W")),
        parallels=tuple(GridLine(at=round(frame.y(v), 1), text=text) for v, text in _lines(frame.latitudes, "N", "S")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The area that is drawn [deg], and pixels a degree along longitude and latitude."""

    longitudes: Axis
    latitudes: Axis
    across: float
    down: float

    @classmethod
    def around(cls, points: Sequence[Point]) -> "_Frame":
        """A frame around the points; a degree of longitude is as much shorter as it is in the middle."""
        lon, lat = _spread([p[0] for p in points]), _spread([p[1] for p in points])
        narrow = max(cos(radians((lat[0] + lat[1]) / 2)), 0.05)
        margin = MARGIN * max((lon[1] - lon[0]) * narrow, lat[1] - lat[0])
        lon, lat = (lon[0] - margin / narrow, lon[1] + margin / narrow), (lat[0] - margin, lat[1] + margin)
        down = WIDTH / ((lon[1] - lon[0]) * narrow)
        height = min(max(down * (lat[1] - lat[0]), HEIGHTS[0]), HEIGHTS[1])
        if down * (lat[1] - lat[0]) > height:
            down = height / (lat[1] - lat[0])
        lon = _widened(lon, to=WIDTH / (down * narrow))
        return cls(longitudes=lon, latitudes=_widened(lat, to=height / down), across=down * narrow, down=down)

    @property
    def height(self) -> float:
        return (self.latitudes[1] - self.latitudes[0]) * self.down

    def x(self, longitude: float) -> float:
        return (longitude - self.longitudes[0]) * self.across

    def y(self, latitude: float) -> float:
        return (self.latitudes[1] - latitude) * self.down

    def path(self, rings: Sequence[Ring]) -> str:
        return "".join("M" + "L".join(f"{self.x(lon):.1f} {self.y(lat):.1f}" for lon, lat in ring) + "Z" for ring in rings)


def _rings(data: bytes | None) -> list[Ring]:
    """Outer rings of an item's geometry; none where there is no such item, or it has no area."""
    try:
        geometry: Any = json.loads(data or b"{}").get("geometry") or {}
        parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        return [[(float(p[0]), float(p[1])) for p in part[0]] for part in parts]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return []


def _spread(values: Sequence[float]) -> Axis:
    return _widened((min(values), max(values)), to=LEAST_DEG)


def _widened(axis: Axis, *, to: float) -> Axis:
    spare = max(to - (axis[1] - axis[0]), 0.0) / 2
    return axis[0] - spare, axis[1] + spare


def _size(rings: Sequence[Ring]) -> float:
    """Extent of the rings in longitude times latitude [deg2]."""
    lon, lat = [p[0] for ring in rings for p in ring], [p[1] for ring in rings for p in ring]
    return (max(lon) - min(lon)) * (max(lat) - min(lat))


def _lines(axis: Axis, positive: str, negative: str) -> Iterator[tuple[float, str]]:
    values, decimals = round_values(axis)
    for value in values:
        letter = positive if value > 0 else negative if value < 0 else ""
        yield value, f"{abs(value):.{decimals}f}° {letter}".rstrip()
