"""How a command's run is named: by its id, or by the run of an orchestrator that it belongs to."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from swath.deploy.site.files import load_job
from swath.deploy.site.names import run_id_of
from swath.errors import ConfigError


def run_name_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--run-id`` and ``--run-of``; the command gets one ``run_id``, None when neither is given."""

    @wraps(command)
    def named(job: str, *, run_id: str | None, run_of: str | None, **options: Any) -> Any:
        if run_id is not None and run_of is not None:
            raise ConfigError("--run-id and --run-of both name the run: give one of them")
        made = run_id if run_of is None else run_id_of(load_job(job).job, run_of)
        return command(job, run_id=made, **options)

    of_run = click.option("--run-of", metavar="NAME", help="Name of the orchestrator's run; the run id is derived from it.")
    by_id = click.option("--run-id", help="Name of the run; by default a new one (submit, render), or the newest of the job.")
    return by_id(of_run(named))
