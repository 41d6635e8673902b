"""A command group that imports a command's module when the command is called: `swath --help` must not load Spark."""

from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from swath.cli.clock import since_began
from swath.cli.examples import with_example


class Lazy(NamedTuple):
    """Where a command is, the line that the list of commands shows, and what is said before a module that takes long."""

    target: str
    summary: str
    first: str = ""


class LazyGroup(click.Group):
    """Commands by name; ``module:attribute`` is imported on first use."""

    def __init__(self, *, lazy: dict[str, Lazy], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # click's own keywords
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order they were given: most used first."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name].target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            return None
        _exemplify(command, path=cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Say what begins before the module of a command is imported, unless its help or a completion is asked for."""
        lazy = self._lazy.get(args[0]) if args else None
        quiet = ctx.resilient_parsing or set(args).intersection(("-h", "--help"))
        if lazy is not None and lazy.first and not quiet:
            click.echo(f"[{since_began():6.1f} s] {lazy.first}", err=True)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names that begin so, without importing the commands, and the options of the group."""
        names = [CompletionItem(name, help=lazy.summary) for name, lazy in self._lazy.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        del ctx
        rows = [(name, lazy.summary) for name, lazy in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _exemplify(command: click.Command, *, path: str) -> None:
    """End the help of a command, and of every command in a group, with its example."""
    command.help = with_example(command.help, path=path)
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        _exemplify(inner, path=f"{path} {name}")
