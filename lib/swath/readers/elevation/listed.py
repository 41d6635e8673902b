"""Tiles of the site's rasters that STAC lists: a collection whose links name its items, or an item collection.

Of a collection whose items are named by their degree cells (Copernicus GLO-30: ``Copernicus_DSM_COG_10_N44_00_E005_00_DEM``) an
item is read when a product first needs its tile. Hrefs are relative to the document that has them; files are local or on S3.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from posixpath import dirname, join, normpath
from typing import Any, Final
from urllib.parse import unquote

from swath.errors import ConfigError, MetadataError, ReadError
from swath.readers.elevation.tiles import Box, Tile, Tiles, cell_of
from swath.readers.files.digest import sha256_of_multihash
from swath.readers.files.href import gdal_href
from swath.readers.files.xml import read_metadata

_RASTERS: Final = (".tif", ".tiff", ".hgt", ".vrt")
#: An item collection of 26,000 tiles has 50 MB.
_MOST_BYTES: Final = 512 << 20
#: Items whose links name no cell are all read when the site's rasters are opened.
_MOST_UNNAMED: Final = 2000
_EXPECTED: Final = "a STAC collection with links to its items, or an item collection"


def listed_tiles(where: str) -> Tiles:
    """Tiles that a STAC document lists.

    Args:
        where: Path or ``s3://`` URI of the document.

    Raises:
        ConfigError: It is no such document, or an item has no one raster; names it.
    """
    document = _document(where)
    features = document.get("features")
    if isinstance(features, list):
        return Tiles.of(_tile(record, href=where) for record in features)
    links = [link for link in document.get("links") or [] if isinstance(link, dict) and link.get("rel") == "item"]
    if not links:
        raise _not_usable(where, got=f"{document.get('type')} without items")
    hrefs = [_resolved(str(link.get("href", "")), href=where) for link in links]
    cells = {cell: href for href in hrefs if (cell := cell_of(href.rpartition("/")[2])) is not None}
    others = [href for href in hrefs if cell_of(href.rpartition("/")[2]) is None]
    if len(others) > _MOST_UNNAMED:
        raise _not_usable(where, got=f"{len(others)} links whose names tell no degree cell: write an item collection")
    read = Tiles.of(_tile(_document(href), href=href) for href in others)
    return Tiles(rasters=(*read.rasters, *read.cells.values()), cells=_Linked(cells))


class _Linked(Mapping[tuple[int, int], Tile]):
    """Tiles by degree cell, each of whose items is read when it is asked for."""

    def __init__(self, hrefs: Mapping[tuple[int, int], str]) -> None:
        self._hrefs = hrefs

    def __getitem__(self, cell: tuple[int, int]) -> Tile:
        return _linked(self._hrefs[cell])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._hrefs)

    def __len__(self) -> int:
        return len(self._hrefs)


@lru_cache(maxsize=4096)
def _linked(href: str) -> Tile:
    try:
        return _tile(_document(href), href=href)
    except ConfigError as error:
        raise ReadError(
            "an item of the site's rasters cannot be used",
            expected="a STAC item with one raster",
            got=str(error),
            remedy="Correct the collection, then run `swath retry`.",
        ) from error


def _tile(record: Any, *, href: str) -> Tile:
    assets = record.get("assets") if isinstance(record, dict) else None
    rasters = [a for a in (assets or {}).values() if isinstance(a, dict) and str(a.get("href", "")).lower().endswith(_RASTERS)]
    data = [a for a in rasters if "data" in (a.get("roles") or [])] or rasters
    if len(data) != 1:
        name = record.get("id") if isinstance(record, dict) else record
        raise _not_usable(href, got=f"{len(data)} rasters with the role data in the item {name}")
    place = _resolved(str(data[0]["href"]), href=href)
    # A cell that the name tells is found without looking at every tile.
    box = _box(record) if cell_of(place.rpartition("/")[2]) is None else None
    return Tile(href=gdal_href(place), box=box, digest=sha256_of_multihash(str(data[0].get("file:checksum") or "")))


def _box(record: Mapping[str, Any]) -> Box | None:
    """The item's box; None where it has none, or crosses the antimeridian: the file's own is then read."""
    box = record.get("bbox")
    if not isinstance(box, list) or len(box) not in (4, 6):
        return None
    west, south, east, north = (float(box[i]) for i in ((0, 1, 2, 3) if len(box) == 4 else (0, 1, 3, 4)))
    return (west, south, east, north) if west < east else None


def _resolved(link: str, *, href: str) -> str:
    """A link made absolute against the place of its document."""
    link = unquote(link)
    if "://" in link or link.startswith("/"):
        found = link.removeprefix("file://")
    else:
        scheme, mark, place = href.rpartition("://")
        found = f"{scheme}{mark}{normpath(join(dirname(place), link))}"
    if "://" in found and not found.startswith("s3://"):
        raise _not_usable(href, got=f"{found}: tiles are read from folders and from S3; copy them there")
    return found


def _document(where: str) -> dict[str, Any]:
    try:
        found = json.loads(read_metadata(gdal_href(where), max_bytes=_MOST_BYTES))
    except (MetadataError, ValueError) as error:
        raise _not_usable(where, got=str(error)) from error
    if not isinstance(found, dict):
        raise _not_usable(where, got=f"JSON of another kind ({type(found).__name__})")
    return found


def _not_usable(where: str, *, got: str) -> ConfigError:
    return ConfigError(f"{where}: expected {_EXPECTED}; got {got}")
