"""What a search found, as files: each item once, without signatures, and a list that tells when all of them are there."""

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from swath.readers.files.hosts import Hosts
from swath.readers.files.origin import PRESIGNED, SEARCH, said
from swath.redaction import without_query

#: A file's name must leave room for what stores add to it.
_LONGEST_NAME: Final = 180
#: Of all items kept.
MAX_ITEMS: Final = 5_000_000
#: This machine, as an API's address names it.
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
#: Links of an item that say what it is of; others tell how it is served, with tokens in some.
_LINKS: Final = frozenset({"self", "collection", "license", "derived_from", "canonical"})
Json = dict[str, Any]


class SearchAnswer:
    """The answer to one search in a folder.

    Args:
        folder: Exists.
        name: Name of the search.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._list = folder / name, folder / f"{name}.json"
        self._kept: dict[str, str] = {}
        self._names: set[str] = set()
        self._seen = 0

    @property
    def told(self) -> str:
        """How far it is."""
        twice = self._seen - len(self._kept)
        return f"{len(self._kept)} items" + (f"; {twice} came twice" if twice else "")

    def finished(self) -> list[str] | None:
        """Paths of all items, in the order of the answer, when it was kept to its end; None otherwise."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            document = json.loads(self._list.read_bytes())
            return [str(self._folder / str(name)) for name in document["items"]]
        return None

    def keep(self, feature: Any, *, root: str, hosts: Hosts) -> str | None:
        """Keep an item; its path, or None if the very same one was kept before.

        Args:
            feature: Feature as received; one that is no item is kept too, and refused when it is read.
            root: Root of the API.
            hosts: Hosts that the user named.
        """
        self._seen += 1
        if self._seen > MAX_ITEMS:
            msg = f"the answer has more than {MAX_ITEMS} items; narrow the search, or give max_items"
            raise ValueError(msg)
        item = feature if isinstance(feature, dict) else {"answer": feature}
        record = _record(item, root=root, hosts=hosts)
        digest = _digest(record)
        if digest in self._kept:
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        name = _name(item, digest=digest)
        # Another item of that id and collection: both are scenes.
        name = _name(item, digest=digest, told=True) if name in self._names else name
        self._names.add(name)
        self._kept[digest] = name
        (self._folder / name).write_text(json.dumps(record, sort_keys=True), encoding="utf-8")
        return str(self._folder / name)

    def finish(self, *, root: str) -> None:
        """Note that all items are there; a run that begins again takes these."""
        document = {"search": root, "items": list(self._kept.values())}
        unfinished = self._list.with_suffix(".part")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(document), encoding="utf-8")
        unfinished.replace(self._list)


def _record(item: Json, *, root: str, hosts: Hosts) -> Json:
    """An item as it is kept: addresses absolute, without what signs them, and where it came from."""
    own = _served(item, root=root)
    assets = item.get("assets")
    kept = {k: _asset(a, base=own, root=root) for k, a in assets.items()} if isinstance(assets, dict) else assets
    told = [_link(link, base=own) for link in _links(item) if link.get("rel") in _LINKS]
    record = {**item, "links": told, SEARCH: {"root": root, "item": own, "hosts": list(hosts.named)}}
    return record if assets is None else {**record, "assets": kept}


def _served(item: Json, *, root: str) -> str:
    """Where an item is served: its own link, or where an API has it."""
    own = next((link for link in _links(item) if link.get("rel") == "self"), None)
    if own is not None and own.get("href"):
        return without_query(urljoin(f"{root}/", str(own["href"])))
    place = "/".join(quote(str(part), safe="", errors="replace") for part in (item.get("collection"), "items", item.get("id")))
    return f"{root}/collections/{place}"


def _links(item: Json) -> list[Json]:
    links = item.get("links")
    return [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []


def _asset(asset: Any, *, base: str, root: str) -> Any:
    if not isinstance(asset, dict) or not isinstance(asset.get("href"), str):
        return asset
    href = _absolute(asset["href"], base=base, root=root)
    clean = without_query(href)
    return {**asset, "href": clean, **({PRESIGNED: True} if clean != href else {})}


def _link(link: Json, *, base: str) -> Json:
    """A link's place; not its headers and body."""
    href = link.get("href")
    told = without_query(urljoin(base, href)) if isinstance(href, str) else href
    return {**{k: v for k, v in link.items() if k in {"rel", "type", "title"}}, "href": told}


def _absolute(href: str, *, base: str, root: str) -> str:
    """An asset's address. A path of this machine is one only for an API of this machine."""
    if href.startswith(("/", "file:")) and _is_here(root):
        path = unquote(urlsplit(href).path) if href.startswith("file:") else href
        return path if href.startswith("file:") or Path(path).exists() else urljoin(base, href)
    return urljoin(base, href) if "://" not in href else href


def _is_here(url: str) -> bool:
    return (urlsplit(url).hostname or "") in _HERE


def _digest(record: Json) -> str:
    """Digest of what an item says, whatever links it has."""
    return sha256(json.dumps(said(record), sort_keys=True).encode()).hexdigest()


def _name(item: Json, *, digest: str, told: bool = False) -> str:
    words = f"{item.get('collection') or 'items'}.{item.get('id') or digest[:12]}{f'.{digest[:12]}' if told else ''}"
    name = quote(words, safe="", errors="replace")
    return f"{name if len(name) <= _LONGEST_NAME else f'{name[: _LONGEST_NAME - 13]}.{digest[:12]}'}.json"
