"""JSON files that are STAC records, that look like one and cannot be read, or that are none."""

import json
import re
from collections import Counter
from typing import Any

from swath.errors import MetadataError, ReadError
from swath.readers.files.href import gdal_href
from swath.readers.files.inflated import open_inflated
from swath.readers.files.xml import MAX_METADATA_BYTES

_VERSION = b'"stac_version"'
_LOOKED_AT = 64 << 10
#: A record of an item collection that no id can name, by its place: a JSON pointer.
_POINTER = re.compile(r"/features/(\d+)")


def is_record(head: bytes) -> bool:
    """Whether a file that begins so is a STAC record, whatever its name."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and _VERSION in head


def record_type(document: dict[str, Any], *, href: str) -> str:
    """``Feature`` for a STAC item, ``FeatureCollection`` for an item collection, ``''`` for any other JSON.

    Raises:
        MetadataError: A collection without its list.
    """
    kind, version = document.get("type"), document.get("stac_version")
    if kind == "Feature":
        return "Feature" if version or (document.get("assets") and "links" in document) else ""
    if kind != "FeatureCollection":
        return ""
    features = document.get("features")
    if not isinstance(features, list):
        if version is None:
            return ""
        raise MetadataError(
            "the item collection has no items",
            expected="a list of features",
            got=f"{type(features).__name__} in {href}",
            remedy="Write the collection again.",
        )
    stac = version or any(isinstance(f, dict) and "stac_version" in f for f in features)
    return "FeatureCollection" if stac else ""


def stac_document(href: str) -> dict[str, Any]:
    """The JSON object in a file; empty when it is JSON of another kind, or too large and no record.

    Raises:
        MetadataError: The file cannot be read: cut short, empty, of zeros, not UTF-8, not JSON.
    """
    try:
        with open_inflated(gdal_href(href)) as file:
            data = file.read(MAX_METADATA_BYTES + 1)
    except ReadError as error:
        raise _unread(href, why=error.got) from error
    if len(data) > MAX_METADATA_BYTES:
        if _VERSION not in data[:_LOOKED_AT]:
            return {}
        raise MetadataError(
            "the record is too large to be read",
            expected=f"at most {MAX_METADATA_BYTES} bytes",
            got=href,
            remedy="Split it, or write a folder of items.",
        )
    if not data.strip(b" \t\r\n\0"):
        raise _unread(href, why=f"{href}: " + ("only zeros" if data else "0 bytes"))
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        other = json.detect_encoding(data)
        why = other if not other.startswith("utf-8") else str(error) or type(error).__name__
        raise _unread(href, why=f"{href}: {why}") from error
    return document if isinstance(document, dict) else {}


def _unread(href: str, *, why: str) -> MetadataError:
    return MetadataError(
        "the file is not a STAC record that can be read",
        expected="JSON in UTF-8",
        got=why or href,
        remedy="Fetch or write it again; it may be cut short.",
    )


def item_fragments(document: dict[str, Any]) -> list[str]:
    """What names each record of an item collection after ``collection.json#``: its id, or its place where that names no other."""
    names = [_name(feature) for feature in document["features"]]
    times = Counter(names)
    return [n if n and times[n] == 1 and not _POINTER.fullmatch(n) else f"/features/{k}" for k, n in enumerate(names)]


def _name(feature: Any) -> str:
    """The id of a record; ``''`` where it has none that can be written."""
    name = feature.get("id") if isinstance(feature, dict) else None
    usable = isinstance(name, str | int) and not isinstance(name, bool) and name != "" and str(name).isprintable()
    return str(name) if usable and _is_text(str(name)) else ""


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_named(file: str, *, fragment: str) -> None:
    """Refuse a record of an item collection that has no id by which it can be named.

    Raises:
        MetadataError: The record has no id.
    """
    place = _POINTER.fullmatch(fragment)
    if place is None:
        return
    features = stac_document(file).get("features") or []
    number = int(place[1])
    record = features[number] if number < len(features) else None
    if _name(record):
        return
    got = record.get("id") if isinstance(record, dict) else record
    raise MetadataError(
        "a record of the item collection has no usable id",
        expected="a STAC item with an id of printable text",
        got=f"{ascii(got)[:60]} in record {number} of {file}",
        remedy="Correct the record.",
    )
