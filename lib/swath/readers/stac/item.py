"""STAC items as their providers wrote them: versions 1.0 and 1.1, alone or in an item collection."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from swath.errors import MetadataError, ReadError
from swath.readers.files.archived import archived_files, split_place
from swath.readers.files.href import gdal_href, split_item
from swath.readers.files.origin import said
from swath.readers.files.times import time_in
from swath.readers.files.xml import read_metadata
from swath.readers.stac.asset_href import AssetHref
from swath.readers.stac.said_twice import object_once, refuse_twice

_LARGEST = sys.float_info.max

#: A collection of a hundred thousand items.
MAX_COLLECTION_BYTES = 512 << 20
JsonObject = Mapping[str, Any]
#: What names an item of a collection by its place.
POINTER = "/features/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item.

    Args:
        record: The parsed JSON.
        href: Address of the item: asset hrefs are relative to it.
    """

    record: JsonObject
    href: str

    @property
    def item_id(self) -> str:
        """Its id."""
        return str(self.record["id"])

    @property
    def collection(self) -> str:
        """Its collection's id; empty when it has none."""
        return str(self.record.get("collection") or "")

    @property
    def named_collection(self) -> str:
        """Its collection's id, or what the link to it ends with; empty when neither is there."""
        links = (object_of(link) for link in list_of(self.record.get("links")))
        href = next((str(link.get("href") or "") for link in links if link.get("rel") == "collection"), "")
        parts = [part for part in href.partition("?")[0].split("/") if part and not part.endswith(".json")]
        return self.collection or (parts[-1] if parts else "")

    @property
    def properties(self) -> JsonObject:
        """Its properties; an empty object when it has none."""
        return object_of(self.record.get("properties"))

    @property
    def assets(self) -> Mapping[str, JsonObject]:
        """Its assets by key."""
        return {key: object_of(asset) for key, asset in object_of(self.record.get("assets")).items()}

    @property
    def acquired(self) -> datetime:
        """``datetime``, or the middle of ``start_datetime`` and ``end_datetime`` (one of them alone is that one); UTC.

        Raises:
            MetadataError: Neither is there, or one is not a time.
        """
        single = self.properties.get("datetime")
        start, end = (self.properties.get(name) for name in ("start_datetime", "end_datetime"))
        if isinstance(single, str) and "/" in single:
            start, end = (part.strip(". ") for part in single.split("/", 1))
        elif single:
            return _time(single, name="datetime")
        start, end = start or end, end or start
        if not start:
            raise MetadataError(
                "the item has no time",
                expected="datetime, or start_datetime and end_datetime",
                got="neither",
                remedy="Add properties.datetime to the item.",
            )
        first, last = _time(start, name="start_datetime"), _time(end, name="end_datetime")
        if last < first:
            raise MetadataError(
                "the item ends before it begins",
                expected="start_datetime before end_datetime",
                got=f"{start} to {end}"[:120],
                remedy="Correct the item: the two may have changed places.",
            )
        return first + (last - first) / 2

    def text(self, name: str) -> str:
        """A property as text; ``''`` when it is not there."""
        value = self.properties.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """A property as a finite number; None when it is not there.

        Raises:
            MetadataError: The property is not a finite number.
        """
        return number_in(self.properties, name)

    def resolve(self, href: str) -> str:
        """An asset's href made absolute against the item's place.

        Raises:
            MetadataError: The href holds control characters, or names a part of a file or a file of another machine.
        """
        return AssetHref(item_id=self.item_id, place=self.href, given=href).resolved(record=self.record)

    def canonical(self) -> bytes:
        """The item as canonical JSON, without links and signatures: they tell where it is served, not what it is."""
        return json.dumps(said(self.record), sort_keys=True, separators=(",", ":")).encode()


def read_item(href: str) -> Item:
    """Read an item file, or one item of a collection.

    Args:
        href: ``item.json``, ``archive.zip#folder/item.json``, ``collection.json#<item id>``, or
            ``collection.json#/features/<number>`` (RFC 6901) where several items have one id.

    Raises:
        MetadataError: Not JSON, not a STAC 1.x item, or the collection has no such item.
    """
    path, wanted = split_item(href)
    archive, place = split_place(href)
    # The bytes of an archive say how its members are reached.
    path = archived_files(archive).get(place, "") if place else path.removeprefix("file://")
    if place and not path:
        raise ReadError("the archive holds no such item", expected=place, got=archive, remedy="Check the place after `#`.")
    document = _read_object(path)
    records = list_of(document.get("features")) if document.get("type") == "FeatureCollection" else [document]
    found = [r for n, r in enumerate(records) if isinstance(r, Mapping) and (not wanted or _is_named(r, wanted, number=n))]
    if len(found) != 1:
        raise MetadataError(
            "the item was not found" if not found else "it is not clear which item is meant",
            expected=f"one item {wanted!r}" if wanted else "one item",
            got=f"{len(found)} in {path}",
            remedy="Name one item: collection.json#<item id>.",
        )
    try:
        refuse_twice(found[0], href=path)
        return checked_item(found[0], href=path)
    except MetadataError as error:
        name = found[0].get("id")
        raise (error.of(name) if isinstance(name, str) and name else error) from None


def _is_named(record: JsonObject, wanted: str, *, number: int) -> bool:
    return wanted == f"{POINTER}{number}" if wanted.startswith(POINTER) else str(record.get("id")) == wanted


def checked_item(record: JsonObject, *, href: str) -> Item:
    """The item when it is one of STAC 1.x.

    Raises:
        MetadataError: The object is not an item of STAC 1.x.
    """
    version = str(record.get("stac_version", ""))
    name = record.get("id")
    if (
        record.get("type") != "Feature"
        or not name
        or isinstance(name, bool)
        or not isinstance(name, str | int)
        or not version.startswith("1.")
    ):
        raise MetadataError(
            "this is not a STAC item",
            expected="a Feature with an id of text and stac_version 1.0 or 1.1",
            got=f"type {record.get('type')!r}, id {str(record.get('id'))[:60]!r}, stac_version {version!r} in {href}",
            remedy="Convert the item to STAC 1.1 (pystac does).",
        )
    return Item(record=record, href=href)


def object_of(value: Any) -> JsonObject:
    """The value when it is a JSON object, an empty one otherwise."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: Any) -> list[Any]:
    """The value when it is a JSON array, an empty one otherwise."""
    return value if isinstance(value, list) else []


def number_in(record: JsonObject, name: str) -> float | None:
    """A finite number of a JSON object; None when it is not there.

    Raises:
        MetadataError: The value is not a finite number.
    """
    value = record.get(name)
    if value is None:
        return None
    # NaN is within no bounds, and a whole number may be beyond every float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST <= value <= _LARGEST:
        raise MetadataError(
            f"{name} is not a number", expected="a finite number", got=repr(value)[:60], remedy="Correct the item."
        )
    return float(value)


def _time(value: Any, *, name: str) -> datetime:
    try:
        time = time_in(str(value))
        told = None if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MetadataError(
            f"{name} is not a time", expected="an RFC 3339 time", got=repr(value)[:60], remedy="Correct the item."
        ) from error
    if told is None:
        raise MetadataError(
            f"{name} has no time zone", expected="an RFC 3339 time", got=repr(value)[:60], remedy="Append Z for UTC."
        )
    return told


def _read_object(path: str) -> JsonObject:
    try:
        loaded = json.loads(read_metadata(gdal_href(path), max_bytes=MAX_COLLECTION_BYTES), object_pairs_hook=object_once)
    except (ValueError, RecursionError) as error:
        raise MetadataError(
            "the item is not JSON", expected="a STAC item", got=f"{path}: {error}", remedy="Check the file."
        ) from error
    if not isinstance(loaded, Mapping):
        raise MetadataError("the item is not a JSON object", expected="a STAC item", got=path, remedy="Check the file.")
    return loaded
