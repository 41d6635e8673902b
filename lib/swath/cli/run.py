"""``swath run``: also the contract of jobs/process.py."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from swath.cli.locked import keep_lock
from swath.cli.prices import site_prices
from swath.cli.progress import Told, telling
from swath.cli.run_log import RunLog
from swath.cli.run_metrics import RunMetrics, numbers_of, stream_of
from swath.cli.run_options import run_options
from swath.cli.run_request import RunOptions, request_of
from swath.errors import BrokenInstallationError, InfrastructureError, ServiceError, StoppedError, SwathError
from swath.inference.model_store import shared_models
from swath.metrics.stream import Stream
from swath.report.html import render
from swath.report.summary import RunSummary
from swath.report.text import lines
from swath.runs.request import RunRequest
from swath.runs.results import listed
from swath.spark.failure import failure_of
from swath.stores.base import Store
from swath.stores.patience import heard_by
from swath.stores.registry import open_store
from swath.stores.spark_words import told_by_spark

if TYPE_CHECKING:
    from swath.runs.summary import FindTruth
    from swath.spark.start.session import SparkSession

EXIT_QUARANTINED = 3


def execute(
    options: RunOptions, *, told: Told, truth: "FindTruth | None" = None, spark: "SparkSession | None" = None
) -> RunSummary:
    """Run, and leave OUT/reports/<run_id>.html, .json and .log.

    Args:
        options: What to run.
        told: Hears of the progress.
        truth: Finds known truth of simulated scenes.
        spark: A session to use; one of its own otherwise.

    Raises:
        SwathError: See ``Run.execute``.
    """
    request = request_of(options)
    # Spark costs a second of imports: arguments are checked first.
    from swath.spark.start.session import build_session, stop_session  # noqa: PLC0415

    session = spark or build_session(app=f"swath {request.pipeline['name']}", master=options.master, output=request.output)
    try:
        return execute_request(session, request, told=told, truth=truth)
    finally:
        if spark is None:
            stop_session(session)


def execute_request(spark: "SparkSession", request: RunRequest, *, told: Told, truth: "FindTruth | None" = None) -> RunSummary:
    """Do a request, and leave its report and its log.

    Raises:
        SwathError: See ``Run.execute``.
    """
    log = RunLog(told)
    metrics = stream_of(request, say=log.say)
    try:
        with heard_by(log.say), continued_as(request.run_id), metrics:
            return _executed(spark, request, log=log, metrics=metrics, truth=truth)
    except SwathError as error:
        # Now: the session is stopped next, which takes a while, and takes with it what Spark could say.
        log.say(f"swath: {error}")
        error.told = True
        if error.__cause__ is not None:
            log.note("".join(traceback.format_exception(error.__cause__)).rstrip())
        raise
    finally:
        log.keep(open_store(request.output), run_id=request.run_id)


@contextmanager
def continued_as(run_id: str) -> Iterator[None]:
    """Say how to continue after a service was away; Spark errors with the same cause are reported the same way.

    Raises:
        ServiceError: A store or a database was away for too long.
        StoreRefusedError: A store refuses what Spark itself reads or writes.
    """
    try:
        yield
    except KeyboardInterrupt:
        msg = f"interrupted; what is finished stays: start the same command again with --run-id {run_id}"
        raise StoppedError(msg) from None
    except Exception as error:
        found = error if isinstance(error, SwathError) else (told_by_spark(str(error)) or failure_of(error))
        if isinstance(found, ServiceError | InfrastructureError):
            msg = f"{found}. Nothing is lost: start the same command again with --run-id {run_id}"
            raise type(found)(msg) from error
        if isinstance(found, BrokenInstallationError):
            msg = f"{found}. What is finished stays: start the same command again with --run-id {run_id}"
            raise BrokenInstallationError(msg) from None
        if found is error:
            raise
        raise found from error


def _executed(
    spark: "SparkSession", request: RunRequest, *, log: RunLog, metrics: Stream, truth: "FindTruth | None"
) -> RunSummary:
    from swath.runs.run import Run  # noqa: PLC0415  a second of imports
    from swath.runs.summary import summary_of  # noqa: PLC0415
    from swath.spark.held import core_seconds, executors  # noqa: PLC0415

    request = replace(request, models=shared_models(request.models, output=request.output))
    log.say(f"run {request.run_id}: {request.pipeline['title']} into {request.output}")
    keep_lock(request)
    prices = site_prices()
    watcher = RunMetrics(metrics)
    outcome = Run(spark, request, progress=log.stage, announce=log.wave, say=log.say, watcher=watcher).execute()
    if outcome.delivered is not None:
        log.say(str(outcome.delivered))
    held_s = core_seconds(executors(spark), since=outcome.started, until=outcome.ended) if prices is not None else 0.0
    cost = prices.cost(core_s=held_s) if prices is not None else None
    metrics.note(**numbers_of(outcome), cost=None if cost is None else cost.amount)
    summary = write_report(summary_of(outcome, truth=truth, cost=cost))
    for line in lines(summary):
        log.note(line)
    return summary


def write_report(summary: RunSummary) -> RunSummary:
    """Write the report and the result beside the products; the summary as the result has it."""
    store = open_store(summary.output)
    summary = listed(summary, store)
    draw_report(summary, store)
    store.write(shown_path(summary.run_id), summary.to_shown())
    store.write(f"reports/{summary.run_id}.json", summary.to_document().encode())
    return summary


def shown_path(run_id: str) -> str:
    """Path of the summaries of the first products, relative to the output."""
    return f"reports/{run_id}/shown.ndjson.gz"


def draw_report(summary: RunSummary, store: Store) -> None:
    """Write the report, with pictures of the output in ``store``."""
    store.write(summary.report, render(summary, read=store.read).encode())


def exit_code(summary: RunSummary, *, quarantine_ok: bool) -> int:
    """0 all made or skipped, 3 some quarantined."""
    return EXIT_QUARANTINED if summary.quarantine and not quarantine_ok else 0


def finish(summary: RunSummary, *, told: Told, as_json: bool, quarantine_ok: bool, verbose: bool = False, last: str = "") -> None:
    """Tell the result, and ``last`` after it; end the command with its exit code."""
    for line in (*lines(summary, verbose=verbose), *([last] if last else [])):
        told.say(line)
    if as_json:
        click.echo(summary.to_json())
    sys.stdout.flush()
    raise SystemExit(exit_code(summary, quarantine_ok=quarantine_ok))


@click.command("run")
@run_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, last.")
@click.option("--quarantine-ok", is_flag=True, help="Exit 0 although scenes were quarantined.")
@click.option("--verbose", is_flag=True, help="Name the first files of the inputs that are not a scene.")
def run_command(*, as_json: bool, quarantine_ok: bool, verbose: bool, **options: Any) -> None:
    """Make PIPELINE (a name in conf/pipelines or a YAML file) of every scene of the inputs."""
    with telling() as told:
        summary = execute(RunOptions(**options), told=told)
    finish(summary, told=told, as_json=as_json, quarantine_ok=quarantine_ok, verbose=verbose)
