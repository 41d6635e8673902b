"""``swath forward``: what may leave a site, sent when there is a link."""

import sys

import click

from swath.deploy.border.forward import Dead, SetAside, forward
from swath.deploy.site.duration import seconds
from swath.deploy.site.files import load_job, load_site


@click.command("forward")
@click.argument("job")
@click.option("--site", "site_name", required=True, metavar="NAME|FILE", help="Whose runs.")
def forward_command(job: str, *, site_name: str) -> None:
    """Send what may leave the site of JOB's runs to its border's other end; each run once.

    Ends with 3 when a result could not be read (it was set aside, and the others were sent), or when a run is dead: it has
    neither ended nor shown in a while that it is alive.
    """
    spec, site = load_job(job), load_site(site_name)
    bad = False
    for sent in forward(site, output=site.resolve(spec.output), max_duration_s=seconds(spec.max_duration)):
        if isinstance(sent, Dead):
            bad = True
            click.echo(f"{sent.run_id}: {sent.reason}; {'its last metrics were sent' if sent.sent else 'nothing sent'}", err=True)
            continue
        if isinstance(sent, SetAside):
            bad = True
            click.echo(f"{sent.run_id}: set aside, nothing sent: {sent.reason}", err=True)
            continue
        withheld = ", ".join(flow.value for flow in sent.withheld) or "nothing"
        click.echo(f"{sent.run_id}: sent {', '.join(flow.value for flow in sent.flows) or 'nothing'}; withheld {withheld}")
    sys.exit(3 if bad else 0)
