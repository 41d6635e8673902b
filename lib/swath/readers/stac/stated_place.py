"""What an item says of the place of its rasters (``bbox``, ``geometry``, ``proj:``), beside what the rasters say.

Pixels are where their file is. A statement that contradicts the file is of another file, or the file has lost its place:
where another statement of the item confirms the file, the product is right and says what the item has wrong; where none
does, nobody knows, and the item is refused. A crop or a decimation of what the item describes contradicts nothing.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite
from typing import Any, Final

from rasterio.crs import CRS
from rasterio.errors import CRSError

from swath.errors import GeometryError, MetadataError
from swath.grid import Grid
from swath.readers.files.gdal_env import gdal_env
from swath.readers.pixels.data_places import Places, places_with_data, share_outside
from swath.readers.pixels.header import crs_name
from swath.readers.pixels.whereabouts import SLACK_DEG, GlobeBox, around, box_of
from swath.readers.stac.item import Item, JsonObject, list_of, object_of
from swath.scene import Asset

#: Codes of one system, the newest first (projection extension 2.0 and 1.x).
_CODES: Final = ("proj:code", "proj:epsg")
_SYSTEMS: Final = (*_CODES, "proj:wkt2", "proj:projjson")
#: A file may lie outside of the grid that is told by so many pixels of the coarser of the two.
_SLACK_PX: Final = 1.0
#: More of a file's pixels with data than this are not outside of the outline of its own scene.
_MOST_OUTSIDE: Final = 0.1
#: Names of systems that are kept; a system as WKT is some kB.
_MOST_NAMES: Final = 256
_CORNERS: Final = 4
_FLAT: Final = 6
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Whether a statement holds for the file: both in words.

    Args:
        field: Name of the field.
        agrees: Whether it confirms the place of the file.
        file: What the file says.
        item: What the item says.
    """

    field: str
    agrees: bool
    file: str
    item: str


def check_place(item: Item, *, assets: Mapping[str, Asset], keys: Mapping[str, str]) -> dict[str, str]:
    """What the item has wrong about the place of its files, in words by field; empty where nothing is.

    Args:
        item: The item.
        assets: Bands of the scene, all over the same ground.
        keys: Key of the item's asset of each band.

    Raises:
        MetadataError: A statement contradicts the files, and none confirms them.
    """
    verdicts = list(_on_globe(item, assets=list(assets.values())))
    for name, asset in assets.items():
        if not asset.grid.raw:
            verdicts += _on_map(item, asset=asset, said=object_of(item.assets.get(keys[name])))
    wrong = [v for v in verdicts if not v.agrees]
    if wrong and not any(v.agrees for v in verdicts):
        raise MetadataError(
            f"the item and its files contradict each other about their place ({wrong[0].field})",
            expected=f"{wrong[0].file} (the file)",
            got=f"{wrong[0].item} (the item)",
            remedy="Correct the item, or its hrefs: they may be of another scene. Leave the field out if it is not known.",
        )
    return {v.field: f"the item says {v.item}; made where the file is: {v.file}" for v in reversed(wrong)}


def _on_globe(item: Item, *, assets: Sequence[Asset]) -> Iterable[_Verdict]:
    box, geometry = _stated_box(item.record.get("bbox")), object_of(item.record.get("geometry"))
    said = {"bbox": (box, _polygon(box)), "geometry": (_around_geometry(geometry), geometry)}
    told = {field: (box, outline) for field, (box, outline) in said.items() if box is not None}
    largest = max(assets, key=lambda a: a.grid.width * a.grid.dx * a.grid.height)
    place = box_of(largest.grid) if told else None
    with_data: list[Places | None] = []
    for field, (box, outline) in told.items():
        if place is None or box is None:
            continue
        words, beside = "longitude and latitude", ""
        agrees = place.gap_deg(box) <= SLACK_DEG
        # A crop is inside of what the item describes, a footprint inside its file. Where neither is, pixels decide.
        apart = not place.within(box, slack_deg=SLACK_DEG) and not box.within(place, slack_deg=SLACK_DEG)
        if agrees and apart and not largest.grid.raw:
            with_data = with_data or [places_with_data(min(assets, key=lambda a: a.grid.width * a.grid.height))]
            share = None if with_data[0] is None else share_outside(with_data[0], outline, slack_deg=SLACK_DEG)
            agrees = share is None or share <= _MOST_OUTSIDE
            beside = "" if share is None else f", with {share:.0%} of its pixels outside of that {field}"
        yield _Verdict(field, agrees, f"{words} {place}{beside}", f"{words} {box}")


def _polygon(box: GlobeBox | None) -> JsonObject:
    if box is None:
        return {}
    ring = [(box.west, box.south), (box.east, box.south), (box.east, box.north), (box.west, box.north), (box.west, box.south)]
    return {"type": "Polygon", "coordinates": [ring]}


def _stated_box(box: Any) -> GlobeBox | None:
    numbers = _numbers(box, lengths=(_CORNERS, _FLAT))
    if not numbers:
        return None
    west, south, *_ = numbers
    east, north = numbers[len(numbers) // 2 :][:2]
    return GlobeBox(west, south, east + 360.0 if east < west else east, north)


def _around_geometry(geometry: Any) -> GlobeBox | None:
    places: list[Sequence[float]] = []
    pending = [object_of(geometry).get("coordinates")]
    while pending:
        value = pending.pop()
        place = _numbers(value, lengths=(2, 3))
        if place:
            places.append(place)
        else:
            pending += list_of(value)
    return around(places)


def _on_map(item: Item, *, asset: Asset, said: JsonObject) -> Iterable[_Verdict]:
    grid, whose = asset.grid, f" of {asset.band.name}"
    others = [(field, system) for field, system in _systems(said, item.properties) if not _same_system(system, grid=grid)]
    for field, system in others[:1]:
        yield _Verdict(field, False, _short(grid.crs) + whose, _short(system))
        return
    own = any(f"proj:{name}" in said for name in ("transform", "bbox", "shape"))
    for name, bounds, agrees in _stated_bounds(said if own else item.properties, grid=grid):
        yield _Verdict(f"proj:{name}", agrees, _edges(grid.bounds) + whose, _edges(bounds))


def _systems(*records: JsonObject) -> Iterable[tuple[str, str]]:
    """Fields of the first record that states a coordinate system, each with the name of its system (``crs_name``)."""
    for record in records:
        found = [(field, system) for field in _SYSTEMS if (system := _system(field, record.get(field)))]
        if found:
            yield from found
            return


def _system(field: str, value: Any) -> str:
    """The name of the coordinate system of a field; ``''`` where the field states none that is known."""
    if field in _CODES:
        code = str(value or "").upper().removeprefix("EPSG:")[:8]
        return _name_of(CRS.from_epsg, code) if code.isdecimal() and code.isascii() else ""
    if field == "proj:wkt2":
        return _name_of(CRS.from_wkt, value) if isinstance(value, str) and value else ""
    return _name_of(CRS.from_user_input, json.dumps(value)) if isinstance(value, dict) and value else ""


@lru_cache(maxsize=_MOST_NAMES)
def _name_of(system: Callable[[str], CRS], text: str) -> str:
    """The name of the system that a text describes; kept, because the items of a run share few systems and PROJ is slow."""
    with suppress(CRSError, OverflowError, TypeError, ValueError), gdal_env():
        return crs_name(system(text))
    return ""


def _same_system(system: str, *, grid: Grid) -> bool:
    if system == grid.crs:
        return True
    # Two names of one system: coordinates of the file are at the same place in both.
    corner = Grid(crs=system, left=grid.left, top=grid.top, dx=grid.dx, dy=grid.dy, width=1, height=1)
    own = Grid(crs=grid.crs, left=grid.left, top=grid.top, dx=grid.dx, dy=grid.dy, width=1, height=1)
    there, here = box_of(corner), box_of(own)
    if there is None or here is None:
        return False
    return there.gap_deg(here) == 0.0


def _stated_bounds(said: JsonObject, *, grid: Grid) -> Iterable[tuple[str, Bounds, bool]]:
    """Edges that an item states, by field, and whether the file is within; without a shape as far as any file goes."""
    own = max(abs(grid.resolution_m), abs(grid.dy))
    box = _numbers(said.get("proj:bbox"), lengths=(_CORNERS,))
    if box:
        edges = (box[0], box[1], box[2], box[3])
        yield "bbox", edges, _covers(edges, grid.bounds, slack=own)
    affine = _in_order(_numbers(said.get("proj:transform"), lengths=(_FLAT, 9)))
    shape = _numbers(said.get("proj:shape"), lengths=(2,))
    height, width = (int(shape[0]), int(shape[1])) if shape else (grid.height, grid.width)
    with suppress(GeometryError):
        stated = Grid.from_transform(affine or (0.0,) * _FLAT, crs=grid.crs, width=width, height=height)
        slack = max(own, abs(stated.resolution_m), abs(stated.dy))
        left, _, _, top = stated.bounds
        edges = stated.bounds if shape or not stated.upright else (left, -inf, inf, top)
        # A crop has fewer pixels: as many of another length are another grid.
        same = bool(shape) and (height, width) == (grid.height, grid.width)
        back = _covers(grid.bounds, edges, slack=slack) or not same
        yield "transform", edges, back and _covers(edges, grid.bounds, slack=slack)


def _in_order(affine: tuple[float, ...]) -> tuple[float, ...]:
    """The numbers of an affine map, of those who write them in GDAL's order too."""
    if len(affine) >= _FLAT and affine[2] == affine[4] == 0.0 and affine[1] > 0.0 > affine[5]:
        return tuple(affine[i] for i in (1, 2, 0, 4, 5, 3))
    return affine[:_FLAT]


def _covers(outer: Bounds, inner: Bounds, *, slack: float) -> bool:
    lower = all(a <= b + slack for a, b in zip(outer[:2], inner[:2], strict=True))
    return lower and all(a >= b - slack for a, b in zip(outer[2:], inner[2:], strict=True))


def _edges(bounds: Bounds) -> str:
    return "({})".format(", ".join(f"{edge:.10g}" for edge in bounds))


def _short(crs: str) -> str:
    return crs if len(crs) < 20 else "another coordinate system: " + crs[:60]


def _numbers(value: Any, *, lengths: tuple[int, ...]) -> tuple[float, ...]:
    """A list of finite numbers of one of these lengths; empty for anything else."""
    if not isinstance(value, list | tuple) or len(value) not in lengths:
        return ()
    with suppress(OverflowError):
        numbers = tuple(float(v) for v in value if isinstance(v, int | float) and not isinstance(v, bool))
        return numbers if len(numbers) == len(value) and all(isfinite(n) for n in numbers) else ()
    return ()
