"""A request, performed in a session: the run, its log, its metrics, its cost and its report."""

from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from swath.inference.lock import LOCK_FILE
from swath.inference.model_store import shared_models
from swath.lineage.emit import lineage_of
from swath.lineage.job import LineageJob
from swath.report.summary import RunSummary
from swath.report.text import lines
from swath.runs.beats import RunMetrics, numbers_of, stream_of
from swath.runs.drift import numbers_of_drift
from swath.runs.model_items import write_model_items
from swath.runs.origin import RunOrigin
from swath.runs.outcome import RunOutcome
from swath.runs.prices import Spent, site_prices
from swath.runs.recorded import recorded
from swath.runs.report_files import write_report
from swath.runs.request import RunRequest
from swath.runs.run import Run
from swath.runs.summary import FindTruth, summary_of
from swath.runs.told import Told
from swath.runs.touched import touched_by
from swath.spark.executor_logs import ExecutorLogs, logs_kept
from swath.spark.held import core_seconds, executors
from swath.stores.registry import open_store


def perform(spark: SparkSession, request: RunRequest, *, told: Told, truth: FindTruth | None = None) -> RunSummary:
    """Make what a request asks for; leave OUT/reports/<run_id>.html, .json and .log.

    Args:
        spark: The session.
        request: Request of the run.
        told: Hears of the progress.
        truth: Finds known truth of simulated scenes.

    Raises:
        SwathError: See ``Run.execute``.
    """
    with (
        recorded(request.run_id, output=request.output, told=told) as log,
        lineage_of(_lineage_job(spark, request), say=log.say) as lineage,
        stream_of(request, say=log.say) as metrics,
    ):
        models = shared_models(request.models, output=request.output)
        request = replace(request, models=models, origin=RunOrigin.of(spark.conf.get))
        log.say(f"run {request.run_id}: {request.pipeline['title']} into {request.output}")
        _keep_lock(request)
        write_model_items(request.models, store=open_store(request.output))
        prices = site_prices()
        with logs_kept(spark, open_store(request.output), run_id=request.run_id, say=log.say) as logs:
            watcher = _Watchers(RunMetrics(metrics, began=lineage.begin), logs)
            outcome = Run(
                spark, request, progress=log.stage, announce=log.wave, expect=log.expect, say=log.say, watcher=watcher
            ).execute()
        if outcome.delivered is not None:
            log.say(str(outcome.delivered))
        cost = prices.cost(_spent(spark, outcome)) if prices is not None else None
        metrics.note(**numbers_of(outcome), cost=None if cost is None else cost.amount)
        told_of = summary_of(outcome, truth=truth, cost=cost)
        metrics.note(**numbers_of_drift(told_of.drift))
        summary = write_report(told_of)
        for line in lines(summary):
            log.note(line)
        lineage.touched(touched_by(summary))
        return summary


def _lineage_job(spark: SparkSession, request: RunRequest) -> LineageJob:
    return LineageJob(
        kind="process", name=request.pipeline["name"], run_id=request.run_id, output=request.output, site=request.site,
        engine=("Spark", spark.version),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Watchers:
    """What follows a run."""

    metrics: RunMetrics
    logs: ExecutorLogs

    def began(self) -> None:
        """The run holds its output."""
        self.metrics.began()

    def committed(self, outcome: RunOutcome) -> None:
        """A wave was committed."""
        self.metrics.committed(outcome)
        self.logs.look()


def _keep_lock(request: RunRequest) -> None:
    """Leave OUT/reports/<run_id>.models.lock: another run with ``--lock`` uses the same files."""
    if request.models_lock:
        open_store(request.output).write(f"reports/{request.run_id}.{LOCK_FILE}", request.models_lock.encode())


def _spent(spark: SparkSession, outcome: RunOutcome) -> Spent:
    """What this execution of the run used."""
    return Spent(
        core_s=core_seconds(executors(spark), since=outcome.started, until=outcome.ended),
        scenes=outcome.own.scenes.made,
        assets=outcome.own.assets.made,
        waves=sum(s.name == "commit" for s in outcome.stages),
        bytes=outcome.made_bytes,
    )
