"""What all versions of one acquisition share: of several, a composite takes the newest."""

import re
from datetime import UTC
from typing import Final

from swath.readers.stac.item import Item

_TILE: Final = re.compile(r"_T?(\d{1,2}[C-X][A-Z]{2})_")
_DATASTRIP: Final = re.compile(r"_S(\d{8}T\d{6})")
_WRS: Final = re.compile(r"_(\d{3})(\d{3})_(\d{8})_")


def acquisition_of(item: Item, *, platform: str) -> str:
    """The key of an acquisition: platform, place, time.

    Landsat: WRS path and row, and the day. Sentinel-2: tile, and the start of the datastrip where the item tells it, else the
    time to the second. Others: the place that ``grid:code`` names and the time to the second; without a place the item's id.
    """
    moment = item.acquired.astimezone(UTC)
    path, row = item.text("landsat:wrs_path"), item.text("landsat:wrs_row")
    wrs = _WRS.search(item.item_id)
    if platform.startswith("landsat") and ((path and row) or wrs):
        place = (int(path), int(row)) if path and row else (int(wrs[1]), int(wrs[2])) if wrs else (0, 0)
        return f"{platform} {place[0]:03d}{place[1]:03d} {moment:%Y%m%d}"
    named = _TILE.search(f"_{item.item_id}_")
    # Some write zones of one digit with a zero.
    place_name = item.text("grid:code").replace("MGRS-0", "MGRS-") or (f"MGRS-{named[1].lstrip('0')}" if named else "")
    if not place_name:
        return f"{platform} {item.text('swath:scene_id') or item.item_id}"
    strip = _DATASTRIP.search(item.text("s2:datastrip_id"))
    return f"{platform} {place_name} {strip[1] if strip else f'{moment:%Y%m%dT%H%M%S}'}"
