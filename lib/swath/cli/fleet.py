"""``swath fleet``: the state of all sites, from one place."""

import sys

import click

from swath.cli.columns import show
from swath.deploy.fleet import Row, as_json, fleet
from swath.deploy.site.files import load_job, load_site, site_names
from swath.report.fleet import fleet_page
from swath.report.text import duration

_COLUMNS = (
    "site",
    "state",
    "run",
    "in",
    "made",
    "skipped",
    "quarantined",
    "age",
    "backlog",
    "forwarded",
    "swath",
    "by",
    "attempt",
    "ran",
    "image",
    "site file",
    "ledger",
)


@click.command("fleet")
@click.argument("job")
@click.option("--sites", default="", metavar="A,B", help="Only these sites; all sites of the conf folder by default.")
@click.option("--json", "as_line", is_flag=True, help="Print one JSON object.")
@click.option("--html", "as_page", is_flag=True, help="Print one HTML page.")
def fleet_command(job: str, *, sites: str, as_line: bool, as_page: bool) -> None:
    """Show the state of the newest run of JOB at every site, asked all at once, within 10 seconds.

    Ends with 3 when a site needs a look: it is not reached, has no run, or its run is dead, failed or not good.
    """
    names = [name.strip() for name in sites.split(",") if name.strip()] or site_names()
    rows = fleet(load_job(job), sites=[load_site(name) for name in names])
    if as_page:
        click.echo(fleet_page([_cells(row) for row in rows], columns=_COLUMNS))
    elif as_line:
        click.echo(as_json(rows))
    else:
        _show(rows)
    sys.exit(0 if all(row.good for row in rows) else 3)


def _cells(row: Row) -> tuple[str, ...]:
    """A row in words."""
    backlog = "" if row.backlog is None else str(row.backlog)
    numbers = (row.scenes_in, row.made, row.skipped, row.quarantined) if row.run_id else ("",) * 4
    ages = [duration(age) if age is not None else "" for age in (row.age_s, row.receipt_age_s)]
    attempt = "" if row.attempt is None else str(row.attempt)
    changed = "" if row.changed is None else "changed since" if row.changed else "same"
    seen = (row.code, row.submitted_by, attempt, row.ran, row.image, changed, row.ledger)
    return (row.site, row.state, row.run_id, *map(str, numbers), ages[0], backlog, ages[1], *seen)


def _show(rows: list[Row]) -> None:
    show(_COLUMNS, [_cells(row) for row in rows], form=None)
    for row in rows:
        if not row.good:
            click.echo(f"{row.site}: {row.told}", err=True)
