"""Tiles of Sentinel-2 by name, against the corners that real deliveries state."""

import re
from pathlib import Path

import pytest

from swath.tilings import mgrs_tile

pytestmark = pytest.mark.real
_TILE = re.compile(r"<TILE_ID[^>]*>[^<]*_T(\d\d[A-Z]{3})_")
_SYSTEM = re.compile(r"<HORIZONTAL_CS_CODE>(EPSG:\d+)<")
_CORNER = re.compile(r"<ULX>(\d+)</ULX>\s*<ULY>(\d+)</ULY>")


def test_tiles_begin_where_deliveries_say(scenes: Path) -> None:
    seen = set()
    for path in sorted((scenes / "stactools_sentinel2").rglob("*.xml")):
        text = path.read_text(encoding="utf-8", errors="replace")
        tile, system, corner = _TILE.search(text), _SYSTEM.search(text), _CORNER.search(text)
        # The catalogue's authors made 34LBQ of the metadata of 34LBP.
        if tile is None or system is None or corner is None or tile[1] == "34LBQ":
            continue
        grid = mgrs_tile(tile[1], resolution_m=10.0)
        assert (grid.crs, grid.left, grid.top) == (system[1], float(corner[1]), float(corner[2])), path
        assert (grid.width, grid.height) == (10980, 10980)
        seen.add(tile[1])
    assert len(seen) >= 6
