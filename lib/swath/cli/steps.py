"""``swath steps``: the steps that a pipeline file can name, plug-ins among them, and their parameters."""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from swath.cli.output import json_option
from swath.steps.described import Parameter, describe
from swath.steps.registry import step_names


@click.group("steps")
def steps_group() -> None:
    """The steps of pipelines: list, show."""


@steps_group.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List every step and what it makes."""
    found = [describe(name) for name in step_names()]
    if as_json:
        click.echo(json.dumps([asdict(step) for step in found]))
        return
    table = Table("step", "version", "makes")
    for step in found:
        table.add_row(step.name, str(step.version), step.text)
    Console().print(table)


@steps_group.command("show")
@click.argument("name")
@json_option
def show_command(*, name: str, as_json: bool) -> None:
    """Show the parameters of the step NAME: what each means, and its default."""
    step = describe(name)
    if as_json:
        click.echo(json.dumps(asdict(step)))
        return
    console = Console()
    console.print(f"{step.name}, version {step.version}: {step.text}", markup=False, highlight=False)
    console.print(f"kinds of layers: {', '.join(step.kinds) or 'none'}", markup=False, highlight=False)
    if not step.parameters:
        console.print("it has no parameters")
        return
    table = Table("parameter", "default", "meaning")
    for parameter in step.parameters:
        table.add_row(parameter.name, _default(parameter), parameter.text or "not described")
    console.print(table)


def _default(parameter: Parameter) -> str:
    return "must be given" if parameter.required else json.dumps(parameter.default)
