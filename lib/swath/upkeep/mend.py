"""Mend what ``reconcile`` found: record what is whole, send back what is broken, rewrite the catalogue. No file is removed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from swath import __version__
from swath.account import Account, Count
from swath.engine.link_messages import Adopt
from swath.engine.refused import Refused
from swath.ledger.rows import TableRow, asset_rows, counts_of, model_rows, row_of
from swath.ledger.schemas import PRODUCTS, QUARANTINE, RUNS, SCENES
from swath.ledger.tables import Tables
from swath.plain import digest_of
from swath.product import AssetRecord, ModelRef
from swath.runs.catalogue_days import rebuild_days
from swath.runs.origin import RunOrigin
from swath.runs.request import Limits
from swath.spark.stage import opened, run_stage
from swath.stores.base import Store
from swath.upkeep.finding import BROKEN, CATALOGUE, UNRECORDED, OutputFinding
from swath.upkeep.reconcile import OutputComparison, ProductRow

Json = dict[str, Any]
#: The class under which a broken product waits for ``swath retry``.
LOST = "lost"
#: Tasks that check products, for each that runs at a time.
_TASKS_A_SLOT = 8
_PIPELINE = "reconcile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who made a product.

    Args:
        run_id: The run.
        site: Where it ran.
    """

    run_id: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What mending did.

    Args:
        adopted: Products that the ledger knows now.
        sent_back: Products that wait in quarantine to be made again.
        catalogue: Catalogue files that were rewritten.
        left: Findings that it cannot or need not mend: orphans, and what is being removed, are the janitor's.
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
    made_by: Mapping[str, Maker] | None = None,
) -> Mended:
    """Mend a comparison; to be called under the output's lock.

    Args:
        spark: The session.
        tables: Tables of the output.
        store: The output.
        found: Findings of ``compare``.
        run_id: Names this mending in the ledger.
        site: Site of the output.
        made_by: Makers of products, by product, where they are known; other products are recorded as of ``run_id`` and ``site``.
    """
    began = datetime.now(UTC)
    unrecorded = [f for f in found.findings if f.kind in UNRECORDED]
    adopted = _adopt(spark, store, unrecorded, otherwise=Maker(run_id=run_id, site=site), made_by=made_by or {})
    _send_back(tables, found, run_id=run_id)
    tables.append("products", [row for _, row in adopted], schema=PRODUCTS, run_id=run_id, wave=0)
    known = {item for item, _ in adopted}
    if adopted or found.broken:
        run = _run(run_id, adopted=len(adopted), sent_back=len(found.broken), began=began, site=site)
        tables.append("runs", [run], schema=RUNS, run_id=run_id, wave=0)
    touched = {f.day for f in found.findings if f.kind in CATALOGUE | UNRECORDED | BROKEN}
    written = rebuild_days(tables, store, touched=touched) if touched else ()
    not_ours = {"orphan-file", "half-removed"}
    left = [f for f in found.findings if f.kind in not_ours or (f.kind in UNRECORDED and f.path not in known)]
    return Mended(adopted=tuple(row[0] for _, row in adopted), sent_back=tuple(found.broken), catalogue=written, left=tuple(left))


def _adopt(
    spark: SparkSession, store: Store, findings: Sequence[OutputFinding], *, otherwise: Maker, made_by: Mapping[str, Maker]
) -> list[tuple[str, TableRow]]:
    """Rows of ``products`` for items whose files are what the items say."""
    items = {f.path: _needed(json.loads(store.read(f.path) or b"{}")) for f in findings}
    whole = {path: item for path, item in items.items() if "swath:scene_digest" in item["properties"]}
    asked = [Adopt(scene_id=item["id"], output=store.root, item=path, names=tuple(_names(item))) for path, item in whole.items()]
    # a small product is checked in milliseconds, which a task of its own would cost once more
    tasks = _TASKS_A_SLOT * spark.sparkContext.defaultParallelism
    answers = opened(run_stage(spark, asked, limits=Limits(), name=f"{otherwise.run_id} adopt", tasks=tasks))
    return [
        (path, _product(item, answer.records, path=path, maker=made_by.get(item["id"], otherwise)))
        for (path, item), answer in zip(whole.items(), answers, strict=True)
        if not isinstance(answer, Refused) and len(answer.records) == len(_names(item))
    ]


def _needed(item: Json) -> Json:
    """What of an item its row is made of: a whole one is some 200 kB in memory, and there may be all of an output."""
    assets = {n: {k: a[k] for k in ("href", "swath:key") if k in a} for n, a in item.get("assets", {}).items()}
    kept: Json = {name: item[name] for name in ("id", "collection", "bbox") if name in item}
    return {**kept, "properties": item.get("properties", {}), "assets": assets}


def _names(item: Json) -> list[str]:
    return [name for name, asset in item["assets"].items() if "swath:key" in asset]


def _product(item: Json, records: Sequence[AssetRecord], *, path: str, maker: Maker) -> TableRow:
    told = item["properties"]
    folder = path.rpartition("/")[0]
    pictures = {n: f"{folder}/{a['href'].removeprefix('./')}" for n, a in item["assets"].items() if "swath:key" not in a}
    models = (ModelRef(name=m["name"], version=m["version"], digest=m["digest"]) for m in told.get("swath:models", ()))
    kept = json.dumps([r.to_plain() for r in records], sort_keys=True)
    key = digest_of({r.name: r.key for r in records})
    return row_of(
        PRODUCTS,
        product_id=item["id"],
        product_key=key,
        scene_id=told["swath:scene_id"],
        scene_digest=told["swath:scene_digest"],
        pipeline=told["swath:pipeline"],
        pipeline_version=told["swath:pipeline_version"],
        collection=item["collection"],
        item=path,
        bbox=item["bbox"],
        acquired=datetime.fromisoformat(told["datetime"]),
        platform=told["platform"],
        assets=asset_rows(records),
        records=kept,
        pictures=pictures,
        models=model_rows(models),
        left_out=told.get("swath:left_out", {}),
        facts="{}",
        code=told["processing:software"]["swath"],
        run_id=maker.run_id,
        wave=0,
        site=maker.site,
        made=datetime.now(UTC),
    )


def _send_back(tables: Tables, found: OutputComparison, *, run_id: str) -> None:
    """Take broken products out of the ledger (Delta keeps the version before) and put their scenes into quarantine."""
    if not found.broken:
        return
    ids = [r["scene_id"] for r in found.broken.values()]
    scenes = tables.read("scenes", SCENES, columns=["scene_id", "digest", "href"], where={"scene_id": ids}).collect()
    hrefs = {(r["scene_id"], r["digest"]): r["href"] for r in scenes}
    reasons = {f.product_id: f for f in found.findings if f.kind in BROKEN}
    rows = [
        # A composite is of no scene: it is known by its own id.
        _quarantined(row, reasons[p], href=hrefs.get((row["scene_id"], row["scene_digest"]), row["product_id"]))
        for p, row in found.broken.items()
    ]
    tables.append("quarantine", rows, schema=QUARANTINE, run_id=run_id, wave=0)
    version = F.concat_ws(" ", "product_id", "product_key")
    tables.delete("products", version.isin([f"{r['product_id']} {r['product_key']}" for r in found.broken.values()]))


def _quarantined(row: ProductRow, why: OutputFinding, *, href: str) -> TableRow:
    message = (
        f"{row['product_id']}: {why.kind} {why.path}: expected {why.expected}; got {why.got}. Run swath retry --error {LOST}"
    )
    # The run that made it holds the specification by which it is made again.
    return row_of(
        QUARANTINE, run_id=row["run_id"], wave=0, scene_id=row["scene_id"], href=href, pipeline=row["pipeline"], stage=_PIPELINE,
        error_class=LOST, message=message, attempts=1, retry=href, at=datetime.now(UTC),
    )  # fmt: skip


def _run(run_id: str, *, adopted: int, sent_back: int, began: datetime, site: str) -> TableRow:
    scenes = Count(taken_in=adopted + sent_back, made=adopted, quarantined=sent_back)
    return row_of(
        RUNS, run_id=run_id, wave=0, pipeline=_PIPELINE, spec_digest=digest_of({}), spec="{}",
        **counts_of(Account(scenes=scenes, edges=scenes)), cpu_s=0.0, started=began, ended=datetime.now(UTC), code=__version__,
        site=site, **RunOrigin.of().columns(),
    )  # fmt: skip
