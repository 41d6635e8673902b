"""Which versions of products are past their retention, and which files go with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from swath.ledger.removed import TABLE, VERSION, Version, version_of
from swath.ledger.schemas import PRODUCTS, TOMBSTONES
from swath.ledger.tables import Tables
from swath.retention import KeepRule
from swath.stores.base import Store
from swath.upkeep.reconcile import item_at, keys_of, named_by, paths_of

Json = Mapping[str, Any]
COLUMNS = (
    "product_id", "product_key", "scene_id", "scene_digest", "pipeline", "collection", "item", "acquired", "run_id", "made",
    "assets", "pictures",
)  # fmt: skip
#: Why a version goes on being removed that an earlier execution began with.
BEGUN = "begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Versions of one product that go.

    Args:
        rows: Their rows in the ledger, oldest first.
        fresh: Those of them that have no tombstone yet.
        whole: Nothing of the product stays: its item goes too.
        files: Paths of the files that go, in the order in which they go; the item first.
        bytes: Size of the assets among them [bytes].
        rule: Why.
    """

    rows: tuple[Json, ...]
    fresh: tuple[Json, ...]
    whole: bool
    files: tuple[str, ...]
    bytes: int
    rule: str

    @property
    def product_id(self) -> str:
        """The product."""
        return str(self.rows[0]["product_id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A product that is past its retention and stays.

    Args:
        product_id: The product.
        reason: Why it stays.
    """

    product_id: str
    reason: str


class Expiry:
    """What is past its retention now.

    Args:
        tables: Tables of the output.
        store: The output.
        rules: Rules by collection.
        held: Ids of products and scenes, and collections, that are under a hold.
        now: Aware.
    """

    def __init__(
        self, tables: Tables, store: Store, *, rules: Mapping[str, KeepRule], held: frozenset[str], now: datetime
    ) -> None:
        self._tables, self._store, self._rules, self._held, self._now = tables, store, rules, held, now

    def found(self) -> Iterator[Expired | Kept]:
        """Products in the order of their items, those that an earlier execution began with among them."""
        begun = self._begun()
        collections = sorted({name for name, rule in self._rules.items() if str(rule) != "never"})
        for rows in _products(self._tables, collections=collections, ids=sorted({v[0] for v in begun})):
            told = self._of(rows, begun=begun)
            if told is not None:
                yield told

    def _begun(self) -> set[Version]:
        """Versions with a tombstone whose row is still there."""
        if not self._tables.exists(TABLE):
            return set()
        gone = _some(self._tables, TABLE, TOMBSTONES, columns=VERSION)
        return {version_of(row) for row in gone} & {
            version_of(row) for row in _some(self._tables, "products", PRODUCTS, columns=VERSION)
        }

    def _of(self, rows: Sequence[Json], *, begun: set[Version]) -> Expired | Kept | None:
        """What becomes of one product.

        Args:
            rows: Its versions, oldest first.
            begun: Versions with a tombstone.
        """
        going = [r for r in rows if version_of(r) in begun]
        standing = [r for r in rows if version_of(r) not in begun]
        rule = self._rules.get(rows[-1]["collection"], KeepRule())
        fresh = _past(standing, rule, now=self._now)
        if not going and not fresh:
            return None
        names = self._held & {rows[0]["product_id"], rows[0]["scene_id"], rows[0]["collection"]}
        if fresh and names:
            if not going:
                return Kept(product_id=rows[0]["product_id"], reason=f"hold on {', '.join(sorted(names))}")
            fresh = []
        stays = standing[len(fresh) :]
        item = rows[-1]["item"]
        there = item_at(item, store=self._store)
        newest = rows[-1] if not stays else stays[-1]
        if there is not None and keys_of(there) != {a["key"] for a in newest["assets"]}:
            return Kept(product_id=rows[0]["product_id"], reason="its item is not what the ledger says: swath reconcile --fix")
        named = {p for row in stays for p in paths_of(row)} | (named_by(there, path=item) if stays and there else set())
        files = _in_order([*going, *fresh], item=None if stays else item, named=named)
        sizes = {path: size for row in (*going, *fresh) for path, size in _sizes(row) if path in set(files)}
        return Expired(
            rows=(*going, *fresh), fresh=tuple(fresh), whole=not stays, files=files, bytes=sum(sizes.values()),
            rule=str(rule) if fresh else BEGUN,
        )  # fmt: skip


def _past(rows: Sequence[Json], rule: KeepRule, *, now: datetime) -> list[Json]:
    """Versions past a rule, oldest first."""
    if rule.days is not None:
        late = bool(rows) and rows[-1]["made"].astimezone(UTC) < now - timedelta(days=rule.days)
        return list(rows) if late else []
    return list(rows[: -rule.versions]) if rule.versions is not None else []


def _in_order(rows: Iterable[Json], *, item: str | None, named: set[str]) -> tuple[str, ...]:
    """The item first of all, so that nobody finds half a product; then pictures; then assets, the last one first."""
    order: dict[str, None] = {} if item is None else {item: None}
    going = list(rows)
    for row in going:
        order |= dict.fromkeys(sorted(row["pictures"].values()))
    for row in reversed(going):
        order |= dict.fromkeys(path for path, _ in reversed(_sizes(row)))
    return tuple(path for path in order if path not in named)


def _sizes(row: Json) -> list[tuple[str, int]]:
    folder = row["item"].rpartition("/")[0]
    return [(f"{folder}/{asset['href']}", int(asset["bytes"])) for asset in row["assets"]]


def _products(tables: Tables, *, collections: Sequence[str], ids: Sequence[str]) -> Iterator[list[Json]]:
    """Versions of each product of some collections, and of some others, oldest first."""
    asked = [{"collection": collections}] if collections else []
    asked += [{"product_id": list(ids)}] if ids else []
    seen: set[str] = set()
    for where in asked:
        few: Any = tables.small("products", PRODUCTS, columns=COLUMNS, where=where)
        if few is None:
            few = tables.read("products", PRODUCTS, columns=COLUMNS, where=where).orderBy("item", "made").toLocalIterator()
        else:
            few = sorted(few, key=lambda r: (r["item"], r["made"]))
        for _, rows in groupby(few, key=lambda r: r["item"]):
            found = list(rows)
            if found[0]["product_id"] not in seen:
                yield found
            if len(asked) > 1:
                seen.add(found[0]["product_id"])


def _some(tables: Tables, name: str, schema: Any, *, columns: Sequence[str]) -> Iterable[Any]:
    few = tables.small(name, schema, columns=columns)
    return few if few is not None else tables.read(name, schema, columns=columns).toLocalIterator()
