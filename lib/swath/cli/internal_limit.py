"""The option that says when a run takes its installation for broken."""

from collections.abc import Callable
from typing import Any

import click

from swath.runs.request import INTERNAL_LIMIT


def internal_limit_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--internal-limit``."""
    option = click.option(
        "--internal-limit",
        type=click.IntRange(min=0),
        default=INTERNAL_LIMIT,
        show_default=True,
        help="Stop when so many scenes end by one error that swath does not know, or the first so many; 0 never stops.",
    )
    return option(command)
