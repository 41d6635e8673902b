"""What opens an address of http that an item names: its query, and the hosts that may be asked on the way.

A scene keeps addresses without queries: a signature must not reach tables, and is no part of what a file is. Where the
item gave one, the address ends with ``#`` and the asset's key; the process that reads the file finds the query again by
the item, on disk or where it is served.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from swath.errors import ReadError
from swath.readers.files.hosts import Hosts
from swath.redaction import without_query

HTTP: Final = ("http://", "https://")
#: An item found by a search: where it is served, and which hosts the user named for it.
SEARCH: Final = "swath:search"
#: An asset whose query was taken off when the item was kept.
PRESIGNED: Final = "swath:presigned"
_MOST: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a file really is.

    Args:
        url: Address with its query.
        hosts: Hosts that may be contacted for the file.
        served: Address of the item that has the query, where it was taken off; empty otherwise.
        key: Key of the asset in that item.
    """

    url: str = field(repr=False)
    hosts: Hosts
    served: str = ""
    key: str = ""


_KNOWN: OrderedDict[str, Origin] = OrderedDict()


def remembered(url: str, *, record: Mapping[str, Any], given: str) -> str:
    """The name of an asset's address in a scene: without user and query.

    Args:
        url: Absolute.
        record: The item.
        given: The address as the item has it.
    """
    assets = record.get("assets")
    named = assets.items() if isinstance(assets, Mapping) else ()
    key, asset = next(((k, a) for k, a in named if isinstance(a, Mapping) and a.get("href") == given), ("", {}))
    name = without_query(url)
    presigned = asset.get(PRESIGNED) is True
    if presigned or name != url:
        name = f"{name}#{quote(key, safe='')}"
    origin = Origin(url=url.partition("#")[0], hosts=hosts_of(record), served=served_at(record) if presigned else "", key=key)
    _KNOWN[name] = origin
    _KNOWN.move_to_end(name)
    while len(_KNOWN) > _MOST:
        _KNOWN.popitem(last=False)
    return name


def said(record: Mapping[str, Any]) -> dict[str, Any]:
    """What an item says: without its links, which tell where it is served, and without what opens its files."""
    kept = {name: value for name, value in record.items() if name not in {"links", SEARCH}}
    if isinstance(assets := record.get("assets"), Mapping):
        kept["assets"] = {key: _said(asset) for key, asset in assets.items()}
    return kept


def _said(asset: Any) -> Any:
    if not isinstance(asset, Mapping):
        return asset
    href = asset.get("href")
    told = {"href": without_query(href)} if isinstance(href, str) else {}
    return {**{k: v for k, v in asset.items() if k != PRESIGNED}, **told}


def opened_by(name: str) -> str:
    """What this process remembers of an address, to be compared; empty for nothing. Not for the eyes of anybody."""
    origin = _KNOWN.get(name)
    return (origin.served or origin.url) if origin is not None else ""


def is_newer(name: str, url: str) -> bool:
    """Whether an item that was read since gives another query than ``url`` has."""
    origin = _KNOWN.get(name)
    return origin is not None and not origin.served and origin.url != url


def origin_of(name: str) -> Origin:
    """Where a file of a scene really is.

    Raises:
        ReadError: Item must be read first, or gives it no more.
    """
    origin = _KNOWN.get(name)
    if origin is None:
        if urlsplit(name).fragment:
            raise ReadError(
                "the address of a file has lost its query",
                expected="its item where it was at ingest",
                got=name,
                remedy="Put the item back, or ingest it from its new place.",
            )
        return Origin(url=name, hosts=Hosts.of_site())
    return _fetched_again(name, origin) if origin.served else origin


def hosts_of(record: Mapping[str, Any]) -> Hosts:
    """Hosts that may be asked for an item's assets: the site's; else those of its search; else any for an item of one's own."""
    search = record.get(SEARCH)
    named = search.get("hosts") if isinstance(search, Mapping) else None
    return Hosts.of_site(otherwise=[str(h) for h in named] if isinstance(named, list) else None)


def served_at(record: Mapping[str, Any]) -> str:
    """Where an item that a search found is served."""
    search = record.get(SEARCH)
    return str(search.get("item", "")) if isinstance(search, Mapping) else ""


def _fetched_again(name: str, origin: Origin) -> Origin:
    """The address with the query that its item has now."""
    from swath.readers.files.fetch import Ask, FetchError, answered, read_bounded  # noqa: PLC0415

    try:
        with answered(Ask(url=origin.served, hosts=origin.hosts)) as response:
            url = str(json.loads(read_bounded(response, most=32 << 20))["assets"][origin.key]["href"])
    except (FetchError, ValueError, KeyError, TypeError) as error:
        raise ReadError(
            "the item that signs a file cannot be fetched again",
            expected=f"the item with the asset {origin.key}",
            got=f"{origin.served}: {error}",
            remedy="Check that the API is there; a search that gives signed addresses needs it while a run reads.",
        ) from error
    if without_query(url) != without_query(origin.url):
        raise ReadError(
            "an asset moved after it was found",
            expected=without_query(origin.url),
            got=without_query(url),
            remedy="Search again, with a new run.",
        )
    fresh = Origin(url=url, hosts=origin.hosts)
    _KNOWN[name] = Origin(url=url, hosts=origin.hosts, served=origin.served, key=origin.key)
    return fresh
