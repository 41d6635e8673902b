"""A request for composites, performed in a session: the run, its log and its report."""

from dataclasses import replace

from pyspark.sql import SparkSession

from swath.composites.request import CompositeRequest
from swath.composites.run import CompositeRun
from swath.composites.summary import summary_of
from swath.lineage.emit import lineage_of
from swath.lineage.job import LineageJob
from swath.report.summary import RunSummary
from swath.runs.origin import RunOrigin
from swath.runs.recorded import recorded
from swath.runs.report_files import write_report
from swath.runs.told import Told
from swath.runs.touched import touched_by
from swath.spark.executor_logs import logs_kept
from swath.stores.registry import open_store


def perform(spark: SparkSession, request: CompositeRequest, *, told: Told) -> RunSummary:
    """Make what a request asks for; leave OUT/reports/<run_id>.html, .json and .log.

    Args:
        spark: The session.
        request: Request of the run.
        told: Hears of the progress.

    Raises:
        SwathError: See ``CompositeRun.execute``.
    """
    with (
        recorded(request.run_id, output=request.output, told=told) as log,
        lineage_of(_job(spark, request), say=log.say) as lineage,
    ):
        log.say(f"run {request.run_id}: {request.recipe.title} into {request.output}")
        request = replace(request, origin=RunOrigin.of(spark.conf.get))
        with logs_kept(spark, open_store(request.output), run_id=request.run_id, say=log.say):
            outcome = CompositeRun(spark, request, progress=log.stage, say=log.say).execute(began=lineage.begin)
        summary = write_report(summary_of(outcome))
        lineage.touched(touched_by(summary))
        return summary


def _job(spark: SparkSession, request: CompositeRequest) -> LineageJob:
    return LineageJob(
        kind="composite", name=request.recipe.name, run_id=request.run_id, output=request.output, site=request.site,
        engine=("Spark", spark.version),
    )  # fmt: skip
