"""Options by which a user vouches for deliveries, shared by the commands that read them."""

from collections.abc import Callable
from typing import Any

import click

from swath.readers.gate.terms import STATED


def vouching_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--level`` and ``--trust-checksums``."""
    for option in (
        click.option(
            "--trust-checksums",
            is_flag=True,
            help="Trust sha2-256 checksums of items instead of reading the files; products say so.",
        ),
        click.option(
            "--level",
            type=click.Choice(["L1", STATED]),
            help="Processing level of scenes that state none; products say so. 'stated' refuses them.",
        ),
    ):
        command = option(command)
    return command
