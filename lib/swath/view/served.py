"""A STAC API as the map's source: a page of items at a time, and what is in their properties; it has no ledger."""

import posixpath
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from swath.errors import ConfigError
from swath.readers.files.href import gdal_href
from swath.view.listing import PAGE, Found, Listed, Query, days_of
from swath.view.source import Located, QuarantinedScene

if TYPE_CHECKING:
    from pystac_client import Client

Json = dict[str, Any]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Kinds of address that an item's files may have; paths of this machine only where the catalogue is on it too.
_REMOTE = ("s3://", "https://", "http://")


class ServedSource:
    """The items of a STAC API, of all its collections or of one.

    Args:
        address: Root of the API, or one of its collections (``.../collections/ID``).

    Raises:
        ConfigError: No STAC API answers there.
    """

    def __init__(self, address: str) -> None:
        root, _, collection = address.rstrip("/").partition("/collections/")
        self._address, self._collection = address, collection
        self._local = urlsplit(root).hostname in _LOOPBACK
        self._client = _client(root)
        self._seen: dict[str, Json] = {}
        self._answers: dict[tuple[str, ...], tuple[Iterator[Json], list[Listed], int | None]] = {}

    @property
    def title(self) -> str:
        """The address that the user gave."""
        return self._address

    def summary(self) -> Json:
        """Days of the newest page of items; the number of all where the API says it."""
        found = self.products(Query())
        collections = [self._collection] if self._collection else sorted({p.collection for p in found.products})
        days = days_of(found.products)
        complete = found.total == len(found.products)
        told = {"products": found.total, "complete": complete, "collections": collections}
        return {"title": self.title, "days": days, "runs": [], **told}

    def products(self, query: Query) -> Found:
        """Products that fit, newest first: no more pages of the API than the query needs."""
        if query.state not in {"", "made"}:
            return Found(products=(), total=0)
        key = (query.first, query.last, query.collection, query.words)
        if key not in self._answers:
            self._answers[key] = self._asked(query)
        items, listed, total = self._answers[key]
        missing = query.offset + query.limit - len(listed)
        for item in islice(items, max(missing, 0)):
            self._seen[item["id"]] = item
            listed.append(_listed(item))
        return Found(products=tuple(listed[query.offset : query.offset + query.limit]), total=total)

    def located(self, product_id: str) -> Located | None:
        """A product, or None when the API has none of this id."""
        if product_id not in self._seen:
            found = self._client.search(ids=[product_id], max_items=1)
            self._seen |= {item["id"]: item for item in found.items_as_dicts()}
        item = self._seen.get(product_id)
        if item is None:
            return None
        hrefs = {name: asset["href"] for name, asset in item["assets"].items()}
        files = {name: gdal_href(href) for name, href in hrefs.items() if self._may(href)}
        own = next((link["href"] for link in item.get("links", []) if link["rel"] == "canonical"), "")
        return Located(item=item, files=files, trace=own)

    def refused(self) -> tuple[QuarantinedScene, ...]:
        """None: a catalogue has products alone."""
        return ()

    def file(self, path: str) -> bytes | None:
        """None: what a catalogue names is reached by its own address."""
        del path
        return None

    def _may(self, href: str) -> bool:
        return href.startswith(_REMOTE) or (self._local and posixpath.isabs(href))

    def _asked(self, query: Query) -> tuple[Iterator[Json], list[Listed], int | None]:
        collection = query.collection or self._collection
        moments = f"{query.first or '1900-01-01'}T00:00:00Z/{query.last or '2200-01-01'}T23:59:59Z"
        search = self._client.search(
            collections=[collection] if collection else None,
            datetime=moments if query.first or query.last else None,
            ids=[query.words] if query.words else None,  # an API finds whole ids alone
            sortby="-properties.datetime",
            limit=PAGE,
        )
        pages = search.pages_as_dicts()
        first: Json = next(iter(pages), {"features": []})
        total: int | None = first.get("numberMatched", first.get("context", {}).get("matched"))
        if total is None and not any(link["rel"] == "next" for link in first.get("links", [])):
            total = len(first["features"])
        return _items(first, pages), [], total


def _items(first: Json, others: Iterator[Json]) -> Iterator[Json]:
    yield from first["features"]
    for page in others:
        yield from page["features"]


def _client(root: str) -> "Client":
    from pystac_client import Client  # noqa: PLC0415  half a second that folders need not pay

    try:
        client = Client.open(root)
    except Exception as error:  # pystac-client lets errors of every layer below it through
        msg = f"{root}: expected a STAC API, or .../collections/ID of one; got {error}"
        raise ConfigError(msg) from error
    if not client.conforms_to("ITEM_SEARCH"):
        msg = f"{root} is a STAC catalogue without search: give the folder or s3:// prefix of the output instead"
        raise ConfigError(msg)
    return client


def _listed(item: Json) -> Listed:
    fields = item["properties"]
    return Listed(
        product_id=item["id"],
        scene_id=fields.get("swath:scene_id", item["id"]),
        collection=item.get("collection", ""),
        acquired=datetime.fromisoformat(fields.get("datetime") or fields["start_datetime"]),
        bbox=tuple(item["bbox"]),
        item="",
    )
