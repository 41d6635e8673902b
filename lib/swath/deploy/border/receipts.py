"""Receipts of what was sent, by the month in which a result was written, so that old ones are not looked at again each time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from swath.deploy.border.place import BorderPlace

REPORTS = "reports"
RECEIPTS = f"{REPORTS}/forwarded"
#: Marks of months in which nothing waits any more, with the number of results that they had: more are looked at again.
CLOSED = f"{RECEIPTS}/closed"
_RESULT = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run without a receipt.

    Args:
        run_id: Id of the run.
        month: When its result was written: ``2026-11``.
    """

    run_id: str
    month: str


class Receipts:
    """What was sent of the runs of one output.

    Args:
        place: The output.
        listed: When each file of its reports was written, by name; asked for without it.
    """

    def __init__(self, place: BorderPlace, *, listed: Mapping[str, datetime] | None = None) -> None:
        self._place = place
        times = place.times(REPORTS) if listed is None else listed
        self._months: dict[str, list[str]] = {}
        for name in sorted(times):
            if name.endswith(_RESULT):
                self._months.setdefault(month_of(times[name]), []).append(name.removesuffix(_RESULT))

    def waiting(self) -> Iterator[Waiting]:
        """Runs without a receipt, in the order of their names."""
        closed = {_stem(name) for name in self._place.names(CLOSED)}
        # receipts of earlier versions are all in one folder
        known = {_stem(name) for name in self._place.names(RECEIPTS)}
        found: list[Waiting] = []
        for month, runs in self._months.items():
            if f"{month}.{len(runs)}" in closed:
                continue
            sent = {_stem(name) for name in self._place.names(f"{RECEIPTS}/{month}")}
            found += [Waiting(run_id=run_id, month=month) for run_id in runs if run_id not in known | sent]
        yield from sorted(found, key=lambda run: run.run_id)

    def close(self, *, now: datetime) -> None:
        """Mark months that ended and in which nothing waits.

        Args:
            now: Aware. A month ends a day late: a result may be written while we look.
        """
        open_months = {run.month for run in self.waiting()}
        for month, runs in self._months.items():
            if month < month_of(now) and now.day > 1 and month not in open_months:
                self._place.put_new(f"{CLOSED}/{month}.{len(runs)}{_RESULT}", b"{}")

    def newest(self, *, now: datetime) -> datetime | None:
        """When the last receipt was left, of this month or the one before, or by an earlier version; None without one.

        Args:
            now: Aware.
        """
        months = sorted({*self._months, month_of(now)})[-2:]
        folders = [RECEIPTS, *(f"{RECEIPTS}/{month}" for month in months)]
        return max((at for folder in folders for at in self._place.times(folder).values()), default=None)


def month_of(moment: datetime) -> str:
    """Year and month of a moment, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def receipt_path(run: Waiting) -> str:
    """Where the receipt of a run is."""
    return f"{RECEIPTS}/{run.month}/{run.run_id}{_RESULT}"


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(_RESULT)
