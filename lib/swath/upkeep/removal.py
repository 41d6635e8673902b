"""Remove what is past its retention, so that an interruption anywhere leaves nothing that anybody takes for a product.

For some products at a time: their tombstones, in the ledger and beside it, then the catalogues without them, then each item, its
pictures and its assets, and last their rows. While a row is there, the next ``swath maintain`` goes on with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice

from pyspark.sql import functions as F

from swath.ledger.removed import TABLE
from swath.ledger.rows import TableRow, row_of
from swath.ledger.schemas import PRODUCTS, TOMBSTONES
from swath.ledger.tables import Tables
from swath.retention import KeepRule
from swath.runs.catalogue_days import rebuild_days
from swath.stores.base import Store
from swath.stores.local import LocalStore
from swath.upkeep.expiry import COLUMNS, Expired, Expiry, Json, Kept
from swath.upkeep.holds import holds
from swath.upkeep.removed_files import write_all_removed, write_removed

#: What a tombstone keeps of a product's row.
_COPIED = tuple(n for n in COLUMNS if n in TOMBSTONES.names)
#: Products that go together.
BATCH = 200
#: Takes items out of a served catalogue, by collection and id.
Unlist = Callable[[Sequence[tuple[str, str]]], None]


@dataclass(slots=True, kw_only=True)
class Removed:
    """What went, or would go.

    Args:
        products: Ids of products that are gone.
        versions: How many versions of them, and of products that stay.
        files: How many files.
        bytes: Size of their assets [bytes].
        kept: Products past their retention that stay, each with the reason.
        continued: How many products an earlier execution had begun with.
        unknown: Collections that have a rule and no product; a misspelt name removes nothing.
        collections: Collections of the output.
    """

    products: list[str] = field(default_factory=list)
    versions: int = 0
    files: int = 0
    bytes: int = 0
    kept: list[Kept] = field(default_factory=list)
    continued: int = 0
    unknown: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)

    def note(self, expired: Expired) -> None:
        """Count a product."""
        self.products += [expired.product_id] if expired.whole else []
        self.versions += len(expired.rows)
        self.files += len(expired.files)
        self.bytes += expired.bytes
        self.continued += len(expired.rows) > len(expired.fresh)


def remove_expired(
    tables: Tables,
    store: Store,
    *,
    rules: Mapping[str, KeepRule],
    run_id: str,
    now: datetime | None = None,
    dry: bool = False,
    unlist: Unlist | None = None,
) -> Removed:
    """Remove what is past its retention; to be called under the output's lock.

    Args:
        tables: Tables of the output.
        store: The output.
        rules: Rules by collection.
        run_id: Names this execution in the ledger.
        now: Aware; the clock's time without it.
        dry: Only tell.
        unlist: Takes items out of the served catalogue, before a file of theirs goes.

    Raises:
        ConfigError: A hold cannot be read.
        CatalogueError: The served catalogue does not answer: nothing that it lists was removed.
    """
    moment, done = now or datetime.now(UTC), Removed()
    if rules:
        done.collections = sorted(_collections(tables))
        done.unknown = sorted(rules.keys() - set(done.collections))
    held = frozenset(hold.what for hold in holds(store))
    if not dry:
        write_all_removed(tables, store, run_id=run_id)
    found = Expiry(tables, store, rules=rules, held=held, now=moment).found()
    for number, batch in enumerate(_batches(found, done.kept)):
        for expired in batch:
            done.note(expired)
        if not dry:
            told = [r for e in batch for r in _tombstones(e, e.fresh, run_id=run_id, now=moment)]
            if told:
                tables.append(TABLE, told, schema=TOMBSTONES, run_id=run_id, wave=number)
            # of those begun before too: an interruption may have come between their rows and their file
            beside = (r for e in batch for r in _tombstones(e, e.rows, run_id=run_id, now=moment))
            write_removed(store, beside, run_id=run_id, number=number)
            _remove(batch, tables=tables, store=store, unlist=unlist)
    return done


def _collections(tables: Tables) -> set[str]:
    found = tables.arrow("products", PRODUCTS, columns=["collection"])
    if found is None:
        return {r["collection"] for r in tables.read("products", PRODUCTS, columns=["collection"]).distinct().collect()}
    return set(found["collection"].unique().to_pylist())


def _batches(found: Iterator[Expired | Kept], kept: list[Kept]) -> Iterator[list[Expired]]:
    """Products that go, some at a time: all are known before the first goes, for they are read from a table that changes."""
    every = list(found)
    kept += [e for e in every if isinstance(e, Kept)]
    going = iter([e for e in every if isinstance(e, Expired)])
    while batch := list(islice(going, BATCH)):
        yield batch


def _remove(batch: Sequence[Expired], *, tables: Tables, store: Store, unlist: Unlist | None) -> None:
    whole = [e for e in batch if e.whole]
    touched = {_day(e) for e in whole}
    if touched:
        rebuild_days(tables, store, touched=touched)
    if unlist is not None and whole:
        unlist([(e.rows[0]["collection"], e.product_id) for e in whole])
    for expired in batch:
        for path in expired.files:
            store.delete(path)
        if expired.whole:
            _forget_folder(expired, store)
    versions = sorted({f"{r['product_id']} {r['product_key']}" for e in batch for r in e.rows})
    last = max(r["made"].astimezone(UTC) for e in batch for r in e.rows)
    # A version that was recorded later is another one, although its key is the same.
    tables.delete("products", F.concat_ws(" ", "product_id", "product_key").isin(versions) & (F.col("made") <= F.lit(last)))


def _day(expired: Expired) -> tuple[str, date]:
    row = expired.rows[-1]
    return row["collection"], row["acquired"].astimezone(UTC).date()


def _forget_folder(expired: Expired, store: Store) -> None:
    """Remove the product's folder on a file system, unless there is a file in it that is not ours."""
    if isinstance(store, LocalStore):
        folder = store.folder / expired.rows[-1]["item"].rpartition("/")[0]
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _tombstones(expired: Expired, versions: Sequence[Json], *, run_id: str, now: datetime) -> list[TableRow]:
    """A row for each of some versions; files and bytes are those of the product, told once."""
    rows = []
    for number, row in enumerate(versions):
        named = {n: row[n] for n in _COPIED}
        counts = (len(expired.files), expired.bytes) if number == 0 else (0, 0)
        moments = {n: named[n].astimezone(UTC) for n in ("acquired", "made")}
        rows.append(
            row_of(
                TOMBSTONES, **{**named, **moments}, files=counts[0], bytes=counts[1], rule=expired.rule, removed=now,
                removed_by=run_id,
            )
        )  # fmt: skip
    return rows
