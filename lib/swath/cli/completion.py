"""``swath completion``: the script of a shell."""

import click
from click.shell_completion import get_completion_class

#: Where a shell looks for it, by shell.
_HINTS = {
    "bash": 'eval "$(swath completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(swath completion zsh)"    # in ~/.zshrc, after compinit',
    "fish": "swath completion fish > ~/.config/fish/completions/swath.fish",
}


@click.command("completion", epilog="\b\n" + "\n".join(_HINTS.values()))
@click.argument("shell", type=click.Choice(list(_HINTS)))
def completion_command(*, shell: str) -> None:
    """Print the script by which SHELL completes commands and options."""
    kind = get_completion_class(shell)
    if kind is None:  # click knows the three
        msg = f"{shell} is not among click's shells"
        raise click.UsageError(msg)
    root = click.get_current_context().find_root().command
    script = kind(root, {}, "swath", "_SWATH_COMPLETE").source()
    # click's script for fish ends a description at its first comma.
    click.echo(script.replace('string split "," $completion', 'string split --max 1 "," $completion'))
