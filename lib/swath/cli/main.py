"""The command line: every command, and the exit code of every error."""

import sys
from collections.abc import Sequence

import click

from swath import __version__
from swath.cli.demo import demo_command
from swath.cli.deploy import register
from swath.cli.ingest import ingest_command
from swath.cli.inspect import doctor_command, report_command, validate_command
from swath.cli.models import models_group
from swath.cli.plan import plan_command
from swath.cli.run import run_command
from swath.errors import AccountError, ConfigError, LockError, SwathError

EXIT_CRASHED, EXIT_CONFIG, EXIT_ACCOUNT, EXIT_LOCKED = 1, 2, 4, 5
_CODES: Sequence[tuple[type[SwathError], int]] = (
    (ConfigError, EXIT_CONFIG),
    (AccountError, EXIT_ACCOUNT),
    (LockError, EXIT_LOCKED),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="swath")
def cli() -> None:
    """Raw satellite scenes in, trusted analysis-ready products out."""


for _command in (
    demo_command,
    run_command,
    plan_command,
    ingest_command,
    report_command,
    validate_command,
    doctor_command,
    models_group,
):
    cli.add_command(_command)
register(cli)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its code: DESIGN names them 0 to 5."""
    try:
        cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        sys.exit(EXIT_CONFIG)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_CRASHED)
    except SwathError as error:
        click.echo(f"swath: {error}", err=True)
        sys.exit(next((code for kind, code in _CODES if isinstance(error, kind)), EXIT_CRASHED))


if __name__ == "__main__":
    main()
