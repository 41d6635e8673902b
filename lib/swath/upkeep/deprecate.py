"""Products of revoked models: their items say that they are deprecated, and their scenes are listed to be made again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swath.errors import ConfigError
from swath.ledger.open import open_tables
from swath.ledger.schemas import PRODUCTS, SCENES
from swath.ledger.tables import Tables
from swath.sinks.stac.item import encode
from swath.stores.base import Store

#: Of the fields ``deprecated`` and ``version``, which have no prefix.
VERSION_EXTENSION = "https://stac-extensions.github.io/version/v1.1.0/schema.json"
#: Folder of lists of scenes, one a revoked model: inputs of the next run.
QUEUE = "remake"
#: Says in an item which model was revoked, and why.
WHY = "swath:deprecated_by"
_COLUMNS = ("product_id", "scene_id", "scene_digest", "item", "models", "made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecated:
    """What became of the products of one output.

    Args:
        products: Products of a revoked model, by id.
        marked: Products among them whose item was rewritten now.
        absent: Products whose item is gone.
        queue: File with the scenes to make again; empty when nothing was queued.
        without_scene: Products that no scene is known of; composites are among them.
    """

    products: tuple[str, ...]
    marked: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    queue: str = ""
    without_scene: tuple[str, ...] = ()


def deprecate(store: Store, *, revoked: Mapping[str, str]) -> Deprecated:
    """Mark the items of products that a revoked model made; to be called under the output's lock.

    Args:
        store: The output.
        revoked: When and why, by digest of the model.

    Raises:
        ConfigError: The table of products cannot be read without Spark.
    """
    tables = open_tables(None, store)
    rows = list(_affected(tables, store, revoked=revoked))
    marked, absent = [], []
    for row in rows:
        data = store.read(row["item"])
        if data is None:
            absent.append(row["product_id"])
        elif _mark(store, row, data, revoked=revoked):
            marked.append(row["product_id"])
    queue, without = _queued(tables, store, rows)
    return Deprecated(
        products=tuple(r["product_id"] for r in rows), marked=tuple(marked), absent=tuple(absent), queue=queue,
        without_scene=without,
    )  # fmt: skip


def _affected(tables: Tables, store: Store, *, revoked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The newest row of each product, where a revoked model is behind it: what was made anew since is not touched."""
    table = tables.arrow("products", PRODUCTS, columns=_COLUMNS)
    if table is None:
        msg = f"{store.root}: its table of products cannot be read without Spark (a feature of Delta that swath does not write)"
        raise ConfigError(msg)
    newest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(table.to_pylist(), key=lambda r: r["made"]):
        newest[row["product_id"]] = row
    yield from (r for _, r in sorted(newest.items()) if _digests(r) & set(revoked))


def _digests(row: Mapping[str, Any]) -> set[str]:
    return {m["digest"] for m in row["models"] or ()}


def _mark(store: Store, row: Mapping[str, Any], data: bytes, *, revoked: Mapping[str, str]) -> bool:
    item = json.loads(data)
    why = [{"digest": d, "revoked": revoked[d]} for d in sorted(_digests(row) & set(revoked))]
    properties = item["properties"]
    if properties.get("deprecated") is True and properties.get(WHY) == why:
        return False
    properties["deprecated"], properties[WHY] = True, why
    item["stac_extensions"] = sorted({*item["stac_extensions"], VERSION_EXTENSION})
    store.write(row["item"], encode(item))
    return True


def _queued(tables: Tables, store: Store, rows: Sequence[Mapping[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """Write the hrefs of the scenes behind the products, one a line; the products that none is known of."""
    wanted = {(r["scene_id"], r["scene_digest"]): r["product_id"] for r in rows}
    known = tables.arrow("scenes", SCENES, columns=["scene_id", "digest", "href"]) if rows else None
    found = known.to_pylist() if known is not None else []
    hrefs = {(r["scene_id"], r["digest"]): r["href"] for r in found if (r["scene_id"], r["digest"]) in wanted}
    without = tuple(sorted(p for scene, p in wanted.items() if scene not in hrefs))
    if not hrefs:
        return "", without
    digests = sorted({d for r in rows for d in _digests(r)})
    path = f"{QUEUE}/{digests[0][:12] if len(digests) == 1 else 'revoked'}.txt"
    store.write(path, "".join(f"{h}\n" for h in sorted(set(hrefs.values()))).encode())
    return path, without
