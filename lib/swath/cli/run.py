"""``swath run``: also the contract of jobs/process.py."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from swath.cli.output import session
from swath.cli.progress import telling
from swath.cli.run_options import run_options
from swath.cli.run_request import RunOptions, is_drain, registry_of, request_of
from swath.report.summary import RunSummary, shadow_told
from swath.report.text import lines
from swath.runs.told import Told

if TYPE_CHECKING:
    from swath.runs.summary import FindTruth
    from swath.spark.start.session import SparkSession

EXIT_QUARANTINED = 3


def execute(
    options: RunOptions, *, told: Told, truth: "FindTruth | None" = None, spark: "SparkSession | None" = None
) -> RunSummary:
    """Perform what the command line asks for.

    Args:
        options: Options of the run.
        told: Hears of the progress.
        truth: Finds known truth of simulated scenes.
        spark: A session to use; one of its own otherwise.

    Raises:
        SwathError: See ``request_of`` and ``perform``.
    """
    told.say("looking up the pipeline, its models and what the inputs name")
    request = request_of(options)
    # Spark costs a second of imports: arguments are checked first.
    from swath.runs.perform import perform  # noqa: PLC0415

    if spark is None:
        told.say("starting Spark")
    with session(str(request.pipeline["name"]), options.master, output=request.output, given=spark) as own:
        summary = perform(own, request, told=told, truth=truth)
    for line in _log_shadows(summary, options):
        told.say(line)
    return summary


def _log_shadows(summary: RunSummary, options: RunOptions) -> Iterator[str]:
    """Keep what challengers said with their versions in the registry; lines that say so, or why not."""
    for shadow in summary.shadows:
        from swath.inference.shadow_log import log_shadow  # noqa: PLC0415  MLflow, seconds: only where a challenger ran

        model = shadow.challenger
        told = {"run_id": summary.run_id, "site": summary.site, **shadow_told(shadow)}
        why = log_shadow(registry_of(options), name=model.name, version=model.version, run_id=summary.run_id, told=told)
        kept = f"not kept in its MLflow run: {why}" if why else "kept in its MLflow run"
        agreed = f"{shadow.agreement:.1%} of {shadow.pixels} pixels" if shadow.agreement is not None else "no pixel"
        yield f"challenger {model.name} {model.version} agrees with {shadow.champion.version} on {agreed}; {kept}"


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
    asked = RunOptions(**options)
    with telling() as told:
        if is_drain(asked):
            from swath.cli.drain import drain  # noqa: PLC0415  its client, half a second

            found = drain(asked, told=told, execute=lambda each: execute(each, told=told))
            if found is None:
                return
            summary = found
        else:
            summary = execute(asked, told=told)
    finish(summary, told=told, as_json=as_json, quarantine_ok=quarantine_ok, verbose=verbose)
