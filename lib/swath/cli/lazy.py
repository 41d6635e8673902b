"""A command group that imports a command's module when the command is called: `swath --help` must not load Spark."""

from importlib import import_module
from typing import NamedTuple

import click


class Lazy(NamedTuple):
    """Where a command is, and the line that the list of commands shows."""

    target: str
    summary: str


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
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        del ctx
        rows = [(name, lazy.summary) for name, lazy in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
