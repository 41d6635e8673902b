"""A ledger that was lost, made again: products from items and files, runs from what they left in reports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession

from swath.errors import ConfigError
from swath.ledger.rows import TableRow, row_of
from swath.ledger.schemas import RUNS
from swath.ledger.tables import Tables
from swath.ndjson import entries
from swath.plain import digest_of
from swath.runs.origin import UNKNOWN
from swath.runs.run import spec_path
from swath.stores.base import Store
from swath.upkeep.mend import Maker, Mended, mend
from swath.upkeep.reconcile import compare, is_item
from swath.upkeep.removed_files import has_removed, restore_removed

Json = dict[str, Any]
_REPORTS = "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was made again.

    Args:
        mended: Products, and the catalogue.
        runs: Runs that have a row again.
        removed: Number of versions that retention had removed, and of which the ledger knows that again.
        unread: Results that could not be read, each with the reason.
    """

    mended: Mended
    runs: tuple[str, ...]
    removed: int
    unread: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class ToldRuns:
    """What results say of the runs that left them.

    Args:
        rows: Rows of the table of runs.
        made_by: Newest run that made a product, and its site, by product.
        unread: Results that are none.
    """

    rows: list[TableRow] = field(default_factory=list)
    made_by: dict[str, Maker] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def has_items(store: Store) -> bool:
    """Whether there is a product to begin with."""
    return any(is_item(path) for path in store.list("products"))


def rebuild(spark: SparkSession, tables: Tables, store: Store, *, run_id: str, site: str) -> Rebuilt:
    """Make the ledger again; to be called under the output's lock, with an empty one.

    Assets and items are the truth: a product has its row only when every file has the bytes that its item states. Scenes come
    back with the next run over them, and so do those in quarantine. What retention removed stays removed: its tombstones are
    files of the output too.

    Args:
        spark: The session.
        tables: Tables of the output.
        store: The output.
        run_id: Names this in the ledger, and products of which no result tells the run.
        site: Site of the output.

    Raises:
        ConfigError: A file of tombstones cannot be read.
    """
    # first of all: while a tombstone is not there, a run would make again what was removed
    removed = restore_removed(tables, store, run_id=run_id)
    told = told_runs(store)
    mended = mend(spark, tables, store, found=compare(tables, store), run_id=run_id, site=site, made_by=told.made_by)
    # after the products: an interrupted rebuild leaves an output whose runs are not there yet, and is begun again
    runs = record_runs(tables, told, run_id=run_id)
    return Rebuilt(mended=mended, runs=runs, removed=removed, unread=tuple(told.unread))


def record_runs(tables: Tables, told: ToldRuns, *, run_id: str) -> tuple[str, ...]:
    """Record runs that left a result and have no row; which.

    Args:
        tables: Tables of the output.
        told: What results say.
        run_id: Names this in the ledger.
    """
    few = tables.small("runs", RUNS, columns=["run_id"])
    known = {r["run_id"] for r in (few if few is not None else tables.read("runs", RUNS, columns=["run_id"]).collect())}
    rows = [row for row in told.rows if row[0] not in known]
    tables.append("runs", rows, schema=RUNS, run_id=f"{run_id}+told", wave=0)
    return tuple(row[0] for row in rows)


def told_runs(store: Store) -> ToldRuns:
    """What every result says, oldest first."""
    found, results = ToldRuns(), list[Json]()
    for path in _results(store):
        try:
            result = json.loads(store.read(path) or b"")
            found.rows.append(_row(result, spec=store.read(spec_path(result["run_id"]))))
            maker = Maker(run_id=result["run_id"], site=result["site"])
            results.append({"ended": result["ended"], "maker": maker, "products": _products(result, store)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found.unread.append(f"{path}: {error!r}")
    for result in sorted(results, key=lambda r: datetime.fromisoformat(r["ended"])):
        found.made_by |= dict.fromkeys(result["products"], result["maker"])
    return found


def _results(store: Store) -> Iterator[str]:
    """Paths right inside the reports' folder."""
    return (path for path in store.list(_REPORTS) if path.endswith(".json") and path.count("/") == 1)


def _products(result: Json, store: Store) -> list[str]:
    return [product["product_id"] for product in entries(result, "products", read=store.read)]


def _row(result: Json, *, spec: bytes | None) -> TableRow:
    """The one row that a result gives: waves are not told apart any more."""
    text = spec.decode() if spec is not None else "{}"
    assets = {f"assets_{name}": count for name, count in result["assets"].items()}
    scenes = {name: result[name] for name in ("scenes_in", "made", "skipped", "quarantined")}
    cpu_s = sum(float(stage["cpu_s"]) for stage in result["stages"])
    return row_of(
        RUNS, run_id=result["run_id"], wave=0, pipeline=result["pipeline"], spec_digest=digest_of(json.loads(text)), spec=text,
        **scenes, **assets, balanced=result["balanced"], cpu_s=cpu_s, started=datetime.fromisoformat(result["started"]),
        ended=datetime.fromisoformat(result["ended"]), code=result["code"], site=result["site"],
        **{name: result.get(name) for name in UNKNOWN},
    )  # fmt: skip


def refuse_what_is_there(store: Store, *, ledger: bool) -> None:
    """Rebuilding is for outputs that have products and no ledger.

    Raises:
        ConfigError: There is a ledger, or no product.
    """
    if ledger:
        msg = f"{store.root} has a ledger: swath reconcile --fix repairs it; --rebuild makes a lost one again"
        raise ConfigError(msg)
    if not has_items(store) and not has_removed(store):
        msg = f"{store.root} has no product below products/: there is nothing to make a ledger of; check the path"
        raise ConfigError(msg)
