"""Parts of a product that already exist: files whose key is known are linked, not made."""

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from swath.engine.adopt import adopt, href_of
from swath.engine.descent import same_pictures
from swath.engine.link_messages import KnownVersion
from swath.engine.product_plan import ProductPlan
from swath.errors import InfrastructureError, ServiceError, StoreRefusedError
from swath.product import AssetRecord
from swath.stores.base import Store

log = logging.getLogger("swath.links")
Json = dict[str, Any]
_CLASSES = "_picture"
#: What swath says of each of its own files.
_OWN = frozenset({"swath:key", "swath:layer", "file:size", "file:checksum", "data_type", "href"})
#: Errors by which an altered item fails to be read: it then names nothing.
_BROKEN = (AttributeError, KeyError, TypeError, ValueError)
_PICTURES = ("thumbnail", "before")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    """A version of a product that was published before.

    Args:
        files: Assets by key: name, file name, bytes.
        records: Records by key; none when only the item tells of them.
        pictures: Paths by name.
    """

    files: Mapping[str, tuple[str, str, int]]
    records: Mapping[str, AssetRecord]
    pictures: Mapping[str, str]

    @classmethod
    def of_ledger(cls, known: KnownVersion) -> "PublishedVersion":
        """A version as the ledger has it."""
        files = {r.key: (r.name, r.href, r.bytes) for r in known.records}
        return cls(files=files, records={r.key: r for r in known.records}, pictures=known.pictures)

    @classmethod
    def of_item(cls, item: Mapping[str, Any], *, folder: str) -> "PublishedVersion":
        """What an item says of itself."""
        assets = item["assets"].items()
        files = {a["swath:key"]: (name, href_of(a), a["file:size"]) for name, a in assets if a.keys() >= _OWN}
        pictures = {name: f"{folder}/{href_of(a)}" for name, a in assets if "overview" in a.get("roles", ())}
        return cls(files=files, records={}, pictures=pictures)


@dataclass(slots=True, kw_only=True)
class Links:
    """What need not be made of one product.

    Args:
        records: Records of linked assets, by name.
        adoptable: Assets that the item names and no ledger knows: their bytes must be looked at once.
        item: Path of the item, relative to the output.
        pictures: Paths of pictures that show the same, by name.
        true_colour: Whether the true-colour pictures are among them, or there are none.
    """

    records: dict[str, AssetRecord] = field(default_factory=dict)
    adoptable: list[str] = field(default_factory=list)
    item: str = ""
    pictures: dict[str, str] = field(default_factory=dict)
    true_colour: bool = False


def linked(plan: ProductPlan, known: Iterable[KnownVersion], *, store: Store) -> Links:
    """What is there of a product, without reading a pixel but of files that no ledger knows: those are counted again.

    Args:
        plan: Plan of the product.
        known: Versions of it that the ledger knows, newest first.
        store: The output.
    """
    links = find_links(plan, known, store=store)
    if links.adoptable:
        found = _adopted(plan, links, store=store)
        # A file that is not what its item says is made again.
        links.records |= {r.name: relabelled(r, name=r.name, plan=plan) for r in found}
        if len(found) < len(links.adoptable):
            links.pictures, links.true_colour = {}, not plan.previews
    return links


def _adopted(plan: ProductPlan, links: Links, *, store: Store) -> list[AssetRecord]:
    try:
        return adopt(json.loads(store.read(links.item) or b"{}"), names=links.adoptable, folder=plan.folder, store=store)
    except (InfrastructureError, ServiceError, StoreRefusedError):
        raise
    except Exception as error:  # noqa: BLE001  a file that cannot be counted is made again
        log.info("%s: %s", links.item, error)
        return []


def find_links(plan: ProductPlan, known: Iterable[KnownVersion], *, store: Store) -> Links:
    """What is there by names, keys and sizes alone."""
    path = f"{plan.folder}/{plan.product_id}.json"
    links = Links(item=path)
    # Files are named relative to the item: a version in another folder cannot lend its own.
    versions = [PublishedVersion.of_ledger(v) for v in known if v.item == path]
    item = _item(store.read(path))
    if item is not None:
        with suppress(*_BROKEN):
            versions.append(PublishedVersion.of_item(item, folder=plan.folder))
    there: dict[str, bool] = {}
    for version in versions:
        _link_assets(plan, version, links, store=store, there=there)
    for version in versions:
        _link_pictures(plan, version, links, store=store)
    return links


def _item(data: bytes | None) -> Json | None:
    """An item, unless it is broken: an unreadable one names nothing."""
    try:
        loaded = json.loads(data) if data is not None else None
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) and isinstance(loaded.get("assets"), dict) else None


def _link_assets(plan: ProductPlan, version: PublishedVersion, links: Links, *, store: Store, there: dict[str, bool]) -> None:
    for name, key in plan.keys.items():
        if name in links.records or key not in version.files:
            continue
        _, href, size = version.files[key]
        if href not in there:
            there[href] = store.size(f"{plan.folder}/{href}") == size
        if there[href] and key in version.records:
            links.records[name] = relabelled(version.records[key], name=name, plan=plan)
        elif there[href] and version.files[key][0] == name and name not in links.adoptable:
            links.adoptable.append(name)


def relabelled(record: AssetRecord, *, name: str, plan: ProductPlan) -> AssetRecord:
    """A record as the new version states it: what a key does not hold may have changed (names, a model's version number)."""
    spec = plan.graph.outputs[name]
    return replace(record, name=name, layer=spec.layer, model=spec.model)


def _link_pictures(plan: ProductPlan, version: PublishedVersion, links: Links, *, store: Store) -> None:
    kept = {n for n, key in plan.keys.items() if key in version.files and (n in links.records or n in links.adoptable)}
    for name in kept:
        picture = f"{name}{_CLASSES}"
        path = version.pictures.get(f"{version.files[plan.keys[name]][0]}{_CLASSES}")
        if picture not in links.pictures and path and store.size(path) is not None:
            links.pictures[picture] = path
    if not plan.previews:
        links.true_colour = True
    elif not links.true_colour and same_pictures(plan, kept):
        found = {n: p for n in _PICTURES if (p := version.pictures.get(n)) and store.size(p) is not None}
        wanted = _PICTURES[: len(plan.previews) // 3]
        if set(found) == set(wanted):
            links.pictures |= found
            links.true_colour = True
