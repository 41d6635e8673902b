"""A request for composites, performed in a session: the run, its log and its report."""

from pyspark.sql import SparkSession

from swath.composites.request import CompositeRequest
from swath.composites.run import CompositeRun
from swath.composites.summary import summary_of
from swath.report.summary import RunSummary
from swath.runs.recorded import recorded
from swath.runs.report_files import write_report
from swath.runs.told import Told


def perform(spark: SparkSession, request: CompositeRequest, *, told: Told) -> RunSummary:
    """Make what a request asks for; leave OUT/reports/<run_id>.html, .json and .log.

    Args:
        spark: The session.
        request: Request of the run.
        told: Hears of the progress.

    Raises:
        SwathError: See ``CompositeRun.execute``.
    """
    with recorded(request.run_id, output=request.output, told=told) as log:
        log.say(f"run {request.run_id}: {request.recipe.title} into {request.output}")
        outcome = CompositeRun(spark, request, progress=log.stage, say=log.say).execute()
        return write_report(summary_of(outcome))
