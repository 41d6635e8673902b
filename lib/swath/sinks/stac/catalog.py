"""The static catalogue: collection -> year -> month -> day -> items, rebuilt for the days that a run touched."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from swath.sinks.stac.collection import collection_of
from swath.sinks.stac.extent import Extent
from swath.sinks.stac.item import ITEM_TYPE, JSON_TYPE, STAC_VERSION, encode

ROOT_PATH = "catalog.json"
Json = dict[str, Any]


class CatalogFiles(Protocol):
    """Where the catalogue lives; paths are relative to the output's root."""

    def read(self, path: str) -> bytes | None:
        """All bytes, or None when there is no such file."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Replace a file, visible whole or not at all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CatalogRow:
    """One published item.

    Args:
        collection: Collection.
        acquired: Aware; the UTC date is its day.
        product_id: Id.
        href: Path of the item, relative to the output's root.
        bbox: (west, south, east, north) [deg].
        platform: Platform of the scene; one item per day and platform is read for the collection's summaries.
    """

    collection: str
    acquired: datetime
    product_id: str
    href: str
    bbox: tuple[float, float, float, float]
    platform: str = ""

    @property
    def day(self) -> date:
        """The UTC date."""
        return self.acquired.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    """A catalogue one level down."""

    name: str
    extent: Extent


def rebuild(rows: Iterable[CatalogRow], *, store: CatalogFiles, touched: Iterable[tuple[str, date]] = ()) -> tuple[str, ...]:
    """Rewrite the touched days and everything above them; the same rows give the same bytes.

    Args:
        rows: *All* items of the days they are in, not only the new ones.
        store: Store of the catalogue; levels above the touched days are read from it.
        touched: Days to rewrite besides those of ``rows``: one without rows any more disappears.

    Returns:
        The paths of the catalogue files that were written, lowest level first.
    """
    by_day: dict[tuple[str, date], list[CatalogRow]] = {day: [] for day in touched}
    for row in sorted(set(rows)):
        by_day.setdefault((row.collection, row.day), []).append(row)
    days = sorted(by_day)
    writer = _Writer(store)
    for collection, day in days:
        writer.day(collection, day=day, rows=by_day[collection, day])
    for collection, year, month in sorted({(c, d.year, d.month) for c, d in days}):
        writer.month(collection, year=year, month=month)
    for collection, year in sorted({(c, d.year) for c, d in days}):
        writer.year(collection, year=year)
    for collection in sorted({c for c, _ in days}):
        writer.collection(collection, rows=[r for c, d in days if c == collection for r in by_day[c, d]])
    writer.root(sorted({c for c, _ in days}))
    return tuple(writer.written)


class _Writer:
    """Writes one level after the other; remembers what it wrote."""

    def __init__(self, store: CatalogFiles) -> None:
        self._store = store
        self.written: list[str] = []
        self._children: dict[str, dict[str, Extent]] = {}

    def day(self, collection: str, *, day: date, rows: Sequence[CatalogRow]) -> None:
        folder = f"collections/{collection}/{day:%Y/%m/%d}"
        extent = Extent.over(Extent.at(bbox=r.bbox, moment=r.acquired) for r in rows)
        up = "../" * 5
        items = [_link("item", f"{up}{r.href}", title=r.product_id, media=ITEM_TYPE) for r in rows]
        links = [_link("root", f"{up}{ROOT_PATH}"), _link("parent", "../catalog.json"), *items]
        catalog = _catalog(f"{collection}-{day:%Y-%m-%d}", title=f"{day:%Y-%m-%d}", extent=extent, links=links)
        self._write(f"{folder}/catalog.json", catalog, extent=extent)

    def month(self, collection: str, *, year: int, month: int) -> None:
        name = f"{year:04d}-{month:02d}"
        self._inner(f"collections/{collection}/{year:04d}/{month:02d}", identity=f"{collection}-{name}", title=name, depth=4)

    def year(self, collection: str, *, year: int) -> None:
        title = f"{year:04d}"
        self._inner(
            f"collections/{collection}/{title}",
            identity=f"{collection}-{title}",
            title=title,
            depth=3,
            parent="../collection.json",
        )

    def collection(self, name: str, *, rows: Sequence[CatalogRow]) -> None:
        folder = f"collections/{name}"
        children = self._merged(folder, base="collection.json")
        extent = Extent.over(c.extent for c in children)
        years = [int(c.name) for c in children]
        samples = {(r.day, r.platform): r.href for r in reversed(rows)}
        items = [i for href in sorted(samples.values()) if (i := self._read(href)) is not None]
        links = [_link("root", f"../../{ROOT_PATH}"), _link("parent", f"../../{ROOT_PATH}")]
        links += [_child_link(c) for c in children]
        record = collection_of(
            name,
            items=items,
            before=self._read(f"{folder}/collection.json"),
            extent=extent,
            years=years,
            links=links,
        )
        self._write(f"{folder}/collection.json", record, extent=extent)

    def root(self, touched: Sequence[str]) -> None:
        before = self._read(ROOT_PATH) or {}
        known = {link["href"].split("/")[-2] for link in before.get("links", []) if link["rel"] == "child"}
        links = [_link("root", f"./{ROOT_PATH}")]
        links += [_link("child", f"./collections/{c}/collection.json", title=c) for c in sorted(known | set(touched))]
        catalog: Json = {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": "swath",
            "title": "Analysis-ready products",
            "description": "Products of swath, by collection and day.",
            "links": links,
        }
        self._write(ROOT_PATH, catalog, extent=None)

    def _inner(self, folder: str, *, identity: str, title: str, depth: int, parent: str = "../catalog.json") -> None:
        """A catalogue of catalogues: month or year."""
        children = self._merged(folder, base="catalog.json")
        extent = Extent.over(c.extent for c in children)
        links = [_link("root", f"{'../' * depth}{ROOT_PATH}"), _link("parent", parent)]
        links += [_child_link(c) for c in children]
        catalog = _catalog(identity, title=title, extent=extent, links=links)
        self._write(f"{folder}/catalog.json", catalog, extent=extent)

    def _merged(self, folder: str, *, base: str) -> list[_Child]:
        """The children of a folder: those it had, brought up to date with those just written; empty ones go."""
        before = self._read(f"{folder}/{base}") or {}
        names = {link["href"].split("/")[-2] for link in before.get("links", []) if link["rel"] == "child"}
        fresh = self._children.get(folder, {})
        found = []
        for name in sorted(names | set(fresh)):
            extent = fresh[name] if name in fresh else self._extent(f"{folder}/{name}/catalog.json")
            if extent.items:
                found.append(_Child(name=name, extent=extent))
        return found

    def _extent(self, path: str) -> Extent:
        return Extent.from_json((self._read(path) or {}).get("swath:extent"))

    def _read(self, path: str) -> Json | None:
        data = self._store.read(path)
        if data is None:
            return None
        loaded: Json = json.loads(data)
        return loaded

    def _write(self, path: str, record: Json, *, extent: Extent | None) -> None:
        data = encode(record)
        # An unchanged file is left alone: readers keep their caches, and versioned buckets do not grow.
        if self._store.read(path) != data:
            self._store.write(path, data)
            self.written.append(path)
        if extent is not None:
            parent, name = path.rsplit("/", 2)[0], path.rsplit("/", 2)[1]
            self._children.setdefault(parent, {})[name] = extent


def _catalog(identity: str, *, title: str, extent: Extent, links: Sequence[Json]) -> Json:
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": identity,
        "title": title,
        "description": f"{extent.items} product{'' if extent.items == 1 else 's'} of {title}.",
        "links": list(links),
        "swath:extent": extent.to_json(),
    }


def _link(rel: str, href: str, *, title: str = "", media: str = JSON_TYPE) -> Json:
    return {"rel": rel, "href": href, "type": media} | ({"title": title} if title else {})


def _child_link(child: _Child) -> Json:
    return _link("child", f"./{child.name}/catalog.json", title=f"{child.name} ({child.extent.items})")
