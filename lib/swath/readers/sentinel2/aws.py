"""The JSON beside a tile in the AWS open-data layout: ``tileInfo.json`` and ``productInfo.json``."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swath.errors import MetadataError
from swath.readers.files.xml import read_metadata
from swath.readers.sentinel2.fields import number_of, time_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TileListing:
    """How the bucket lists a tile.

    Args:
        product_name: The product it was cut from; empty when not said.
        sensed: Sensing time of the tile, UTC.
        crs: CRS of the ring.
        ring: Around the tile's data, map units, closed; empty when not said.
        cloud_cover_percent: None when not said.
    """

    product_name: str
    sensed: datetime
    crs: str
    ring: tuple[tuple[float, float], ...]
    cloud_cover_percent: float | None


def read_listing(href: str) -> TileListing:
    """Parse ``tileInfo.json``.

    Raises:
        MetadataError: Not JSON, or not of a tile.
    """
    tile = _read_object(href)
    ring, crs = _ring(tile.get("tileDataGeometry"), source=href)
    cloudy = tile.get("cloudyPixelPercentage")
    return TileListing(
        product_name=str(tile.get("productName", "")),
        sensed=time_of(str(tile.get("timestamp", "")), name="timestamp", source=href),
        crs=crs,
        ring=ring,
        cloud_cover_percent=None if cloudy is None else number_of(str(cloudy), name="cloudyPixelPercentage", source=href),
    )


def read_product_name(href: str) -> str:
    """The product's name in ``productInfo.json``.

    Raises:
        MetadataError: Not JSON, or without a name.
    """
    name = _read_object(href).get("name")
    if not isinstance(name, str) or not name:
        raise MetadataError("productInfo.json names no product", expected="a name", got=f"{name!r} in {href}")
    return name


def _read_object(href: str) -> dict[str, Any]:
    try:
        loaded = json.loads(read_metadata(href))
    except (ValueError, RecursionError) as error:
        raise MetadataError(
            "a metadata file is not JSON", expected="JSON", got=f"{href}: {error}", remedy="Fetch the delivery again."
        ) from error
    if not isinstance(loaded, dict):
        raise MetadataError("a metadata file is not a JSON object", expected="an object", got=href)
    return loaded


def _ring(geometry: Any, *, source: str) -> tuple[tuple[tuple[float, float], ...], str]:
    """Outer ring of a GeoJSON polygon in map units, and its CRS; both empty when the tile has no data."""
    if not isinstance(geometry, dict):
        return (), ""
    try:
        rings = geometry["coordinates"]
        name = str(geometry["crs"]["properties"]["name"])
        ring = tuple((float(x), float(y)) for x, y, *_ in (rings[0] if rings else ()))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise MetadataError(
            "tileDataGeometry is unreadable", expected="a GeoJSON polygon with a crs", got=f"{error} in {source}"
        ) from error
    return ring, f"EPSG:{name.rpartition(':')[2]}"
