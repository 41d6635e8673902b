"""``swath models``: what is registered, and which version an alias means."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from swath.inference.registry import RegisteredModel, Registry

_OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), default=Path(), show_default="this folder",
    help="Output whose models/ holds the registry when MLFLOW_TRACKING_URI names none.",
)  # fmt: skip


@click.group("models")
def models_group() -> None:
    """Models: list, register, promote."""


@models_group.command("list")
@click.argument("name", default="")
@_OUTPUT
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(*, name: str, output: Path, as_json: bool) -> None:
    """List all versions of NAME, or of every model."""
    found = Registry.beside(output).list(name)
    if as_json:
        click.echo(json.dumps([_plain(m) for m in found]))
        return
    table = Table("model", "version", "aliases", "kind", "accuracy", "licence", "digest")
    for model in found:
        accuracy = model.metrics.get("accuracy")
        table.add_row(
            model.name, model.version, ", ".join(model.aliases), model.kind,
            f"{accuracy:.3f}" if accuracy is not None else "", model.licence, model.digest[:12],
        )  # fmt: skip
    Console().print(table)


@models_group.command("register")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", default="", help="Registered name; the manifest's by default.")
@_OUTPUT
def register_command(*, directory: Path, name: str, output: Path) -> None:
    """Register the model in DIRECTORY (manifest.json, weights, card.md) as the next version of its name."""
    _tell(Registry.beside(output).register(directory, name=name))


@models_group.command("promote")
@click.argument("name")
@click.argument("version")
@click.option("--alias", default="production", show_default=True, help="Alias that shall mean this version.")
@_OUTPUT
def promote_command(*, name: str, version: str, alias: str, output: Path) -> None:
    """Point an alias of NAME at VERSION; runs that are planned from now on use it."""
    _tell(Registry.beside(output).promote(name, version=version, alias=alias))


def _tell(model: RegisteredModel) -> None:
    aliases = f" ({', '.join(model.aliases)})" if model.aliases else ""
    click.echo(f"{model.name} {model.version}{aliases}: sha256 {model.digest}")


def _plain(model: RegisteredModel) -> dict[str, object]:
    return {
        "name": model.name, "version": model.version, "digest": model.digest, "aliases": list(model.aliases),
        "kind": model.kind, "licence": model.licence, "metrics": dict(model.metrics),
    }  # fmt: skip
