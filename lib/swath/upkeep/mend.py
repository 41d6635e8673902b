"""Mend what ``reconcile`` found: record what is whole, send back what is broken, rewrite the catalogue. No file is removed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from swath import __version__
from swath.engine.keys import digest_of
from swath.engine.link_messages import Adopt
from swath.engine.refused import Refused
from swath.ledger.schemas import PRODUCTS, QUARANTINE, RUNS, SCENES
from swath.ledger.tables import Tables
from swath.product import AssetRecord
from swath.runs.catalogue_days import rebuild_days
from swath.runs.request import Limits
from swath.spark.stage import run_stage
from swath.stores.base import Store
from swath.upkeep.finding import BROKEN, CATALOGUE, UNRECORDED, OutputFinding
from swath.upkeep.reconcile import OutputComparison

Json = dict[str, Any]
#: The class under which a broken product waits for ``swath retry``.
LOST = "lost"
_PIPELINE = "reconcile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What mending did.

    Args:
        adopted: Products that the ledger knows now.
        sent_back: Products that wait in quarantine to be made again.
        catalogue: Catalogue files that were rewritten.
        left: Findings that it cannot or need not mend: orphans belong to the janitor.
    """

    adopted: tuple[str, ...] = ()
    sent_back: tuple[str, ...] = ()
    catalogue: tuple[str, ...] = ()
    left: tuple[OutputFinding, ...] = ()


def mend(
    spark: SparkSession,
    tables: Tables,
    store: Store,
    *,
    found: OutputComparison,
    run_id: str,
    site: str = "laptop",
    made_by: Mapping[str, str] | None = None,
) -> Mended:
    """Mend a comparison; to be called under the output's lock.

    Args:
        spark: The session.
        tables: Tables of the output.
        store: The output.
        found: What ``compare`` found.
        run_id: Names this mending in the ledger.
        site: Where it runs.
        made_by: Runs that made products, by product, where that is known; recorded products are otherwise of ``run_id``.
    """
    began = datetime.now(UTC)
    unrecorded = [f for f in found.findings if f.kind in UNRECORDED]
    adopted = _adopt(spark, store, unrecorded, run_id=run_id, site=site, made_by=made_by or {})
    _send_back(tables, found, run_id=run_id)
    tables.append("products", [row for _, row in adopted], schema=PRODUCTS, run_id=run_id, wave=0)
    known = {item for item, _ in adopted}
    if adopted or found.broken:
        run = _run(run_id, adopted=len(adopted), sent_back=len(found.broken), began=began, site=site)
        tables.append("runs", [run], schema=RUNS, run_id=run_id, wave=0)
    touched = {f.day for f in found.findings if f.kind in CATALOGUE | UNRECORDED | BROKEN}
    written = rebuild_days(tables, store, touched=touched) if touched else ()
    left = [f for f in found.findings if f.kind == "orphan-file" or (f.kind in UNRECORDED and f.path not in known)]
    return Mended(adopted=tuple(row[0] for _, row in adopted), sent_back=tuple(found.broken), catalogue=written, left=tuple(left))


def _adopt(
    spark: SparkSession, store: Store, findings: Sequence[OutputFinding], *, run_id: str, site: str, made_by: Mapping[str, str]
) -> list[tuple[str, tuple[Any, ...]]]:
    """Rows of ``products`` for items whose files are what the items say."""
    items = {f.path: json.loads(store.read(f.path) or b"{}") for f in findings}
    whole = {path: item for path, item in items.items() if "swath:scene_digest" in item.get("properties", {})}
    asked = [Adopt(scene_id=item["id"], output=store.root, item=path, names=tuple(_names(item))) for path, item in whole.items()]
    answers = run_stage(spark, asked, limits=Limits(), name=f"{run_id} adopt")
    return [
        (path, _product(item, answer.records, path=path, run_id=made_by.get(item["id"], run_id), site=site))
        for (path, item), answer in zip(whole.items(), answers, strict=True)
        if not isinstance(answer, Refused) and len(answer.records) == len(_names(item))
    ]


def _names(item: Json) -> list[str]:
    return [name for name, asset in item["assets"].items() if "swath:key" in asset]


def _product(item: Json, records: Sequence[AssetRecord], *, path: str, run_id: str, site: str) -> tuple[Any, ...]:
    told = item["properties"]
    folder = path.rpartition("/")[0]
    assets = [
        (r.name, r.layer, r.href, r.key, r.bytes, r.digest, r.model.digest if r.model is not None else None) for r in records
    ]
    pictures = {n: f"{folder}/{a['href'].removeprefix('./')}" for n, a in item["assets"].items() if "swath:key" not in a}
    models = [(m["name"], m["version"], m["digest"]) for m in told.get("swath:models", ())]
    kept = json.dumps([r.to_plain() for r in records], sort_keys=True)
    key = digest_of({r.name: r.key for r in records})
    return (
        item["id"], key, told["swath:scene_id"], told["swath:scene_digest"], told["swath:pipeline"],
        told["swath:pipeline_version"], item["collection"], path, item["bbox"], datetime.fromisoformat(told["datetime"]),
        told["platform"], assets, kept, pictures, models, told.get("swath:left_out", {}), "{}",
        told["processing:software"]["swath"], run_id, 0, site, datetime.now(UTC),
    )  # fmt: skip


def _send_back(tables: Tables, found: OutputComparison, *, run_id: str) -> None:
    """Take broken products out of the ledger (Delta keeps the version before) and put their scenes into quarantine."""
    if not found.broken:
        return
    ids = [r["scene_id"] for r in found.broken.values()]
    scenes = tables.read("scenes", SCENES, columns=["scene_id", "digest", "href"], where={"scene_id": ids}).collect()
    hrefs = {(r["scene_id"], r["digest"]): r["href"] for r in scenes}
    reasons = {f.product_id: f for f in found.findings if f.kind in BROKEN}
    rows = [
        _quarantined(row, reasons[p], href=hrefs.get((row["scene_id"], row["scene_digest"]), ""))
        for p, row in found.broken.items()
    ]
    tables.append("quarantine", rows, schema=QUARANTINE, run_id=run_id, wave=0)
    version = F.concat_ws(" ", "product_id", "product_key")
    tables.delete("products", version.isin([f"{r['product_id']} {r['product_key']}" for r in found.broken.values()]))


def _quarantined(row: Row, why: OutputFinding, *, href: str) -> tuple[Any, ...]:
    message = (
        f"{row['product_id']}: {why.kind} {why.path}: expected {why.expected}; got {why.got}. Run swath retry --error {LOST}"
    )
    # The run that made it holds the specification by which it is made again.
    return (
        row["run_id"], 0, row["scene_id"], href, row["pipeline"], _PIPELINE, LOST, message, 1, href, datetime.now(UTC),
    )  # fmt: skip


def _run(run_id: str, *, adopted: int, sent_back: int, began: datetime, site: str) -> tuple[Any, ...]:
    scenes = adopted + sent_back
    return (
        run_id, 0, _PIPELINE, digest_of({}), "{}", scenes, adopted, 0, sent_back, 0, 0, 0, 0, True, 0.0, began, datetime.now(UTC),
        __version__, site,
    )  # fmt: skip
