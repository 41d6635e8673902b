"""``swath status``: the state of an output, or of a job's run at a site. It loads no more than it needs: it is asked often."""

import json
from typing import TYPE_CHECKING

import click

from swath.cli.columns import form_option, show
from swath.cli.output import existing, json_option, master_option, session
from swath.report.text import duration

if TYPE_CHECKING:
    from swath.runs.status import OutputStatus, RunRow

#: What ``-o wide`` and ``-o csv`` show beside.
_WIDE = ("by", "attempt", "swath", "site", "site digest", "image")
_DIGITS = 12
_COLUMNS = ("run", "pipeline", "waves", "in", "made", "skipped", "quarantined", "account", "took")


@click.command("status")
@click.argument("output", metavar="OUTPUT|JOB")
@click.option("--run-id", help="Only this run.")
@click.option("--site", "site_name", metavar="NAME|FILE", help="Ask the site's engine for the state of a run of JOB instead.")
@click.option("--wait", is_flag=True, help="With --site: wait for the end.")
@form_option
@json_option
@master_option
def status_command(
    *, output: str, run_id: str | None, site_name: str | None, wait: bool, form: str | None, as_json: bool, master: str | None
) -> None:
    """Show the state of OUTPUT: runs, accounts, quarantine. With --site: the state of a run of JOB there.

    Example: swath status demo -o csv
    """
    if site_name is not None:
        from swath.cli import deploy  # noqa: PLC0415

        click.get_current_context().invoke(deploy.status_command, job=output, site_name=site_name, run_id=run_id, wait=wait)
        return
    found = _status(output, run_id=run_id, master=master)
    if as_json or form == "json":
        click.echo(json.dumps(found.plain()))
    else:
        _show(found, form=form)


def _status(output: str, *, run_id: str | None, master: str | None) -> "OutputStatus":
    from swath.ledger.delta import NeedsSparkError  # noqa: PLC0415
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.runs.status import output_status  # noqa: PLC0415

    store = existing(output)
    try:
        return output_status(open_tables(None, store), run_id=run_id)
    except NeedsSparkError:
        with session("status", master, output=output) as spark:
            return output_status(open_tables(spark, store), run_id=run_id)


def _show(found: "OutputStatus", *, form: str | None) -> None:
    if form is None:
        show(_COLUMNS, [_cells(run) for run in found.runs], form=form)
    else:
        show((*_COLUMNS, *_WIDE), [(*_cells(run), *_origin(run)) for run in found.runs], form=form)
    if form == "csv":
        return
    for pipeline, number in found.products.items():
        click.echo(f"{number} products of {pipeline}")
    for (pipeline, error), number in found.quarantine.items():
        what = f" of {pipeline}" if pipeline else ""
        click.echo(f"in quarantine: {number} scenes{what}: {error}")


def _origin(run: "RunRow") -> tuple[str, ...]:
    """Who ordered it, and what it ran in; a run of an earlier version says nothing of it."""
    origin = run.origin
    attempt = str(origin.attempt or "")
    return (origin.submitted_by or "", attempt, run.code, run.site, (origin.site_digest or "")[:_DIGITS], origin.image or "")


def _cells(run: "RunRow") -> tuple[str, ...]:
    counts = [str(run.sums[n]) for n in ("scenes_in", "made", "skipped", "quarantined")]
    verdict = "balances" if run.balanced else "DOES NOT BALANCE"
    if not run.waves:
        verdict = "began, and ended before its first wave"
    took = duration((run.ended - run.started).total_seconds()) if run.waves else ""
    return (run.run_id, run.pipeline, str(run.waves), *counts, verdict, took)
