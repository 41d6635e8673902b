"""From the output to the served catalogue, by way of the outbox: a catalogue that is down delays, and nothing is lost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Protocol

from swath.errors import CatalogueError, ConfigError
from swath.sinks.served.items import checksum, served_item
from swath.sinks.served.outbox import Outbox, OutboxEntry
from swath.sinks.served.target import CatalogueTarget
from swath.stores.base import Store
from swath.stores.local import LocalStore

Json = dict[str, Any]
#: Items of one upsert.
BATCH = 1000
_READERS = 8
#: Parts of an item's path: products/<collection>/<yyyy>/<mm>/<dd>/<product_id>/<product_id>.json
_DEPTH = 7
#: After so many refusals in a row the rest of a batch waits too: it is hardly the items' fault.
_PATIENCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """What became of the outbox.

    Args:
        items: Items that the catalogue now has.
        pending: Entries that wait.
        gone: Entries whose item was removed: there is nothing to deliver.
        problem: Why entries wait; empty when none do.
        unusable: A person must act first: the schema is not the client's.
    """

    items: int = 0
    pending: int = 0
    gone: int = 0
    problem: str = ""
    unusable: bool = False

    def then(self, later: "DeliveryOutcome") -> "DeliveryOutcome":
        """Both; what waits is what waits now."""
        return replace(later, items=self.items + later.items, gone=self.gone + later.gone)

    def __str__(self) -> str:
        """For people."""
        told = [f"{self.items} items delivered"]
        told += [f"{self.gone} no longer exist"] if self.gone else []
        told += [f"{self.pending} wait in the outbox ({self.problem}); later: swath catalog replay"] if self.pending else []
        return f"catalogue: {', '.join(told)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedDifference:
    """Output and served catalogue compared, both ways.

    Args:
        items: Items of the output.
        missing: Not served.
        stale: Served as an earlier version.
        surplus: Served, but no more in the output: collection and id.
    """

    items: int
    missing: tuple[OutboxEntry, ...] = ()
    stale: tuple[OutboxEntry, ...] = ()
    surplus: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        """How many differences there are."""
        return len(self.missing) + len(self.stale) + len(self.surplus)


class CatalogueSession(Protocol):
    """What takes items: pgSTAC, or a fake in tests."""

    def upsert(self, items: Sequence[Json], *, base: str) -> None:
        """Take them; taking one again changes nothing.

        Raises:
            CatalogueError: Not all are in.
        """
        ...

    def known(self, *, base: str) -> Mapping[tuple[str, str], str]:
        """Checksums of the files whose items of one output it has, by collection and id."""
        ...

    def remove(self, names: Sequence[tuple[str, str]]) -> None:
        """Take items out, by collection and id."""
        ...


class ServedCatalogue(Protocol):
    """Where sessions come from."""

    def session(self) -> AbstractContextManager[CatalogueSession]:
        """One.

        Raises:
            CatalogueError: The database does not answer.
            ConfigError: The catalogue has another version.
        """
        ...


class CatalogueDelivery:
    """Delivers one output.

    Args:
        store: The output.
        catalogue: Catalogue that receives the items.
        base: URI that the output's root has for readers of the catalogue; empty means the output's own.
    """

    def __init__(self, store: Store, catalogue: ServedCatalogue, *, base: str = "") -> None:
        self._store = store
        self._catalogue = catalogue
        self._base = base or uri_of(store)
        self._outbox = Outbox(store)

    def note(self, name: str, entries: Iterable[OutboxEntry]) -> None:
        """Record what has to be delivered before the ledger says that it exists."""
        self._outbox.put(name, entries)

    def note_all(self) -> None:
        """Write down every item of the output, for a catalogue that is new."""
        self._outbox.put("everything", _all_items(self._store))

    def compare(self) -> ServedDifference:
        """See whether the catalogue has every item of the output, as it is now, and no other item of it.

        Raises:
            CatalogueError: The database does not answer.
            ConfigError: The catalogue has another version.
        """
        with self._catalogue.session() as session:
            known = dict(session.known(base=self._base))
        count, missing, stale = 0, list[OutboxEntry](), list[OutboxEntry]()
        for entry, data in self._read(_all_items(self._store)):
            count += 1
            served = known.pop((entry.collection, entry.product_id), None)
            if served is None:
                missing.append(entry)
            elif data is not None and served != checksum(data):
                stale.append(entry)
        return ServedDifference(items=count, missing=tuple(missing), stale=tuple(stale), surplus=tuple(sorted(known)))

    def mend(self, found: ServedDifference) -> DeliveryOutcome:
        """Tell what is missing or stale, and take out what is no more.

        Raises:
            CatalogueError: The database does not answer.
            ConfigError: The catalogue has another version, or the output has no items at all and is probably the wrong one.
        """
        if found.surplus and not found.items:
            msg = f"{self._base} has no items, but {len(found.surplus)} are served: is this the output that was meant?"
            raise ConfigError(msg)
        with self._catalogue.session() as session:
            session.remove(found.surplus)
        self._outbox.put("compared", [*found.missing, *found.stale])
        return self.deliver()

    def remove(self, names: Sequence[tuple[str, str]]) -> None:
        """Take items out, by collection and id, before their files go.

        Raises:
            CatalogueError: The database does not answer.
            ConfigError: It is of another version.
        """
        with self._catalogue.session() as session:
            session.remove(names)

    def deliver(self) -> DeliveryOutcome:
        """Tell the catalogue everything that waits. Never raises for the catalogue's sake: what it refuses goes on waiting."""
        paths = self._outbox.pending()
        if not paths:
            return DeliveryOutcome()
        items, gone, problem, unusable = 0, 0, "", False
        try:
            with self._catalogue.session() as session:
                for batch in self._batches(paths):
                    told, lost, trouble = self._batch(batch, session)
                    items, gone, problem = items + told, gone + lost, problem or trouble
        except (CatalogueError, ConfigError) as error:
            problem, unusable = str(error), isinstance(error, ConfigError)
        waiting = {entry for path in self._outbox.pending() for entry in self._outbox.read(path)}
        if not waiting:
            return DeliveryOutcome(items=items, gone=gone)
        return DeliveryOutcome(items=items, gone=gone, pending=len(waiting), problem=problem, unusable=unusable)

    def _batches(self, paths: Iterable[str]) -> Iterator[dict[str, list[OutboxEntry]]]:
        """Whole files, together at least ``BATCH`` entries where there are as many."""
        batch: dict[str, list[OutboxEntry]] = {}
        for path in paths:
            batch[path] = self._outbox.read(path)
            if sum(map(len, batch.values())) >= BATCH:
                yield batch
                batch = {}
        if batch:
            yield batch

    def _batch(self, batch: Mapping[str, Sequence[OutboxEntry]], session: CatalogueSession) -> tuple[int, int, str]:
        """Deliver some files of the outbox: items delivered, items removed, and why others wait."""
        entries = sorted({e for entries in batch.values() for e in entries})
        read = dict(self._read(entries))
        found = {e: served_item(data, path=e.item, base=self._base) for e, data in read.items() if data is not None}
        waiting, problem = self._upsert(found, session)
        for path, noted in batch.items():
            self._outbox.keep(path, [e for e in noted if e in waiting])
        return len(found) - len(waiting), len(entries) - len(found), problem

    def _upsert(self, found: Mapping[OutboxEntry, Json], session: CatalogueSession) -> tuple[frozenset[OutboxEntry], str]:
        """Those that have to wait, and why."""
        if not found:
            return frozenset(), ""
        try:
            session.upsert(list(found.values()), base=self._base)
        except CatalogueError as error:
            if error.down:
                raise
            return self._singly(found, session)
        return frozenset(), ""

    def _singly(self, found: Mapping[OutboxEntry, Json], session: CatalogueSession) -> tuple[frozenset[OutboxEntry], str]:
        """One item that the catalogue cannot take must not keep the others waiting."""
        refused: list[OutboxEntry] = []
        problem, row = "", 0
        for number, (entry, item) in enumerate(found.items()):
            try:
                session.upsert([item], base=self._base)
            except CatalogueError as error:
                if error.down:
                    raise
                refused.append(entry)
                problem, row = f"{entry.product_id}: {error}", row + 1
            else:
                row = 0
            if row == _PATIENCE:
                return frozenset([*refused, *list(found)[number + 1 :]]), problem
        return frozenset(refused), problem

    def _read(self, entries: Iterable[OutboxEntry]) -> Iterator[tuple[OutboxEntry, bytes | None]]:
        """Items as they are now; None for one that is no more. Object stores are asked for some at a time."""
        left = iter(entries)
        with ThreadPoolExecutor(_READERS) as readers:
            while some := list(islice(left, BATCH)):
                yield from zip(some, readers.map(lambda e: self._store.read(e.item), some), strict=True)


def uri_of(store: Store) -> str:
    """The output's own URI, as readers elsewhere may use it."""
    if isinstance(store, LocalStore):
        return store.folder.as_uri()
    return store.root.replace("s3a://", "s3://", 1)


def delivery_to(target: CatalogueTarget, store: Store) -> CatalogueDelivery:
    """Delivery to pgSTAC.

    Raises:
        ConfigError: The connection string cannot be understood.
    """
    # A second of imports, paid only by drivers with a catalogue, never by a worker.
    from swath.sinks.served.pgstac import PgStac  # noqa: PLC0415
    from swath.stores.database import Database  # noqa: PLC0415

    return CatalogueDelivery(store, PgStac(Database(target.dsn)), base=target.base)


def _all_items(store: Store) -> Iterator[OutboxEntry]:
    for path in store.list("products"):
        parts = PurePosixPath(path).parts
        if len(parts) == _DEPTH and parts[-1] == f"{parts[-2]}.json":
            yield OutboxEntry(collection=parts[1], product_id=parts[-2], item=path)
