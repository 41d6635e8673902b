"""Where a product comes from, as the ledger recorded it: enough to make it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Row
from pyspark.sql import functions as F

from swath.errors import ConfigError
from swath.ledger.schemas import PRODUCTS, RUNS, SCENES
from swath.ledger.tables import Tables
from swath.stores.base import Store

#: products/<collection>/<yyyy>/<mm>/<dd>/<product_id>/<product_id>.json
ITEM_LEVELS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a product came to be.

    Args:
        product: Ledger row.
        scene: ``Scene.to_json()`` of the scene version.
        href: Reference that the scene was found by.
        spec: Request of the scene's run.
    """

    product: Row
    scene: str
    href: str
    spec: Mapping[str, Any]


def split_item(item: str) -> tuple[str, str]:
    """The output and the path in it of an item's path or URI.

    Raises:
        ConfigError: The path is not one where swath puts items.
    """
    parts = item.rstrip("/").split("/")
    path = parts[-ITEM_LEVELS:]
    if len(path) < ITEM_LEVELS or path[0] != "products" or path[-1] != f"{path[-2]}.json":
        msg = f"{item}: expected an item of an output, OUT/products/<collection>/<yyyy>/<mm>/<dd>/<product>/<product>.json"
        raise ConfigError(msg)
    return "/".join(parts[:-ITEM_LEVELS]) or ".", "/".join(path)


def provenance_of(tables: Tables, store: Store, *, item: str) -> Provenance:
    """Read it from the ledger.

    Args:
        tables: Tables of the output.
        store: The output.
        item: Path of the item in it.

    Raises:
        ConfigError: The item is not there, or the ledger does not know how it was made.
    """
    data = store.read(item)
    if data is None:
        msg = f"{store.root}/{item}: there is no such item"
        raise ConfigError(msg)
    keys = {a["swath:key"] for a in json.loads(data)["assets"].values() if "swath:key" in a}
    rows = tables.read("products", PRODUCTS, where={"item": [item]}).orderBy(F.col("made").desc()).collect()
    product = next((r for r in rows if {a["key"] for a in r["assets"]} == keys), None)
    if product is None:
        msg = f"{store.root}/{item}: the ledger has no version with these assets: see swath reconcile {store.root}"
        raise ConfigError(msg)
    runs = tables.read("runs", RUNS, columns=["spec", "wave"], where={"run_id": [product["run_id"]]})
    run = runs.orderBy(F.col("wave").desc()).head()
    this = {"scene_id": [product["scene_id"]], "digest": [product["scene_digest"]]}
    scene = tables.read("scenes", SCENES, columns=["scene", "href", "source_href"], where=this).head()
    spec = json.loads(run["spec"]) if run is not None else {}
    if "composite" in spec:
        msg = f"{store.root}/{item}: make a composite again by swath composite; no single scene is behind it"
        raise ConfigError(msg)
    if scene is None or "pipeline" not in spec:
        adopter = product["run_id"]
        msg = f"{store.root}/{item}: the ledger does not say how it was made (it was adopted from its files by {adopter})"
        raise ConfigError(msg)
    return Provenance(product=product, scene=scene["scene"], href=scene["href"] or scene["source_href"], spec=spec)
