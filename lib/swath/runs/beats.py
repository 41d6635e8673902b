"""The stream of a run's metrics: its receivers, from the environment to the run's own numbers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from swath.metrics.beat import Beat
from swath.metrics.settings import Destinations
from swath.metrics.stream import Stream, newest_receipt_age_s
from swath.runs.request import RunRequest
from swath.settings import Settings
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from swath.runs.outcome import RunOutcome


def stream_of(request: RunRequest, *, say: Callable[[str], None]) -> Stream:
    """The stream of a run, not begun.

    Raises:
        ConfigError: The environment's ``SWATH_METRICS`` is none.
    """
    destinations = Destinations.of(Settings.of().metrics)
    store, now = open_store(request.output), datetime.now(UTC)
    first = Beat(
        event="start",
        at=now,
        run_id=request.run_id,
        site=request.site,
        pipeline=request.pipeline["name"],
        receipt_age_s=newest_receipt_age_s(store, now=now),
    )
    return Stream(store, first, listeners=destinations.listeners(request.run_id, say=say), say=say)


class RunMetrics:
    """Tells a stream the state of a run.

    Args:
        stream: The run's.
        began: Called when the run holds its output.
    """

    def __init__(self, stream: Stream, *, began: Callable[[], None] | None = None) -> None:
        self._stream, self._began = stream, began

    def began(self) -> None:
        """The run holds its output."""
        self._stream.begin()
        if self._began is not None:
            self._began()

    def committed(self, outcome: "RunOutcome") -> None:
        """A wave was committed."""
        self._stream.wave(**numbers_of(outcome))


def numbers_of(outcome: "RunOutcome") -> dict[str, Any]:
    """The state of a run, by the fields of a beat."""
    scenes = outcome.account.scenes
    commits = [stage for stage in outcome.stages if stage.name == "commit"]
    return {
        "scenes_in": scenes.taken_in,
        "made": scenes.made,
        "skipped": scenes.skipped,
        "quarantined": scenes.quarantined,
        "waves": len(commits),
        "cpu_s": sum(stage.cpu_s for stage in outcome.stages),
        "commit_s": sum(stage.wall_s for stage in commits),
        "outbox": outcome.delivered.pending if outcome.delivered is not None else 0,
    }
