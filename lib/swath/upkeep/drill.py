"""A drill: parts of an output are lost, on a copy of it, and made again; what comes back is compared with what was there."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from swath.errors import ConfigError
from swath.ledger.delta import TABLES_FOLDER
from swath.ledger.open import MARK
from swath.ledger.removed import TABLE, VERSION, Version, removed_versions, version_of
from swath.ledger.schemas import BEGAN, PRODUCTS, RUNS, TOMBSTONES
from swath.ledger.tables import Tables
from swath.stores.base import Store
from swath.upkeep.mend import mend
from swath.upkeep.rebuild import rebuild, record_runs, told_runs
from swath.upkeep.reconcile import compare
from swath.upkeep.removed_files import restore_removed

Json = dict[str, Any]
#: Columns of products that a new ledger says anew or cannot know: when a row was written, of which wave, and what
#: the run learnt on the way.
NAMED: Final = ("made", "wave", "facts")
#: Columns of runs that are compared, summed over waves.
_COUNTED: Final = ("scenes_in", "made", "skipped", "quarantined", "assets_in", "assets_made", "assets_skipped")
#: Tables of which a new ledger knows nothing: the next run over the same scenes brings back what it needs of them.
NOT_BACK: Final = ("scenes", "tiles", "sources", "quarantine")
_NOT_COPIED: Final = (f"{TABLES_FOLDER}/", ".scratch/", MARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One kind of loss.

    Args:
        kind: What was lost.
        seconds: Until it was there again [s].
        products: How many products came back.
        differences: What is not as it was, in words; none if all is well.
    """

    kind: str
    seconds: float
    products: int
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What is compared."""

    products: Mapping[str, Json]
    runs: Mapping[str, Json]
    catalogue: Mapping[str, bytes]
    removed: frozenset[Version]


def copy_output(store: Store, to: Store) -> int:
    """Copy an output without its ledger, which is what a drill makes again; how many bytes.

    Args:
        store: The output.
        to: Where the copy goes.

    Raises:
        ConfigError: Something is there.
    """
    if next(iter(to.list("")), None) is not None:
        msg = f"{to.root} is not empty: a drill needs a place of its own for the copy, since it deletes there"
        raise ConfigError(msg)
    total = 0
    for entry in store.entries(""):
        if not entry.path.startswith(_NOT_COPIED):
            with store.fetch(entry.path) as source, NamedTemporaryFile(dir=to.scratch(), delete=False) as copy:
                shutil.copyfileobj(source, copy)
            to.put(Path(copy.name), entry.path)
            total += entry.bytes
    return total


def drill(
    spark: SparkSession, tables: Tables, store: Store, *, copy: Store, copied: Tables, run_id: str, site: str
) -> Iterator[Loss]:
    """Lose one thing after the other on the copy, and make it again.

    Args:
        spark: The session.
        tables: Tables of the output.
        store: The output.
        copy: Its copy, see ``copy_output``.
        copied: Tables of the copy; none of them exists.
        run_id: Names this in the copy's ledger.
        site: Where it runs.
    """
    before = _state(tables, store)

    def ledger() -> None:
        rebuild(spark, copied, copy, run_id=f"{run_id}-ledger", site=site)

    def catalogue() -> None:
        mend(spark, copied, copy, found=compare(copied, copy), run_id=f"{run_id}-catalogue", site=site)

    def yesterday() -> None:
        restore_removed(copied, copy, run_id=f"{run_id}-yesterday")
        told, found = told_runs(copy), compare(copied, copy)
        mend(spark, copied, copy, found=found, run_id=f"{run_id}-yesterday", site=site, made_by=told.made_by)
        record_runs(copied, told, run_id=f"{run_id}-yesterday")

    yield _lost("ledger", ledger, before=before, copied=copied, copy=copy)
    copy.delete_tree("collections")
    copy.delete("catalog.json")
    yield _lost("collections", catalogue, before=before, copied=copied, copy=copy)
    newest = max(before.products.values(), key=lambda r: r["made"], default=None)
    if newest is not None:
        for name in ("products", "runs"):
            copied.delete(name, F.col("run_id") == newest["run_id"])
        if copied.exists(TABLE):
            copied.delete(TABLE, F.lit(True))
        yield _lost("yesterday's ledger", yesterday, before=before, copied=copied, copy=copy)


def _lost(kind: str, restore: Callable[[], None], *, before: _State, copied: Tables, copy: Store) -> Loss:
    since = time.monotonic()
    restore()
    seconds = time.monotonic() - since
    after = _state(copied, copy)
    found = [*_differences(before, after), *(str(f) for f in compare(copied, copy).findings if f.kind != "orphan-file")]
    return Loss(kind=kind, seconds=seconds, products=len(after.products), differences=tuple(found))


def _state(tables: Tables, store: Store) -> _State:
    paths = [p for p in store.list("collections") if p.endswith(".json")]
    catalogue = {p: store.read(p) or b"" for p in (*paths, "catalog.json")}
    gone = _rows(tables, TABLE, TOMBSTONES, columns=list(VERSION)) if tables.exists(TABLE) else []
    removed = frozenset(version_of(row) for row in gone)
    return _State(products=_products(tables), runs=_runs(tables), catalogue=catalogue, removed=removed)


def _products(tables: Tables) -> dict[str, Json]:
    """The newest version of each product, by its id."""
    rows = _rows(tables, "products", PRODUCTS, columns=PRODUCTS.names)
    gone = removed_versions(tables, product_ids=sorted({r["product_id"] for r in rows}))
    standing = (r for r in rows if version_of(r) not in gone)
    return {r["product_id"]: r for r in sorted(standing, key=lambda r: r["made"])}


def _runs(tables: Tables) -> dict[str, Json]:
    sums: dict[str, Json] = {}
    for row in _rows(tables, "runs", RUNS, columns=["run_id", "wave", *_COUNTED]):
        if row["wave"] != BEGAN:
            known = sums.setdefault(row["run_id"], dict.fromkeys(_COUNTED, 0))
            known.update({n: known[n] + (row[n] or 0) for n in _COUNTED})
    return sums


def _rows(tables: Tables, name: str, schema: Any, *, columns: list[str]) -> list[Json]:
    few = tables.small(name, schema, columns=columns)
    if few is not None:
        return few
    return [_aware(row.asDict(recursive=True)) for row in tables.read(name, schema, columns=columns).collect()]


def _aware(row: Json) -> Json:
    """Spark hands naive moments of the driver's zone to Python."""
    return {n: v.astimezone(UTC) if isinstance(v, datetime) else v for n, v in row.items()}


def _differences(before: _State, after: _State) -> Iterator[str]:
    yield from (f"product {p} did not come back" for p in sorted(before.products.keys() - after.products.keys()))
    yield from (f"product {p} was not there before" for p in sorted(after.products.keys() - before.products.keys()))
    for product_id in sorted(before.products.keys() & after.products.keys()):
        was, now = before.products[product_id], after.products[product_id]
        other = [n for n in PRODUCTS.names if n not in NAMED and _plain(was[n]) != _plain(now[n])]
        if other:
            yield f"product {product_id}: other {', '.join(other)}"
    yield from (f"product {v[0]} is not known as removed any more" for v in sorted(before.removed - after.removed))
    for run_id, counts in sorted(before.runs.items()):
        # a run that was killed left no result: nothing tells of it any more
        if after.runs.get(run_id, counts) != counts:
            yield f"run {run_id}: other counts: {after.runs[run_id]} for {counts}"
    for path in sorted(before.catalogue.keys() | after.catalogue.keys()):
        if before.catalogue.get(path) != after.catalogue.get(path):
            yield f"{path}: other content"


def _plain(value: Any) -> Any:
    """Records as what they say: their text may be spaced otherwise."""
    if isinstance(value, str) and value.startswith(("[", "{")):
        return json.loads(value)
    return [tuple(v.values()) if isinstance(v, dict) else v for v in value] if isinstance(value, list) else value
