"""What of a product is there already: files whose key is known are linked, not made."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Row

from swath.engine.adopt import href_of
from swath.engine.descent import same_pictures
from swath.engine.product_plan import ProductPlan, plan_product
from swath.errors import ConfigError, InfrastructureError, ServiceError
from swath.stores.base import Store

Json = dict[str, Any]
#: Stores answer several questions at once.
_ASKERS = 16
_CLASSES = "_picture"
#: What swath says of each of its own files.
_OWN = frozenset({"swath:key", "swath:layer", "file:size", "file:checksum", "data_type", "href"})
#: How an item that somebody changed fails to be read: it names nothing.
_BROKEN = (AttributeError, KeyError, TypeError, ValueError)
_TRUE_COLOUR = ("thumbnail", "before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a product that was published before.

    Args:
        files: Its assets by key: name, file name, bytes.
        records: Their records by key; none when only the item tells of them.
        pictures: Paths by name.
    """

    files: Mapping[str, tuple[str, str, int]]
    records: Mapping[str, Json]
    pictures: Mapping[str, str]

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Version":
        """What the ledger knows of a version."""
        records = {r["key"]: r for r in json.loads(row["records"])}
        files = {key: (r["name"], r["href"], r["bytes"]) for key, r in records.items()}
        return cls(files=files, records=records, pictures=dict(row["pictures"] or {}))

    @classmethod
    def of_item(cls, item: Mapping[str, Any], *, folder: str) -> "Version":
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
        pixels: Pixels of all assets of the product.
    """

    records: dict[str, Json] = field(default_factory=dict)
    adoptable: list[str] = field(default_factory=list)
    item: str = ""
    pictures: dict[str, str] = field(default_factory=dict)
    true_colour: bool = False
    pixels: int = 0


def find_links(
    rows: Sequence[Row], *, pipeline_json: str, versions: Mapping[str, Sequence[Mapping[str, Any]]], store: Store
) -> list[Links]:
    """What is there of the products of a wave, without reading a pixel.

    Args:
        rows: Rows of the plan, with their scenes.
        pipeline_json: Pipeline of the run, as JSON.
        versions: What the ledger knows of the products, newest first, by product.
        store: The output.
    """

    def look(row: Row) -> Links:
        try:
            plan = plan_product(row["scene"], pipeline_json)
        except (ConfigError, InfrastructureError, ServiceError):
            raise
        except Exception:  # noqa: BLE001  newer code may refuse what older code planned: the strips will say so, or why
            return Links()
        return _links(plan, versions.get(plan.product_id, ()), store)

    with ThreadPoolExecutor(_ASKERS) as askers:
        return list(askers.map(look, rows))


def _links(plan: ProductPlan, rows: Iterable[Mapping[str, Any]], store: Store) -> Links:
    path = f"{plan.folder}/{plan.product_id}.json"
    links = Links(item=path, pixels=sum(s.grid.width * s.grid.height for s in plan.graph.outputs.values()))
    # Files are named relative to the item: a version in another folder cannot lend its own.
    versions = [Version.of_row(r) for r in rows if r["item"] == path]
    item = _item(store.read(path))
    if item is not None:
        with suppress(*_BROKEN):
            versions.append(Version.of_item(item, folder=plan.folder))
    there: dict[str, bool] = {}
    for version in versions:
        _link_assets(plan, version, links, store=store, there=there)
    for version in versions:
        _link_pictures(plan, version, links, store=store)
    return links


def _item(data: bytes | None) -> Json | None:
    """An item, unless it is broken: what nobody can read names nothing."""
    try:
        loaded = json.loads(data) if data is not None else None
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) and isinstance(loaded.get("assets"), dict) else None


def _link_assets(plan: ProductPlan, version: Version, links: Links, *, store: Store, there: dict[str, bool]) -> None:
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


def relabelled(record: Mapping[str, Any], *, name: str, plan: ProductPlan) -> Json:
    """A record as the new version states it: what a key does not hold may have changed (names, a model's version number)."""
    spec = plan.graph.outputs[name]
    model = spec.model
    told = {"name": model.name, "version": model.version, "digest": model.digest} if model is not None else None
    return {**record, "name": name, "layer": spec.name, "model": told}


def _link_pictures(plan: ProductPlan, version: Version, links: Links, *, store: Store) -> None:
    kept = {n for n, key in plan.keys.items() if key in version.files and (n in links.records or n in links.adoptable)}
    for name in kept:
        picture = f"{name}{_CLASSES}"
        path = version.pictures.get(f"{version.files[plan.keys[name]][0]}{_CLASSES}")
        if picture not in links.pictures and path and store.size(path) is not None:
            links.pictures[picture] = path
    if not plan.previews:
        links.true_colour = True
    elif not links.true_colour and same_pictures(plan, kept):
        found = {n: p for n in _TRUE_COLOUR if (p := version.pictures.get(n)) and store.size(p) is not None}
        wanted = _TRUE_COLOUR[: len(plan.previews) // 3]
        if set(found) == set(wanted):
            links.pictures |= found
            links.true_colour = True
