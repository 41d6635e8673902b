"""``swath parity``: one job as two sites would run it, here."""

import sys
from pathlib import Path

import click

from swath.deploy.engine_command import engine_command, here
from swath.deploy.parity import Runtime, compare, execute
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.names import new_run_id
from swath.deploy.spark_submit.local import entry_point
from swath.errors import ConfigError


@click.command("parity")
@click.argument("job")
@click.option("--site", "sites", multiple=True, required=True, metavar="A --site B", help="The two sites.")
@click.option(
    "--store", "stores", multiple=True, metavar="NAME=FOLDER", help="The local folder to use instead of a store that is read."
)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder for both sides' outputs.")
def parity_command(job: str, *, sites: tuple[str, ...], stores: tuple[str, ...], output: Path) -> None:
    """Run JOB as two sites would, on this machine, and compare the products.

    It proves the renderings, not two clusters.
    """
    if len(sites) != 2:
        raise ConfigError("parity compares two sites: --site A --site B")
    outputs = [
        _run_here(job, site_name=name, stores=stores, output=output / f"{side}-{name}")
        for side, name in zip("ab", sites, strict=True)
    ]
    found = compare(*outputs)
    counts = f"{len(found.same)} files equal, {len(found.differing)} with other bytes"
    click.echo(f"{counts}, {len(found.only_a)} only a, {len(found.only_b)} only b")
    for name in (*found.differing, *found.only_a, *found.only_b):
        click.echo(f"  {name}")
    sys.exit(0 if found.equal_bytes else 1)


def _run_here(job: str, *, site_name: str, stores: tuple[str, ...], output: Path) -> Path:
    spec = load_job(job)
    order = Order(job=spec, site=load_site(site_name), run_id=new_run_id(spec.job))
    folders = {name: Path(folder).absolute() for name, _, folder in (text.partition("=") for text in stores)}
    target = order.site.store_of(order.job.output)
    if target is not None:
        folders[target[0]] = output.absolute()
    command = here(engine_command(order), site=order.site, folders=folders, program=entry_point())
    execute(command, runtime=Runtime.of_lock())
    return Path(command.arguments[command.arguments.index("--output") + 1])
