"""``--lock``, and what a run leaves of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from swath.inference.lock import LOCK_FILE
from swath.runs.request import RunRequest
from swath.stores.registry import open_store


def lock_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--lock``."""
    return click.option(
        "--lock",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="SWATH_MODELS_LOCK",
        help="Lock of models: their digests decide, no alias; see `swath models lock`.",
    )(command)


def keep_lock(request: RunRequest) -> None:
    """Leave OUT/reports/<run_id>.models.lock: another run with ``--lock`` uses the same files."""
    if request.models_lock:
        open_store(request.output).write(f"reports/{request.run_id}.{LOCK_FILE}", request.models_lock.encode())
