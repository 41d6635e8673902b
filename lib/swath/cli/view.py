"""``swath view``: the map of an output in a browser."""

import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.errors import ConfigError
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from swath.view.source import ViewSource

#: What the extra brings, by the name of its module.
_NEEDED = ("rio_tiler", "starlette", "uvicorn")


@click.command("view")
@click.argument("output")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; a free one by default.")
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
    from swath.view.serve import serve  # noqa: PLC0415  what other commands do without

    def opened(address: str) -> None:
        click.echo(f"{address} (Ctrl-C ends it)")
        if show:
            webbrowser.open(address)

    serve(_source(output), port=port, base_map=base_map, opened=opened)


def _source(output: str) -> "ViewSource":
    if output.startswith(("http://", "https://")):
        from swath.view.served import ServedSource  # noqa: PLC0415

        return ServedSource(output)
    from swath.view.output import OutputSource  # noqa: PLC0415
    from swath.view.rows import in_delta  # noqa: PLC0415

    store = open_store(output if "://" in output else str(Path(output).absolute()), create=False)
    if not in_delta(store):
        from swath.cli.output import existing  # noqa: PLC0415  Spark's Python

        existing(output)
    return OutputSource(store)
