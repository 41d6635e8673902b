"""What runs leave beside products, and how long it is kept: reports, logs, metrics, receipts of ``swath forward``, quarantine."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pyspark.sql import functions as F

from swath.ledger.schemas import QUARANTINE
from swath.ledger.tables import Tables
from swath.retention import KeepRules
from swath.stores.base import Entry, Store

_REPORTS = "reports"
#: Folders of what ``swath forward`` notes.
_RECEIPTS = ("forwarded", "set-aside")
_RESULT, _METRICS = ".json", ".metrics.jsonl"
_OF_A_RUN = (_METRICS, ".models.lock", _RESULT, ".html", ".spec", ".log")


@dataclass(slots=True, kw_only=True)
class Leavings:
    """What went, or would go.

    Args:
        files: Paths, by kind.
        bytes: Their size [bytes].
        quarantine: How many rows of the quarantine.
        kept: Reports that are old and stay, since nothing says that they were forwarded.
    """

    files: dict[str, list[str]] = field(default_factory=dict)
    bytes: int = 0
    quarantine: int = 0
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Files below the reports' folder.

    Args:
        runs: Files of each run.
        receipts: What was noted of each run that was sent, or set aside.
    """

    runs: dict[str, list[Entry]]
    receipts: dict[str, list[Entry]]


def remove_leavings(
    tables: Tables, store: Store, *, rules: KeepRules, forwarded: bool, now: datetime | None = None, dry: bool = False
) -> Leavings:
    """Remove what is past its days; to be called under the output's lock.

    A run's result goes last, so that an interrupted removal finds the rest of it again; and only when no plan is left, which is
    removed by it. A receipt stays as long as its result, which would otherwise be sent once more.

    Args:
        tables: Tables of the output.
        store: The output.
        rules: Days by kind.
        forwarded: Results leave the site: one without a receipt stays.
        now: Aware; the clock's time without it.
        dry: Only tell.
    """
    moment, done = now or datetime.now(UTC), Leavings()
    found = _found(store)
    planned = {path.split("/")[1] for path in store.list("runs") if "/plan/" in path}
    for run_id, entries in found.runs.items():
        going = {kind: list(_going(entries, kind, rules=rules, now=moment)) for kind in ("logs", "metrics", "reports")}
        sent = any("/forwarded/" in e.path for e in found.receipts.get(run_id, ()))
        if going["reports"] and forwarded and not sent:
            done.kept.append(run_id)
            going["reports"] = []
        if run_id in planned:
            going["reports"] = []
        for kind, some in going.items():
            _remove(some, kind, done, store=store, dry=dry)
    _receipts(found, done, store=store, kept=rules.kept("receipts"), now=moment, dry=dry)
    days = rules.kept("quarantine")
    if days is not None:
        done.quarantine = _refused(tables, before=moment - days, dry=dry)
    return done


def _found(store: Store) -> _Found:
    found = _Found(runs={}, receipts={})
    for entry in store.entries(_REPORTS):
        first, _, below = entry.path.removeprefix(f"{_REPORTS}/").partition("/")
        if first in _RECEIPTS:
            if below.startswith("closed/"):
                continue  # a mark that a month needs no look any more: a dozen a year
            name = below.rpartition("/")[2].removesuffix(_RESULT)
            # the death of a run has the moment of its beginning in its name
            found.receipts.setdefault(name.partition(".")[0] if "/dead/" in entry.path else name, []).append(entry)
        elif below:
            found.runs.setdefault(first, []).append(entry)
        else:
            ending = next((e for e in _OF_A_RUN if first.endswith(e)), None)
            if ending is not None:
                found.runs.setdefault(first.removesuffix(ending), []).append(entry)
    return found


def _kind(entry: Entry) -> str:
    if entry.path.endswith(_METRICS):
        return "metrics"
    return "logs" if entry.path.endswith((".log", ".log.gz")) else "reports"


def _going(entries: list[Entry], kind: str, *, rules: KeepRules, now: datetime) -> Iterator[Entry]:
    """Files of one run that are past their days, its result last. Those of a report go together, by the age of its result."""
    kept = rules.kept(kind)
    own = [e for e in entries if _kind(e) == kind]
    if kept is None or not own:
        return
    if kind != "reports":
        yield from (e for e in own if e.modified < now - kept)
        return
    results = [e for e in own if e.path.endswith(_RESULT) and e.path.count("/") == 1]
    if results and results[0].modified < now - kept:
        yield from (*(e for e in own if e not in results), *results)


def _receipts(found: _Found, done: Leavings, *, store: Store, kept: timedelta | None, now: datetime, dry: bool) -> None:
    if kept is None:
        return
    gone = {path for paths in done.files.values() for path in paths}
    for run_id, entries in found.receipts.items():
        there = [e for e in found.runs.get(run_id, ()) if e.path not in gone]
        if not any(e.path.endswith((_RESULT, _METRICS)) for e in there):
            _remove([e for e in entries if e.modified < now - kept], "receipts", done, store=store, dry=dry)


def _remove(entries: list[Entry], kind: str, done: Leavings, *, store: Store, dry: bool) -> None:
    for entry in entries:
        if not dry:
            store.delete(entry.path)
        done.files.setdefault(kind, []).append(entry.path)
        done.bytes += entry.bytes


def _refused(tables: Tables, *, before: datetime, dry: bool) -> int:
    """Rows of the quarantine that are older."""
    if not tables.exists("quarantine"):
        return 0
    few = tables.small("quarantine", QUARANTINE, columns=["at"])
    old = F.col("at") < F.lit(before)
    number = sum(r["at"] < before for r in few) if few is not None else tables.read("quarantine", QUARANTINE).filter(old).count()
    if number and not dry:
        tables.delete("quarantine", old)
    return number
