"""``swath template``: a commented file of a kind that users write, which is valid as it is."""

from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from swath.errors import ConfigError

#: Files of the package, by what a user calls them.
TEMPLATES: Final = {
    "pipeline": "pipeline.yaml",
    "step": "step.py",
    "site": "site.yaml",
    "job": "job.yaml",
    "model": "model.yaml",
}


def template(kind: str) -> str:
    """The text of a template."""
    return files("swath.templates").joinpath(TEMPLATES[kind]).read_text(encoding="utf-8")


@click.command("template")
@click.argument("kind", type=click.Choice(list(TEMPLATES)))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def template_command(*, kind: str, file: Path | None) -> None:
    """Write a commented file to begin with: to FILE, or to stdout.

    pipeline: what to make of scenes. step: a step of your own (Python). site: where to run. job: one run's inputs and sizes.
    model: the recipe by which a forest is trained. `swath validate FILE` checks each.
    """
    if file is None:
        click.echo(template(kind), nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(template(kind))
    except FileExistsError:
        msg = f"{file}: exists already and is left as it is; give another name, or remove it"
        raise ConfigError(msg) from None
    except OSError as error:
        msg = f"{file}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error
    click.echo(f"wrote {file}; check it with: swath validate {file}", err=True)
