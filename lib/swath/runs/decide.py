"""What becomes of each row of a run, and in which wave; ``runs.decide_frame`` applies the rule to a million rows in Spark."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import floor
from typing import Any

from swath.engine.scene_tiles import tiled_href
from swath.ledger.schemas import PLANNED
from swath.runs.ingest import BLOCK_SCENES
from swath.runs.own_fate import refusal
from swath.runs.versions import CLASH, STAGE, SceneVersion, chosen, clash_message, replaced_message

Json = Mapping[str, Any]
#: What the plan says of a row.
MAKE, MADE, DUPLICATE, REFUSED = "make", "made", "duplicate", "refused"
STATUSES = (MAKE, MADE, DUPLICATE, REFUSED)


def decide(
    ingested: Sequence[Json], products: Sequence[Json], *, versions: Mapping[str, SceneVersion], wave_products: int
) -> list[dict[str, Any]]:
    """What becomes of each row, and in which wave.

    Args:
        ingested: Rows of ``INGESTED``, in order.
        products: Products of the ledger: ids, keys, when they were made.
        versions: Sources of the ledger's products, by scene id.
        wave_products: Products that commit together.

    Returns:
        Rows of ``PLANNED``, in order.
    """
    latest = {r["product_id"]: r["product_key"] for r in sorted(products, key=lambda r: r["made"])}
    groups: defaultdict[str, list[Json]] = defaultdict(list)
    for row in ingested:
        groups[product_group(row)].append(row)
    decided: dict[tuple[int, str | None], Json] = {}
    for rows in groups.values():
        told = decide_product(rows, latest=latest.get(rows[0]["product_id"]), before=versions.get(rows[0]["scene_id"]))
        decided |= {(row["n"], row["product_id"]): one for row, one in zip(rows, told, strict=True)}
    # Tiles of one scene commit together: its wave counts it once.
    places: defaultdict[int, dict[int, int]] = defaultdict(dict)
    planned = []
    for row in ingested:
        one, wave = planned_row(row, decided[row["n"], row["product_id"]]), 0
        if one["status"] == MAKE:
            place = places[row["block"]].setdefault(row["n"], len(places[row["block"]]))
            wave = wave_of(row["block"], place, wave_products=wave_products, floor=floor)
        planned.append({**one, "wave": wave})
    return planned


def wave_of(block: Any, place: Any, *, wave_products: int, floor: Callable[[Any], Any]) -> Any:
    """The wave of a scene with products to make: of numbers a number, of Spark's columns a column.

    Waves stay within a block of scenes, so that a wave reads one folder of the plan.

    Args:
        block: Number of its block, from 0.
        place: Its place among the scenes to make of that block, from 0.
        wave_products: Products that commit together.
        floor: Largest whole number that is not above a number, or those of a column.
    """
    return block * -(-BLOCK_SCENES // wave_products) + floor(place / wave_products)


def product_group(row: Json) -> str:
    """What rows of one product share; a row without a product is alone."""
    return str(row["product_id"] if row["product_id"] is not None else row["href"])


def planned_row(row: Json, told: Json) -> dict[str, Any]:
    """A row of ``PLANNED``, except its wave.

    Args:
        row: Its row of ``INGESTED``.
        told: What becomes of it.
    """
    return {**{n: row.get(n) for n in PLANNED.names}, "href": tiled_href(row["href"], row["tile"]), **told}


def decide_product(rows: Sequence[Json], *, latest: str | None, before: SceneVersion | None) -> list[dict[str, Any]]:
    """What becomes of the rows of one product; an unexpected error refuses them alone.

    Args:
        rows: Rows of ``INGESTED`` with one product id, in order; or one row that has none.
        latest: Key of the ledger's latest version of the product; None where it has none.
        before: Sources of the ledger's products of the scene.

    Returns:
        For each row ``status`` and ``again``; of a clash its class, stage and message, of a replacement its message.
    """
    usable = [r for r in rows if r["error_class"] is None and r["product_id"] is not None]
    again = {"again": latest is not None}
    try:
        choice = chosen(usable, standing=before) if usable else None
        seen = False
        told: list[dict[str, Any]] = []
        for row in rows:
            one = _decided(
                row, choice=choice, before=before, there=latest is not None and latest == row["product_key"], seen=seen
            )
            seen |= one["status"] in {MAKE, MADE}
            told.append({**one, **again})
    except Exception as error:  # noqa: BLE001  whatever it is, it is this scene's
        refused = [refusal(error, row=row, stage=STAGE) if row["error_class"] is None else {} for row in rows]
        return [{"status": REFUSED, **why, **again} for why in refused]
    return told


def _decided(row: Json, *, choice: SceneVersion | None, before: SceneVersion | None, there: bool, seen: bool) -> dict[str, Any]:
    if row["error_class"] is not None or choice is None:
        return {"status": REFUSED}
    if row["scene_digest"] != choice.digest and not (there and choice == before):
        message = clash_message(row, other=choice)
        return {"status": REFUSED, "error_class": CLASH, "message": message, "stage": STAGE}
    if seen:
        return {"status": DUPLICATE}
    if there:
        return {"status": MADE}
    if before is not None and before.digest != choice.digest:
        return {"status": MAKE, "message": replaced_message(row, before=before)}
    return {"status": MAKE}
