"""The one table of metrics: their names in CloudWatch and in Prometheus, unit, meaning, and what they are of a beat."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from swath.metrics.beat import Beat

Unit = Literal["Count", "Seconds", "None"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a run.

    Args:
        name: Name in CloudWatch.
        series: Name in Prometheus.
        unit: CloudWatch's word.
        meaning: Human-readable meaning.
        value: Function that reads the value from a beat; None where the beat lacks it.
    """

    name: str
    series: str
    unit: Unit
    meaning: str
    value: Callable[[Beat], float | None]


def _share(beat: Beat) -> float:
    return beat.quarantined / beat.scenes_in if beat.scenes_in else 0.0


def _at_end(value: Callable[[Beat], float | None]) -> Callable[[Beat], float | None]:
    return lambda beat: value(beat) if beat.event == "end" else None


#: Dimensions are site and pipeline: so many series for each pair, and no more. Run ids and scenes are no dimensions.
METRICS = (
    Metric("ScenesIn", "swath_scenes_in", "Count", "Scenes that are accounted for", lambda b: b.scenes_in),
    Metric("ScenesMade", "swath_scenes_made", "Count", "Scenes whose product was made", lambda b: b.made),
    Metric("ScenesSkipped", "swath_scenes_skipped", "Count", "Scenes whose product was there", lambda b: b.skipped),
    Metric("ScenesQuarantined", "swath_scenes_quarantined", "Count", "Scenes in quarantine", lambda b: b.quarantined),
    Metric("QuarantinedShare", "swath_quarantined_share", "None", "Share of quarantined scenes, at a run's end", _at_end(_share)),
    Metric(
        "AccountRemainder", "swath_account_remainder", "Count", "Scenes that nothing accounts for, at a run's end",
        _at_end(lambda b: abs(b.scenes_in - b.made - b.skipped - b.quarantined)),
    ),
    Metric("WavesDone", "swath_waves_done", "Count", "Committed waves", lambda b: b.waves),
    Metric("WallSeconds", "swath_wall_seconds", "Seconds", "Since the run's start", lambda b: b.seconds),
    Metric("CpuSeconds", "swath_cpu_seconds", "Seconds", "CPU time of all stages", lambda b: b.cpu_s),
    Metric("CommitSeconds", "swath_commit_seconds", "Seconds", "Time that commits took", lambda b: b.commit_s),
    Metric("OutboxWaiting", "swath_outbox_waiting", "Count", "Entries that wait for the served catalogue", lambda b: b.outbox),
    Metric("ReceiptAge", "swath_receipt_age_seconds", "Seconds", "Since a run was last forwarded", lambda b: b.receipt_age_s),
    Metric("RunCost", "swath_run_cost", "None", "Cost of a run, at its end", lambda b: b.cost),
    Metric("ModelPsi", "swath_model_psi", "None", "PSI of the worst feature, at a run's end", lambda b: b.model_psi),
    Metric(
        "ModelOutside", "swath_model_outside_share", "None", "Largest share beyond the training data, at a run's end",
        lambda b: b.model_outside,
    ),
    Metric(
        "ModelConfidence", "swath_model_confidence", "None", "Least mean confidence of a model, at a run's end",
        lambda b: b.model_confidence,
    ),
    Metric("RunOpen", "swath_run_open", "Count", "1 while a run is at work", lambda b: float(b.event != "end")),
    Metric("RunsEnded", "swath_runs_ended", "Count", "1 when a run came to a good end", _at_end(lambda b: float(not b.error))),
)  # fmt: skip
#: Times, which Prometheus compares with its clock: series, meaning, and which beats set them.
LAST_BEAT = "swath_last_beat_timestamp_seconds"
LAST_END = "swath_last_end_timestamp_seconds"


def values_of(beat: Beat) -> dict[str, float]:
    """What a beat tells, by CloudWatch's names."""
    told = {metric.name: metric.value(beat) for metric in METRICS}
    return {name: float(value) for name, value in told.items() if value is not None}
