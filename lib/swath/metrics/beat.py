"""One line of a run's stream: its state at one moment."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from swath.errors import ConfigError

Event = Literal["start", "wave", "alive", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The state of a run. Numbers are those of this execution; a run that is started again begins anew.

    Args:
        event: Why there is a line: the run began, committed a wave, is still alive, or ended.
        at: Aware.
        run_id: Id of the run.
        site: Site of the run.
        pipeline: Pipeline of the run.
        scenes_in: Scenes that are accounted for.
        made: New ones.
        skipped: Those that were there.
        quarantined: Those that could not be made.
        waves: Committed waves.
        seconds: Since the start [s].
        cpu_s: CPU time of all stages [s].
        commit_s: Seconds that commits took [s].
        outbox: Entries that the served catalogue has not taken yet.
        receipt_age_s: Since ``swath forward`` last sent a run of this output [s]; None where it never did.
        cost: Cost of the run, in the site's currency; None before the end and without prices.
        model_psi: Largest population stability index of a feature of the run's models; None before the end and without any.
        model_outside: Largest share of a feature's pixels beyond the training data [1]; None as above.
        model_confidence: Least mean confidence of the run's models [1]; None as above.
        error: Class of the error that ended the run; empty for a good end.
    """

    event: Event
    at: datetime
    run_id: str
    site: str
    pipeline: str
    scenes_in: int = 0
    made: int = 0
    skipped: int = 0
    quarantined: int = 0
    waves: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    commit_s: float = 0.0
    outbox: int = 0
    receipt_age_s: float | None = None
    cost: float | None = None
    model_psi: float | None = None
    model_outside: float | None = None
    model_confidence: float | None = None
    error: str = ""

    def to_json(self) -> str:
        """One line."""
        plain = asdict(self) | {"at": self.at.isoformat()}
        return json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in plain.items()}, ensure_ascii=False)


def beat_of(line: str) -> Beat:
    """The inverse of ``Beat.to_json``.

    Raises:
        ConfigError: The line is cut short, or no beat.
    """
    try:
        plain: dict[str, Any] = json.loads(line)
        beat = Beat(**plain | {"at": datetime.fromisoformat(plain["at"])})
    except (ValueError, TypeError, KeyError) as error:
        msg = f"a line of the metrics is not a beat: {error!r}"
        raise ConfigError(msg) from error
    if beat.at.tzinfo is None:
        msg = f"a line of the metrics has the time {beat.at} without a zone"
        raise ConfigError(msg)
    return beat


def metrics_path(run_id: str) -> str:
    """Where the stream of a run is, below the output."""
    return f"reports/{run_id}.metrics.jsonl"


def beats_of(data: bytes) -> tuple[Beat, ...]:
    """The beats of a stream, in order, at least one.

    Raises:
        ConfigError: A line of the stream is not a beat, or the stream is empty.
    """
    beats = tuple(beat_of(line) for line in data.decode(errors="replace").splitlines() if line.strip())
    if not beats:
        msg = "the metrics have no beat"
        raise ConfigError(msg)
    return beats
