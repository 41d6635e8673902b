"""``swath report``, ``validate`` and ``doctor``: look, and say what is there."""

import json
import sys
import webbrowser
from pathlib import Path

import click

from swath.config import load_pipeline
from swath.doctor import examine, examine_store, healthy
from swath.errors import ConfigError
from swath.report.summary import RunSummary
from swath.runs.report_files import draw_report, shown_path
from swath.settings import Settings
from swath.stores.registry import bucket_of, open_store

_MARKS = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}


@click.command("report")
@click.argument("output")
@click.option("--run-id", help="Of the run; the latest without it.")
@click.option("--open", "show", is_flag=True, help="Open it in a browser.")
def report_command(*, output: str, run_id: str | None, show: bool) -> None:
    """Draw the report of a run in OUTPUT anew, from what it left."""
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
    """Check FILE: a pipeline, a job or a site (YAML), a STAC item, collection or catalogue (JSON), or a COG (tif)."""
    problems = _problems(file)
    for problem in problems:
        click.echo(f"{file}: {problem}")
    if problems:
        sys.exit(2)
    click.echo(f"{file}: valid")


def _problems(file: Path) -> list[str]:
    if file.suffix in {".yaml", ".yml"}:
        from swath.deploy.site.files import kind_of, validate  # noqa: PLC0415  what most files are not

        if kind_of(file) is not None:
            validate(file)
            return []
        load_pipeline(str(file))
        return []
    if file.suffix in {".tif", ".tiff"}:
        from swath.sinks.cog.validate import problems_of  # noqa: PLC0415  needs GDAL

        return problems_of(file)
    try:
        loaded = json.loads(file.read_bytes())
    except ValueError as error:
        return [f"not JSON: {error}"]
    from swath.sinks.stac.validate import StacValidator  # noqa: PLC0415  an extra of the package

    found = StacValidator(Settings.of().stac_schemas).validate(loaded)
    for schema in found.unchecked:
        click.echo(f"{file}: not checked against {schema}: no schema at hand (SWATH_STAC_SCHEMAS names a folder)")
    return [f"{f.where}: {f.message} ({f.schema})" for f in found.findings]


@click.command("doctor")
@click.option("--output", help="Folder or s3:// prefix that products would go to; a store on S3 is asked what it can do.")
@click.option("--site", help="Name or file of a site: each of its stores, databases and registries is checked from here.")
def doctor_command(*, output: str | None, site: str | None) -> None:
    """Check this machine or a site: what is missing, and the remedy."""
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
