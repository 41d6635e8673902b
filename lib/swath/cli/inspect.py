"""``swath report``, ``validate`` and ``doctor``: look, and say what is there."""

import sys
import webbrowser
from pathlib import Path

import click

from swath.cli.file_check import problems_of
from swath.errors import ConfigError
from swath.stores.registry import bucket_of, open_store

_MARKS = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}


@click.command("report")
@click.argument("output")
@click.option("--run-id", help="Name of the run; the latest by default.")
@click.option("--open", "show", is_flag=True, help="Open it in a browser.")
def report_command(*, output: str, run_id: str | None, show: bool) -> None:
    """Draw the report of a run in OUTPUT anew, from what it left."""
    from swath.report.summary import RunSummary  # noqa: PLC0415  what the other commands of this file need not load
    from swath.runs.report_files import draw_report, shown_path  # noqa: PLC0415  the same

    store = open_store(output, create=False)
    found = [e for e in store.entries("reports") if e.path.endswith(".json") and e.path.count("/") == 1]
    latest = max(found, key=lambda e: e.modified).path if found else ""
    wanted = f"reports/{run_id}.json" if run_id else latest
    data = store.read(wanted) if wanted else None
    if data is None:
        msg = f"{output}: no report of {run_id or 'any run'}; expected reports/<run_id>.json, as a run leaves it"
        raise ConfigError(msg)
    name = wanted.removeprefix("reports/").removesuffix(".json")
    summary = RunSummary.from_document(data, shown=store.read(shown_path(name)))
    draw_report(summary, store)
    click.echo(f"{output.rstrip('/')}/{summary.report}")
    if show and "://" not in output:
        webbrowser.open((Path(output).absolute() / summary.report).as_uri())


@click.command("validate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def validate_command(*, file: Path) -> None:
    """Check FILE, by its kind.

    A pipeline, a composite, a job, a site, prices or a training recipe (YAML), steps of your own (Python; the file is
    imported), a STAC item, collection or catalogue (JSON), or a COG (tif).
    """
    problems = problems_of(file)
    for problem in problems:
        click.echo(f"{file}: {problem}")
    if problems:
        sys.exit(2)
    click.echo(f"{file}: valid")


@click.command("doctor")
@click.option("--output", help="Folder or s3:// prefix that products would go to; a store on S3 is asked what it can do.")
@click.option("--site", help="Name or file of a site: each of its stores, databases and registries is checked from here.")
def doctor_command(*, output: str | None, site: str | None) -> None:
    """Check this machine or a site: what is missing, and the remedy."""
    from swath.doctor import examine, examine_store, healthy  # noqa: PLC0415  loads GDAL's Python side

    if site:
        from swath.cli.doctor_site import examine_site  # noqa: PLC0415  a machine needs no site

        findings = examine_site(site)
    elif output and bucket_of(output):
        findings = examine_store(output)
    else:
        findings = examine(Path(output) if output else None)
    for finding in findings:
        click.echo(f"{_MARKS[finding.level]}  {finding.check}: {finding.found}")
        if finding.remedy:
            click.echo(f"         -> {finding.remedy}")
    if not healthy(findings):
        sys.exit(2)
