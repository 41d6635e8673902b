"""``swath gate``: the last step of every orchestrator's run."""

import sys

import click

from swath.cli.run_name import run_name_options
from swath.deploy.operate.gate import GateLimits, gate
from swath.deploy.site.duration import seconds
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.names import RUN_LIMIT, check_name
from swath.errors import ConfigError


@click.command("gate")
@click.argument("job")
@click.option("--site", "site_name", required=True, metavar="NAME|FILE", help="Where it ran.")
@run_name_options
@click.option(
    "--max-quarantined",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Largest share of quarantined scenes.",
)
@click.option("--max-age", default=None, metavar="26h", help="Longest time since the run's end.")
def gate_command(job: str, *, site_name: str, run_id: str | None, max_quarantined: float, max_age: str | None) -> None:
    """Judge a run of JOB by its result, in one line of JSON.

    Ends with 0 when what comes after may go on, 1 without a result of this run (or with one that is too old), 3 with too many
    quarantined scenes, 4 when the account does not balance.
    """
    if run_id is None:
        raise ConfigError("gate judges one run: name it by --run-id or --run-of")
    check_name(run_id, limit=RUN_LIMIT, what="run id")
    limits = GateLimits(quarantined=max_quarantined, age_s=None if max_age is None else seconds(max_age))
    verdict = gate(load_job(job), site=load_site(site_name), run_id=run_id, limits=limits)
    click.echo(verdict.to_json())
    sys.exit(verdict.exit_code)
