"""``swath sites``: the places where jobs run."""

from pathlib import Path

import click

from swath.cli.columns import form_option, show
from swath.deploy.render.plain import as_yaml
from swath.deploy.site.files import load_site, site_file, site_names
from swath.deploy.site.site_diff import differences
from swath.errors import ConfigError
from swath.inference.trusted_keys import KEYS


@click.group("sites")
def sites_group() -> None:
    """The places where jobs run."""


@sites_group.command("list")
@form_option
def sites_list_command(*, form: str | None) -> None:
    """List the sites of the conf folder."""
    sites = {name: load_site(name) for name in site_names()}
    rows = [(name, site.engine, site.link.value, site.summary) for name, site in sites.items()]
    show(("site", "engine", "link", "summary"), rows, form=form)


@sites_group.command("history-server")
@click.argument("name")
def sites_history_command(name: str) -> None:
    """Print the objects of Spark's history server for a site that keeps event logs."""
    from swath.deploy.spark_operator.history_server import history_server  # noqa: PLC0415

    click.echo("---\n".join(as_yaml(made) for made in history_server(load_site(name))), nl=False)


@sites_group.command("migration")
@click.argument("name")
def sites_migration_command(name: str) -> None:
    """Print the Job, with an account of its own, that makes or changes the schemas of a site's databases."""
    from swath.deploy.pods.migration import migration  # noqa: PLC0415

    click.echo("---\n".join(as_yaml(made) for made in migration(load_site(name))), nl=False)


@sites_group.command("diff")
@click.argument("a")
@click.argument("b")
def sites_diff_command(a: str, b: str) -> None:
    """Print every value in which two sites differ."""
    for path, left, right in differences(load_site(a), load_site(b)):
        click.echo(f"{path}\n  {a}: {left}\n  {b}: {right}")


@sites_group.command("pin")
@click.argument("release", type=click.Path(dir_okay=False, path_type=Path), metavar="images.json")
@click.option("--site", "names", multiple=True, required=True, metavar="NAME|FILE", help="Site file to change; repeatable.")
@click.option("--key", "key_files", required=True, envvar=KEYS, show_envvar=True, help="Public keys that may have signed it.")
@click.option(
    "--schedules", type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder whose schedules are rendered anew, of one site.",
)  # fmt: skip
def sites_pin_command(*, release: Path, names: tuple[str, ...], key_files: str, schedules: Path | None) -> None:
    """Write the digests of a signed images.json into site files, and render the schedules that Flux delivers.

    Example: swath sites pin dist/images/images.json --key site.pub --site kubernetes
    """
    from swath.cli.pins import pin_site, render_schedules  # noqa: PLC0415
    from swath.deploy.release.released import verified  # noqa: PLC0415
    from swath.inference.trusted_keys import keys_of  # noqa: PLC0415

    if schedules is not None and len(names) > 1:
        msg = "--schedules are of one site: name one --site"
        raise ConfigError(msg)
    found = verified(release, keys=keys_of(key_files))
    for name in names:
        for pin in pin_site(site_file(name), release=found):
            click.echo(f"{name}: {pin.name} {pin.before[:19]} -> {pin.after[:19]}, commit {found.commit[:12]}")
    if schedules is not None:
        for path in render_schedules(schedules, site=load_site(names[0])):
            click.echo(f"wrote {path}")
