"""What runs keep to be continued by, and no longer need once they ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from swath.runs.ingest import NOT_SCENES, run_path
from swath.stores.base import Store

_FOLDER = "runs"
#: What of it is a file; the rest are folders.
_FILES = frozenset({"retry.txt", NOT_SCENES})
#: Answers of searches stay: they hold scenes.
_NEEDLESS = frozenset({"ingested", "plan"}) | _FILES


@dataclass(slots=True)
class EndedRun:
    """A run whose result is there.

    Args:
        run_id: Name.
        ended: Time of the run's result.
        bytes: Size of what the run no longer needs [bytes].
        whole: Nothing else is in its folder.
        parts: Parts that the run no longer needs, by name in its folder.
    """

    run_id: str
    ended: datetime
    bytes: int = 0
    whole: bool = True
    parts: set[str] = field(default_factory=set)

    def forget(self, store: Store) -> None:
        """Remove what it needs no longer."""
        # Without this mark nothing reads the plan, whatever is left of it if this process ends now.
        store.delete(run_path(self.run_id, "plan/_SUCCESS"))
        if self.whole:
            store.delete_tree(f"{_FOLDER}/{self.run_id}")
            return
        for part in sorted(self.parts):
            remove = store.delete if part in _FILES else store.delete_tree
            remove(run_path(self.run_id, part))


def ended_runs(store: Store) -> list[EndedRun]:
    """Runs that ended and still keep a plan, in order; a run without a result may be continued and is none of them."""
    ended = _results(store)
    found: dict[str, EndedRun] = {}
    for entry in store.entries(_FOLDER):
        # A file that is in no run's folder is not ours.
        run_id, _, below = entry.path.removeprefix(f"{_FOLDER}/").partition("/")
        part = below.split("/")[0]
        if not part or run_id not in ended:
            continue
        run = found.setdefault(run_id, EndedRun(run_id, ended[run_id]))
        if part in _NEEDLESS:
            run.parts.add(part)
            run.bytes += entry.bytes
        else:
            run.whole = False
    return [run for run in found.values() if run.parts]


def _results(store: Store) -> Mapping[str, datetime]:
    """When each run that has a result ended."""
    found = ((e.path.removeprefix("reports/"), e.modified) for e in store.entries("reports"))
    return {name.removesuffix(".json"): moment for name, moment in found if name.endswith(".json")}
