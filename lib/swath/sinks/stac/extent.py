"""The extent of many items in space and time; extents add up in any order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from swath.sinks.stac.item import utc_text

BBox = tuple[float, float, float, float]
GLOBE: BBox = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many items there are, and where and when.

    Args:
        items: Number.
        bbox: (west, south, east, north) [deg], west > east across the antimeridian; None without items.
        interval: First and last acquisition, RFC 3339; None without items.
    """

    items: int = 0
    bbox: BBox | None = None
    interval: tuple[str, str] | None = None

    @classmethod
    def at(cls, *, bbox: BBox, moment: datetime) -> Self:
        """One item."""
        text = utc_text(moment)
        return cls(items=1, bbox=bbox, interval=(text, text))

    @classmethod
    def over(cls, parts: Iterable["Extent"]) -> "Extent":
        """All parts together."""
        found = [p for p in parts if p.items]
        boxes = [p.bbox for p in found if p.bbox is not None]
        spans = [p.interval for p in found if p.interval is not None]
        if not boxes or not spans:
            return Extent()
        interval = (min((s for s, _ in spans), key=_moment), max((s for _, s in spans), key=_moment))
        return Extent(items=sum(p.items for p in found), bbox=union(boxes), interval=interval)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a catalogue file."""
        return {
            "items": self.items,
            "bbox": None if self.bbox is None else list(self.bbox),
            "interval": None if self.interval is None else list(self.interval),
        }

    @classmethod
    def from_json(cls, plain: Any) -> "Extent":
        """The inverse of ``to_json``; nothing becomes the empty extent."""
        if not plain or not plain["items"]:
            return cls()
        west, south, east, north = plain["bbox"]
        first, last = plain["interval"]
        return cls(items=plain["items"], bbox=(west, south, east, north), interval=(first, last))


def union(boxes: Iterable[BBox]) -> BBox:
    """The smallest of two boxes around all: the one that runs over Greenwich or the one over the antimeridian."""
    known = list(boxes)
    south, north = min(b[1] for b in known), max(b[3] for b in known)
    plain = [(b[0], b[2]) if b[0] <= b[2] else (-180.0, 180.0) for b in known]
    west, east = min(w for w, _ in plain), max(e for _, e in plain)
    turned = [_turned(b) for b in known]
    if None not in turned:
        far_west = min(t[0] for t in turned if t is not None)
        far_east = max(t[1] for t in turned if t is not None)
        if far_east - far_west < east - west and far_east > 180.0:
            return (far_west if far_west <= 180.0 else far_west - 360.0, south, far_east - 360.0, north)
    return (west, south, east, north)


def _turned(bbox: BBox) -> tuple[float, float] | None:
    """West and east counted 0 .. 360; None for a box that holds Greenwich."""
    west, _, east, _ = bbox
    if west > east:
        return (west, east + 360.0) if east < 0.0 <= west else None
    if west >= 0.0:
        return (west, east)
    return (west + 360.0, east + 360.0) if east < 0.0 else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
