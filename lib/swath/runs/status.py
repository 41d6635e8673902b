"""The state of an output: its runs, and what is in quarantine."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyspark.sql.types import StructType

from swath.errors import ClashError
from swath.ledger.arrow_rows import array_of, dicts_of
from swath.ledger.removed import with_removed
from swath.ledger.schemas import BEGAN, PRODUCTS, QUARANTINE, RUNS, SCENES, SOURCES
from swath.ledger.tables import Tables
from swath.runs.origin import UNKNOWN, RunOrigin

Json = dict[str, Any]
_INSTANT = timedelta(microseconds=1)
#: Columns of products that tell what was made since it was refused.
_MADE = ("pipeline", "product_id", "scene_id", "run_id", "made")
#: Runs that are reported, the newest first.
TOLD = 20
_SUMS = (
    "scenes_in", "made", "skipped", "quarantined", "assets_in", "assets_made", "assets_skipped", "assets_quarantined", "cpu_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run, all its waves together."""

    run_id: str
    pipeline: str
    site: str
    code: str
    waves: int
    balanced: bool
    started: datetime
    ended: datetime
    sums: dict[str, Any]
    origin: RunOrigin

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "run_id": self.run_id, "pipeline": self.pipeline, "site": self.site, "code": self.code, "waves": self.waves,
            "balanced": self.balanced, "started": self.started.isoformat(), "ended": self.ended.isoformat(), **self.sums,
            **self.origin.columns(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStatus:
    """An output.

    Args:
        runs: The newest first.
        products: Number of products, by pipeline.
        quarantine: Number of quarantined scenes, by pipeline and error class.
    """

    runs: tuple[RunRow, ...]
    products: dict[str, int]
    quarantine: dict[tuple[str, str], int]

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        standing_rows = [{"pipeline": p, "error": e, "scenes": n} for (p, e), n in self.quarantine.items()]
        return {"runs": [r.plain() for r in self.runs], "products": self.products, "quarantine": standing_rows}


def output_status(tables: Tables, *, run_id: str | None = None) -> OutputStatus:
    """Read it from the ledger, without Spark where its tables are what swath made them.

    Args:
        tables: Tables of the output.
        run_id: Only this run; the quarantine is then what it left and is still open.

    Raises:
        NeedsSparkError: A table is more than plain, and ``tables`` has no session.
    """
    runs = _columns(tables, "runs", RUNS, columns=[n for n in RUNS.names if n not in {"spec", "spec_digest"}])
    products = _columns(tables, "products", PRODUCTS, columns=_MADE)
    made = set(zip(*(products[n].to_pylist() for n in ("pipeline", "product_id")), strict=True))
    numbers = Counter(pipeline for pipeline, _ in made)
    refused = [row for row in standing_rows(tables, products) if run_id in (None, row["run_id"])]
    return OutputStatus(
        runs=_runs([row for row in dicts_of(runs) if run_id in (None, row["run_id"])]),
        products=dict(sorted(numbers.items())),
        quarantine=dict(sorted(Counter((r["pipeline"], r["error_class"]) for r in refused).items())),
    )


def _columns(tables: Tables, name: str, schema: StructType, *, columns: Sequence[str]) -> pa.Table:
    """Some columns of a table; moments in UTC."""
    found = tables.arrow(name, schema, columns=columns)
    return tables.read(name, schema, columns=columns).toArrow() if found is None else found


def standing_rows(tables: Tables, products: pa.Table, *, also: Sequence[str] = ()) -> list[Json]:
    """What ``standing`` finds, decided by few rows: the products and scenes of what was ever refused.

    Args:
        tables: Tables of the output.
        products: ``product_id``, ``scene_id``, ``pipeline``, ``run_id`` and ``made`` of all products.
        also: Columns of the quarantine that are wanted beside those that decide.
    """
    products = with_removed(tables, products, columns=_MADE)
    names = ["run_id", "scene_id", "href", "pipeline", "error_class", "attempts", "at", *also]
    latest: dict[tuple[str, str], Json] = {}
    for row in dicts_of(_columns(tables, "quarantine", QUARANTINE, columns=names)):
        known = latest.setdefault((row["href"], row["pipeline"]), row)
        if (row["at"], row["attempts"]) > (known["at"], known["attempts"]):
            latest[row["href"], row["pipeline"]] = row
    if not latest:
        return []
    ids: dict[str, set[str]] = {href: set() for href, _ in latest}
    for scene in _among(_columns(tables, "scenes", SCENES, columns=["scene_id", "href"]), "href", ids):
        ids[scene["href"]].add(scene["scene_id"])
    for row in latest.values():
        ids[row["href"]].add(row["scene_id"])
    made: dict[tuple[str, str], datetime] = {}
    for product in _among(products, "scene_id", {i for found in ids.values() for i in found}):
        key = (product["scene_id"], product["pipeline"])
        made[key] = max(product["made"], made.get(key, product["made"]))
    # What was refused in one tile of a tiling is made when that product is.
    exact = {f"{row['scene_id']}.{row['pipeline']}": (row["scene_id"], row["pipeline"]) for row in latest.values()}
    for product in _among(products, "product_id", exact):
        key = exact[product["product_id"]]
        made[key] = max(product["made"], made.get(key, product["made"]))
    used = _used(tables, products, hrefs=ids)
    return [
        row for row in latest.values()
        if not any(made.get((i, row["pipeline"]), row["at"] - _INSTANT) >= row["at"] for i in ids[row["href"]])
        and (row["error_class"] == ClashError.error_class or used.get((row["href"], row["pipeline"]), row["at"]) <= row["at"])
    ]  # fmt: skip


def _used(tables: Tables, products: pa.Table, *, hrefs: Collection[str]) -> dict[tuple[str, str], datetime]:
    """When sources, by href and pipeline, were used last; none that the newest version of a composite leaves out."""
    if not tables.exists("sources"):
        return {}
    columns = ["run_id", "product_id", "href", "used"]
    rows = _among(_columns(tables, "sources", SOURCES, columns=columns), "href", hrefs)
    newest: dict[str, Json] = {}
    for product in _among(products, "product_id", {row["product_id"] for row in rows}):
        known = newest.setdefault(product["product_id"], product)
        newest[product["product_id"]] = max(known, product, key=lambda p: p["made"])
    found: dict[tuple[str, str], list[tuple[bool, datetime]]] = {}
    for row in rows:
        product = newest.get(row["product_id"], {})
        if product.get("run_id") == row["run_id"]:
            found.setdefault((row["href"], product["pipeline"]), []).append((row["used"], product["made"]))
    return {key: max(at for _, at in uses) for key, uses in found.items() if all(used for used, _ in uses)}


def _among(table: pa.Table, column: str, values: Collection[str]) -> list[Json]:
    """Rows with one of these values."""
    return dicts_of(table.filter(pc.is_in(table[column], value_set=array_of(list(values), pa.string()))))


def _runs(rows: Sequence[Json]) -> tuple[RunRow, ...]:
    """The newest runs, each with all its waves."""
    waves: dict[str, list[Json]] = {}
    for row in rows:
        waves.setdefault(row["run_id"], []).append(row)
    found = [_run(run_id, some) for run_id, some in waves.items()]
    return tuple(sorted(found, key=lambda run: run.started, reverse=True)[:TOLD])


def _run(run_id: str, rows: Sequence[Json]) -> RunRow:
    """A run; one that only began has no wave."""
    first, waves = rows[0], [row for row in rows if row["wave"] != BEGAN] or rows
    number = sum(row["wave"] != BEGAN for row in rows)
    latest = max(rows, key=lambda row: row["attempt"] or 0)
    origin = RunOrigin(**{name: latest[name] for name in UNKNOWN})
    return RunRow(
        run_id=run_id, pipeline=first["pipeline"], site=first["site"], code=first["code"], waves=number,
        balanced=all(w["balanced"] for w in waves),
        started=min(w["started"] for w in waves), ended=max(w["ended"] for w in waves),
        origin=origin,
        sums={n: sum(w[n] for w in waves if w[n] is not None) for n in _SUMS},
    )  # fmt: skip
