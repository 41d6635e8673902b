"""``swath steps``: the steps that a pipeline file can name, plug-ins among them, and their parameters."""

import json
from dataclasses import asdict

import click

from swath.cli.columns import show
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
    show(("step", "version", "makes"), [(step.name, str(step.version), _plain(step.text)) for step in found], form=None)


@steps_group.command("show")
@click.argument("name")
@json_option
def show_command(*, name: str, as_json: bool) -> None:
    """Show the parameters of the step NAME: what each means, and its default."""
    step = describe(name)
    if as_json:
        click.echo(json.dumps(asdict(step)))
        return
    click.echo(f"{step.name}, version {step.version}: {_plain(step.text)}")
    click.echo(f"kinds of layers: {', '.join(step.kinds) or 'none'}")
    if not step.parameters:
        click.echo("it has no parameters")
        return
    rows = [(p.name, _default(p), _plain(p.text) or "not described") for p in step.parameters]
    show(("parameter", "default", "meaning"), rows, form=None)


def _plain(text: str) -> str:
    """A docstring's text without its markup."""
    return text.replace("``", "")


def _default(parameter: Parameter) -> str:
    return "must be given" if parameter.required else json.dumps(parameter.default)
