"""``--lock``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def lock_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--lock``."""
    return click.option(
        "--lock",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="SWATH_MODELS_LOCK",
        help="Lock of models: their digests decide, no alias; see `swath models lock`.",
    )(command)
