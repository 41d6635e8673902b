"""Compare ledger, files and catalogue both ways, a day at a time."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from pyspark.sql import Window
from pyspark.sql import functions as F

from swath.engine.adopt import href_of
from swath.ledger.removed import removed_versions, version_of
from swath.ledger.schemas import PRODUCTS
from swath.ledger.tables import Tables
from swath.stores.base import Entry, Store
from swath.upkeep.finding import BROKEN, OutputFinding
from swath.upkeep.removed_files import told_versions

Json = dict[str, Any]


class ProductRow(Protocol):
    """A row of ``products``, of Spark or by column name."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""
        ...


#: products/<collection>/<yyyy>/<mm>/<dd>
_DAY_LEVELS = 5
_PRODUCTS = "products"


@dataclass(slots=True, kw_only=True)
class OutputComparison:
    """What was found, with what mending needs.

    Args:
        products: Number of products in the ledger.
        files: Number of files below the products folder.
        findings: Findings, ordered by path.
        broken: Ledger rows of products that cannot be used.
    """

    products: int = 0
    files: int = 0
    findings: list[OutputFinding] = field(default_factory=list)
    broken: dict[str, ProductRow] = field(default_factory=dict)


def compare(tables: Tables, store: Store) -> OutputComparison:
    """Look at everything once; nothing is changed.

    Raises:
        ConfigError: A file of tombstones cannot be read.
    """
    # a ledger of yesterday, restored, does not know what was removed today: the files beside it do
    found, told = OutputComparison(), told_versions(store)
    for folder, every, files in days(tables, store):
        gone = told | removed_versions(tables, product_ids=sorted(every))
        going = {p: row for p, row in every.items() if version_of(row) in gone}
        rows = {p: row for p, row in every.items() if p not in going}
        found.products += len(rows)
        found.files += len(files)
        for finding in _Day(folder, rows=rows, going=going, files=files, store=store).findings():
            found.findings.append(finding)
            if finding.kind in BROKEN:
                found.broken[finding.product_id] = rows[finding.product_id]
    return found


def days(tables: Tables, store: Store) -> Iterator[tuple[str, dict[str, ProductRow], dict[str, Entry]]]:
    """Each day of each collection: its folder, its products in the ledger, its files by path. One day at a time is in memory."""
    return _merged(_rows(tables), store.entries(_PRODUCTS))


def _rows(tables: Tables) -> Iterator[ProductRow]:
    """The latest version of each product, in the order of a listing; of a small ledger without Spark."""
    columns = [
        "product_id",
        "product_key",
        "scene_id",
        "scene_digest",
        "pipeline",
        "item",
        "assets",
        "pictures",
        "run_id",
        "made",
    ]
    few = tables.small("products", PRODUCTS, columns=columns)
    if few is not None:
        latest = {r["product_id"]: r for r in sorted(few, key=lambda r: r["made"])}
        return iter(sorted(latest.values(), key=lambda r: str(r["item"])))
    read = tables.read("products", PRODUCTS, columns=columns)  # first: it says that a session is needed
    newest = Window.partitionBy("product_id").orderBy(F.col("made").desc())
    rows = read.withColumn("rank", F.row_number().over(newest)).filter(F.col("rank") == 1)
    return iter(rows.select(*columns).orderBy("item").toLocalIterator())


def _day_of(path: str) -> str:
    return "/".join(path.split("/")[:_DAY_LEVELS]) + "/"


def _merged(rows: Iterator[ProductRow], files: Iterable[Entry]) -> Iterator[tuple[str, dict[str, ProductRow], dict[str, Entry]]]:
    """Rows and files of the same day together; both streams are in the same order."""
    by_row, by_file = groupby(rows, key=lambda r: _day_of(r["item"])), groupby(files, key=lambda e: _day_of(e.path))
    row, file = next(by_row, None), next(by_file, None)
    while row is not None or file is not None:
        folder = min(s[0] for s in (row, file) if s is not None)
        found: dict[str, ProductRow] = {}
        there: dict[str, Entry] = {}
        if row is not None and row[0] == folder:
            found = {r["product_id"]: r for r in row[1]}
            row = next(by_row, None)
        if file is not None and file[0] == folder:
            there = {e.path: e for e in file[1]}
            file = next(by_file, None)
        yield folder, found, there


class _Day:
    """One day of one collection.

    Args:
        folder: ``products/<collection>/<yyyy>/<mm>/<dd>/``.
        rows: Rows of the ledger, by product.
        going: Those whose products are being removed.
        files: Those that are there, by path.
        store: The output.
    """

    def __init__(
        self,
        folder: str,
        *,
        rows: Mapping[str, ProductRow],
        going: Mapping[str, ProductRow],
        files: Mapping[str, Entry],
        store: Store,
    ) -> None:
        self._folder = folder
        self._rows, self._going = rows, going
        self._files = files
        self._store = store
        self._items = items_of(files, store=store)

    def findings(self) -> Iterator[OutputFinding]:
        """All of the day, in order of their paths."""
        named = {p for path, item in self._items.items() for p in named_by(item, path=path)}
        recorded = {r["item"] for r in self._rows.values()}
        found = [f for r in self._rows.values() for f in self._product(r)]
        found += [
            OutputFinding(kind="half-removed", path=r["item"], product_id=p, expected="no row: swath maintain goes on with it")
            for p, r in self._going.items()
        ]
        going = {r["item"] for r in self._going.values()}
        for path, item in self._items.items():
            if path not in recorded | going:
                found.append(
                    OutputFinding(kind="unrecorded-item", path=path, product_id=item.get("id", ""), expected="a row in products")
                )
        kept = recorded | set(self._items) | named
        kept |= {p for r in (*self._rows.values(), *self._going.values()) for p in paths_of(r)}
        found += [
            OutputFinding(kind="orphan-file", path=p, expected="an item that names it") for p in self._files if p not in kept
        ]
        found += self._catalogue(recorded)
        yield from sorted(found, key=lambda f: (f.path, f.kind))

    def _product(self, row: ProductRow) -> Iterator[OutputFinding]:
        product_id, path = row["product_id"], row["item"]
        if path not in self._items:
            yield OutputFinding(kind="missing-item", path=path, product_id=product_id, expected="an item", got="none")
            return
        keys = {a["key"] for a in row["assets"]}
        if keys != keys_of(self._items[path]):
            yield OutputFinding(
                kind="other-item", path=path, product_id=product_id, expected=f"run {row['run_id']}", got="other assets"
            )
            return
        folder = path.rpartition("/")[0]
        for asset in row["assets"]:
            file = f"{folder}/{asset['href']}"
            entry = self._files.get(file)
            if entry is None:
                yield OutputFinding(
                    kind="missing-file", path=file, product_id=product_id, expected=f"{asset['bytes']} bytes", got="none"
                )
            elif entry.bytes != asset["bytes"]:
                sizes = {"expected": f"{asset['bytes']} bytes", "got": f"{entry.bytes} bytes"}
                yield OutputFinding(kind="wrong-size", path=file, product_id=product_id, **sizes)
        for file in row["pictures"].values():
            if file not in self._files:
                yield OutputFinding(kind="missing-file", path=file, product_id=product_id, expected="a picture", got="none")

    def _catalogue(self, recorded: set[str]) -> Iterator[OutputFinding]:
        path = f"collections/{self._folder.removeprefix(f'{_PRODUCTS}/')}catalog.json"
        data = self._store.read(path)
        links = json.loads(data)["links"] if data else []
        listed = {link["href"].lstrip("./") for link in links if link["rel"] == "item"}
        for item in recorded - listed:
            yield OutputFinding(kind="not-in-catalogue", path=item, expected=f"a link in {path}", got="none")
        for item in listed - recorded:
            yield OutputFinding(kind="only-in-catalogue", path=item, expected="a row in products", got=f"a link in {path}")


def items_of(files: Iterable[str], *, store: Store) -> dict[str, Json]:
    """The items among files, by path; one that is broken is empty."""
    return {path: _item(path, store=store) for path in files if is_item(path)}


def _item(path: str, *, store: Store) -> Json:
    return item_at(path, store=store) or {}


def item_at(path: str, *, store: Store) -> Json | None:
    """An item; empty when it is broken, None when it is not there."""
    data = store.read(path)
    if data is None:
        return None
    try:
        loaded = json.loads(data)
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def keys_of(item: Mapping[str, Any]) -> set[str]:
    """Keys of the assets that an item names."""
    return {a["swath:key"] for a in item.get("assets", {}).values() if "swath:key" in a}


def is_item(path: str) -> bool:
    """Whether a path is that of a product's item."""
    parts = path.split("/")
    return len(parts) == _DAY_LEVELS + 2 and parts[-1] == f"{parts[-2]}.json"


def named_by(item: Mapping[str, Any], *, path: str) -> set[str]:
    """Paths of the files that an item names."""
    folder = path.rpartition("/")[0]
    return {f"{folder}/{href_of(a)}" for a in item.get("assets", {}).values()}


def paths_of(row: ProductRow) -> set[str]:
    """Paths of the files that a ledger row names."""
    folder = row["item"].rpartition("/")[0]
    return {f"{folder}/{a['href']}" for a in row["assets"]} | set(row["pictures"].values())


def earlier_files(tables: Tables, *, collections: Sequence[str]) -> frozenset[str]:
    """Paths of the files of every version of some collections."""
    where, columns = {"collection": list(collections)}, ["item", "assets", "pictures"]
    rows: Iterable[Any] | None = tables.small("products", PRODUCTS, columns=columns, where=where)
    if rows is None:
        rows = tables.read("products", PRODUCTS, columns=columns, where=where).toLocalIterator()
    return frozenset(path for row in rows for path in paths_of(row))
