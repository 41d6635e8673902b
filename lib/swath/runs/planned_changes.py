"""What a run would change, asset by asset: new, reused, changed (and why), gone."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pyspark.sql import Row

from swath.engine.graph import Graph
from swath.engine.product_plan import plan_product, product_of
from swath.ledger.schemas import PRODUCTS
from swath.ledger.tables import Tables
from swath.product import Product
from swath.runs.decide import MADE
from swath.runs.request import RunRequest

Json = dict[str, Any]
NEW, REUSED, CHANGED, GONE = "new", "reused", "changed", "gone"
#: Products that are listed one by one.
MOST_LISTED: Final = 1_000
#: What nothing in an item explains: keys hold it, items do not.
_ENGINE: Final = "swath's engine, the grid, or how a band is delivered"

Reader = Callable[[str], bytes | None]


class Reason(NamedTuple):
    """A difference in words, the step that it is of (empty: of every asset), and whether that step is gone."""

    told: str
    step: str = ""
    gone: bool = False


def planned_changes(rows: Sequence[Row], *, request: RunRequest, tables: Tables, read: Reader) -> list[Json]:
    """Compare what a run would make with what its output holds.

    Args:
        rows: Rows of the plan to make, each with its ``scene``.
        request: Request of the run.
        tables: The ledger.
        read: Gives the bytes of a file of the output by its path, or None.

    Returns:
        For each product ``product_id``, ``scene_id``, ``state`` (``new`` or ``changed``) and ``assets``: by name, their
        ``state`` and, where they change, ``why``.
    """
    listed = rows[:MOST_LISTED]
    items = _items({r["product_id"] for r in listed}, tables=tables)
    return [_change(r, request=request, before=_item(items.get(r["product_id"]), read=read)) for r in listed]


def standing(told: Sequence[Row]) -> list[Json]:
    """Products that already exist, of rows that need no work: nothing of them changes."""
    rows = [r for r in told if r["status"] == MADE][:MOST_LISTED]
    return [{"product_id": r["product_id"], "scene_id": r["scene_id"], "state": REUSED, "count": r["assets"]} for r in rows]


def _items(product_ids: set[str], *, tables: Tables) -> Mapping[str, str]:
    """Path of the latest item of each product that the ledger knows."""
    columns = ["product_id", "item", "made"]
    rows = tables.small("products", PRODUCTS, columns=columns, where={"product_id": sorted(product_ids)}) or []
    return {r["product_id"]: r["item"] for r in sorted(rows, key=lambda r: r["made"])}


def _item(path: str | None, *, read: Reader) -> Json | None:
    data = read(path) if path else None
    item: Json | None = json.loads(data) if data else None
    return item


def _change(row: Row, *, request: RunRequest, before: Json | None) -> Json:
    plan = plan_product(row["scene"], request.pipeline_json)
    told = {"product_id": row["product_id"], "scene_id": row["scene_id"]}
    if before is None:
        return {**told, "state": NEW, "assets": {name: {"state": NEW} for name in plan.keys}}
    product = product_of(plan, request.pipeline_json, records=())
    keys = {name: a["swath:key"] for name, a in before["assets"].items() if "swath:key" in a}
    reasons, fed = list(_reasons(product, before=before["properties"])), _fed_by(plan.graph)
    assets = {name: _asset(key, before=keys.get(name), why=_why(reasons, steps=fed[name])) for name, key in plan.keys.items()}
    gone = {name: {"state": GONE} for name in keys if name not in plan.keys}
    return {**told, "state": CHANGED, "assets": assets | gone}


def _asset(key: str, *, before: str | None, why: str) -> Json:
    if before is None:
        return {"state": NEW}
    return {"state": REUSED} if before == key else {"state": CHANGED, "why": why}


def _fed_by(graph: Graph) -> Mapping[str, frozenset[str]]:
    """Names of the steps that feed each asset."""
    steps: dict[str, frozenset[str]] = {}
    for call in graph.calls:
        own = frozenset({call.step.name}).union(*(steps.get(name, frozenset()) for name in call.reads))
        steps |= {spec.name: own for spec in call.recipe.makes}
    return {name: steps[spec.name] for name, spec in graph.outputs.items()}


def _why(reasons: Sequence[Reason], *, steps: frozenset[str]) -> str:
    """The differences that an asset depends on; where nothing that feeds it differs, what may have fed it, or the engine."""
    own = [reason.told for reason in reasons if not reason.gone and reason.step in steps | {""}]
    return "; ".join(own) if own else "; or ".join([*(reason.told for reason in reasons if reason.gone), _ENGINE])


def _reasons(product: Product, *, before: Json) -> Iterator[Reason]:
    """What differs between a product and the item of its earlier version."""
    if (digest := before.get("swath:scene_digest")) != product.scene.digest:
        yield Reason(f"the delivery ({_short(digest)} -> {_short(product.scene.digest)})")
    earlier = {s["name"]: s for s in before.get("swath:steps", [])}
    for step in product.steps:
        told = earlier.pop(step.name, None)
        if told is None:
            yield Reason(f"step {step.name} is new", step=step.name)
            continue
        if told["version"] != step.version:
            yield Reason(f"step {step.name} {told['version']} -> {step.version}", step=step.name)
        changed = _parameters(step.name, dict(step.parameters), before=told["parameters"])
        yield from (Reason(text, step=step.name) for text in changed)
    yield from (Reason(f"step {name} is gone", step=name, gone=True) for name in earlier)


def _parameters(step: str, now: Json, *, before: Json) -> Iterator[str]:
    plain = json.loads(json.dumps(now))
    for name in sorted(plain.keys() | before.keys()):
        if plain.get(name) != before.get(name) and name != "manifest":
            yield f"{step}.{name} ({_short(before.get(name))} -> {_short(plain.get(name))})"


def _short(value: object) -> str:
    """A value in few characters: digests by their first twelve."""
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 24 else f"{text[:12]}..."
