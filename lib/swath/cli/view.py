"""``swath view``: the map of an output in a browser."""

import webbrowser
from importlib.util import find_spec
from pathlib import Path

import click

from swath.cli.output import existing
from swath.errors import ConfigError

#: What the extra brings, by the name of its module.
_NEEDED = ("rio_tiler", "starlette", "uvicorn")


@click.command("view")
@click.argument("output")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; a free one without it.")
@click.option("--open/--no-open", "show", default=True, show_default=True, help="Open the map in the browser.")
@click.option(
    "--base-map",
    default="",
    metavar="URL",
    help="Map tiles of your site, https://.../{z}/{x}/{y}.png; without it no request leaves this machine.",
)
def view_command(*, output: str, port: int, show: bool, base_map: str) -> None:
    """Look at the products of OUTPUT on a map: a folder, an s3:// prefix, or the address of a STAC API.

    Example: swath view demo
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        msg = f"the map needs {', '.join(missing)}: pip install 'swath[view]'"
        raise ConfigError(msg)
    from swath.view.output import OutputSource  # noqa: PLC0415  what other commands do without
    from swath.view.serve import serve  # noqa: PLC0415

    source = OutputSource(existing(output if "://" in output else str(Path(output))))

    def opened(address: str) -> None:
        click.echo(f"{address} (Ctrl-C ends it)")
        if show:
            webbrowser.open(address)

    serve(source, port=port, base_map=base_map, opened=opened)
