"""Items and collections as a served catalogue needs them: a client sees no file tree, so every href is absolute."""

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from swath.sinks.stac.collection import collection_of
from swath.sinks.stac.extent import GLOBE, BBox, Extent
from swath.sinks.stac.item import ITEM_TYPE, JSON_TYPE

Json = dict[str, Any]
#: Links of the file tree; a server makes its own. (It replaces ``collection``, which an item must have, by its own too.)
TREE = frozenset({"root", "self", "parent", "item", "child"})


def served_item(data: bytes, *, path: str, base: str) -> Json:
    """The item with absolute hrefs.

    Args:
        data: The item's file in the output.
        path: Path of the item, relative to the output's root.
        base: URI that the output's root has for readers of the catalogue.

    Returns:
        The item without links of the file tree, with a ``canonical`` link to its own file, which tells the checksum of that
        file: comparing catalogue and output needs no more.
    """
    folder = posixpath.dirname(path)
    item: Json = json.loads(data)
    served = dict(item)
    served["assets"] = {name: _absolute(a, folder=folder, base=base) for name, a in item["assets"].items()}
    kept = [_absolute(link, folder=folder, base=base) for link in item["links"] if link["rel"] not in TREE]
    version = {"file:checksum": checksum(data), "file:size": len(data)}
    served["links"] = [*kept, _canonical(path, base=base, media=ITEM_TYPE) | version]
    return served


def checksum(data: bytes) -> str:
    """SHA-256 as a multihash, as STAC's file extension writes it."""
    return f"1220{hashlib.sha256(data).hexdigest()}"


def served_collection(name: str, *, items: Sequence[Json], before: Json | None, base: str) -> Json:
    """The collection that holds ``items`` and what was in it before.

    Args:
        name: Id.
        items: New or replaced ones.
        before: The record that the catalogue has; None when it is new.
        base: URI that the output's root has for readers of the catalogue.
    """
    known = before or {}
    parts = [_extent_of(i) for i in items]
    extent = Extent.over([*parts, *([_extent_before(known)] if known else [])])
    years = sorted({*(_moment(i).year for i in items), *known.get("swath:years", [])})
    links = [_canonical(f"collections/{name}/collection.json", base=base, media=JSON_TYPE)]
    record = collection_of(name, items=_samples(items), before=before, extent=extent, years=years, links=links)
    # How many items there are, the catalogue itself knows.
    record.pop("swath:extent")
    return record | {"swath:years": years}


def absolute(href: str, *, folder: str, base: str) -> str:
    """An href of a file in ``folder`` as a URI; one that is absolute already stays."""
    if "://" in href or href.startswith("/"):
        return href
    path = posixpath.normpath(posixpath.join(folder, href))
    # Object stores and paths take names as they are; in URLs a reserved character would mean something else.
    return f"{base.rstrip('/')}/{path if base.startswith('s3://') else quote(path)}"


def _absolute(linked: Mapping[str, Any], *, folder: str, base: str) -> Json:
    return {**linked, "href": absolute(linked["href"], folder=folder, base=base)}


def _canonical(path: str, *, base: str, media: str) -> Json:
    return {"rel": "canonical", "href": absolute(path, folder="", base=base), "type": media}


def _moment(item: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(item["properties"]["datetime"])


def _extent_of(item: Mapping[str, Any]) -> Extent:
    return Extent.at(bbox=_box(item["bbox"]), moment=_moment(item))


def _extent_before(record: Mapping[str, Any]) -> Extent:
    interval = record["extent"]["temporal"]["interval"][0]
    bbox = _box(record["extent"]["spatial"]["bbox"][0])
    if None in interval or bbox == GLOBE:
        return Extent()
    return Extent(items=1, bbox=bbox, interval=(interval[0], interval[1]))


def _box(bbox: Sequence[float]) -> BBox:
    west, south, east, north = bbox
    return (west, south, east, north)


def _samples(items: Sequence[Json]) -> list[Json]:
    """One item a day and platform says what all of them are like, as in the static catalogue."""
    found = {(i["properties"]["datetime"][:10], i["properties"].get("platform", "")): i for i in reversed(items)}
    return [found[key] for key in sorted(found)]
