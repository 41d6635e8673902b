"""Remove what is no longer needed: stale scratch, files that no item names, old plans and versions of tables; nothing else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from swath.ledger.schemas import TABLES
from swath.ledger.tables import Tables
from swath.retention import KeepRule
from swath.stores.base import Entry, Store
from swath.stores.local import LocalStore
from swath.stores.parts import ListsUploads
from swath.upkeep.ended_runs import ended_runs
from swath.upkeep.reconcile import days, earlier_files, items_of, named_by, paths_of

SCRATCH = ".scratch"
#: Delta refuses to forget sooner: a reader or a writer may still be at work with an older version.
LEAST_TABLE_H = 168.0
#: <product>.<asset or picture>.<12 digits of a digest>.tif|png: names that only swath gives.
_OURS = re.compile(r"\.[A-Za-z0-9_-]+\.[0-9a-f]{12}\.(tif|png)$")
#: .<name>.<32 digits>: a file in the making that was never renamed.
_UNFINISHED = re.compile(r"^\..+\.[0-9a-f]{32}$")
#: .probe-<32 digits>: asked whether the output can be written.
_PROBE = re.compile(r"^\.probe-[0-9a-f]{32}$")
#: Folders beside the products that swath writes small files into.
_BESIDE = ("collections", "outbox", "reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept that nothing names.

    Args:
        scratch_h: Scratch of runs that ended or were killed [hours].
        unnamed_h: Files of products that no item names, and plans of runs that ended [hours].
        table_h: Older versions of Delta tables [hours].
        versions: Rules by collection: of one that keeps versions of products, or everything, their files are named.
    """

    scratch_h: float = 24.0
    unnamed_h: float = 168.0
    table_h: float = LEAST_TABLE_H
    versions: Mapping[str, KeepRule] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Cleaning:
    """What the janitor removed, or would remove.

    Args:
        scratch: Files of scratch.
        unnamed: Files that no item names.
        plans: Runs that ended, by name: what they were planned by.
        uploads: Multipart uploads that will not be completed.
        bytes: Total size [bytes].
        tables: Those that were joined and vacuumed.
    """

    scratch: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    bytes: int = 0
    tables: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def clean(tables: Tables, store: Store, *, retention: Retention, now: datetime | None = None, dry: bool = False) -> Cleaning:
    """Clean an output; to be called under its lock, so that no run is at work.

    Args:
        tables: Tables of the output.
        store: The output.
        retention: Retention periods.
        now: Aware; the clock's time without it.
        dry: Only tell.
    """
    moment = now or datetime.now(UTC)
    done = Cleaning()
    for entry in _stale(store.entries(SCRATCH), moment, kept_h=retention.scratch_h):
        _remove(entry, done.scratch, done, store=store, dry=dry)
    for entry in _stale(unfinished(store), moment, kept_h=retention.scratch_h):
        _remove(entry, done.scratch, done, store=store, dry=dry)
    for entry in _stale(unnamed(tables, store, rules=retention.versions), moment, kept_h=retention.unnamed_h):
        _remove(entry, done.unnamed, done, store=store, dry=dry)
    for run in ended_runs(store):
        if _is_stale(run.ended, moment, kept_h=retention.unnamed_h):
            if not dry:
                run.forget(store)
            done.plans.append(run.run_id)
            done.bytes += run.bytes
    _end_uploads(done, store, before=moment - timedelta(hours=retention.scratch_h), dry=dry)
    if not dry:
        for name in TABLES:
            if tables.exists(name):
                tables.maintain(name, retention_h=retention.table_h)
                done.tables.append(name)
    return done


def _end_uploads(done: Cleaning, store: Store, *, before: datetime, dry: bool) -> None:
    """Abort uploads of our files that a killed run left: they are invisible, and they cost money."""
    if not isinstance(store, ListsUploads):
        return
    for upload in store.unfinished():
        if upload.began < before and (is_ours(upload.path) or upload.path.startswith(f"{SCRATCH}/")):
            if not dry:
                store.upload(upload.path, upload.upload_id).abort()
            done.uploads.append(upload.path)


def unfinished(store: Store) -> Iterator[Entry]:
    """Small files beside the products that were never renamed, because their writer was killed; only a file system has such."""
    if not isinstance(store, LocalStore):
        return
    for folder in _BESIDE:
        yield from (e for e in store.entries(folder) if _UNFINISHED.fullmatch(PurePosixPath(e.path).name))
    for file in sorted(store.folder.iterdir()):
        if file.is_file() and (_UNFINISHED.fullmatch(file.name) or _PROBE.fullmatch(file.name)):
            status = file.stat()
            yield Entry(path=file.name, bytes=status.st_size, modified=datetime.fromtimestamp(status.st_mtime, UTC))


def unnamed(tables: Tables, store: Store, *, rules: Mapping[str, KeepRule] = MappingProxyType({})) -> Iterator[Entry]:
    """Files that swath made and that neither an item nor the latest version in the ledger names, nor an earlier one that is kept.

    Args:
        tables: Tables of the output.
        store: The output.
        rules: Rules by collection. What is past a rule has left the ledger by now.
    """
    kept = sorted(name for name, rule in rules.items() if rule.days is None)
    earlier = earlier_files(tables, collections=kept) if kept else frozenset()
    for _, rows, files in days(tables, store):
        named = {p for path, item in items_of(files, store=store).items() for p in named_by(item, path=path)}
        # A product whose item was lost can still be mended: its files stay.
        named |= {p for row in rows.values() for p in paths_of(row)} | earlier
        yield from (e for path, e in files.items() if path not in named and is_ours(path))


def is_ours(path: str) -> bool:
    """Whether a path below the products folder is a file that swath names so."""
    folder, _, name = path.rpartition("/")
    product = folder.rpartition("/")[2]
    if name.startswith(f"{product}."):
        return _OURS.fullmatch(name.removeprefix(product)) is not None
    return name.startswith(f".{product}.") and _UNFINISHED.fullmatch(name) is not None


def _stale(entries: Iterator[Entry], now: datetime, *, kept_h: float) -> Iterator[Entry]:
    return (e for e in entries if _is_stale(e.modified, now, kept_h=kept_h))


def _is_stale(moment: datetime, now: datetime, *, kept_h: float) -> bool:
    """Older than it may become, or from as far in the future by a clock that was wrong, which would otherwise stay for years."""
    kept = timedelta(hours=kept_h)
    return moment < now - kept or moment > now + kept


def _remove(entry: Entry, noted: list[str], done: Cleaning, *, store: Store, dry: bool) -> None:
    if not dry:
        store.delete(entry.path)
    noted.append(entry.path)
    done.bytes += entry.bytes
