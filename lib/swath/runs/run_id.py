"""The id of a run."""

import secrets
from datetime import UTC, datetime

from swath.errors import ConfigError
from swath.names import NAME_RULE, name_problem


def new_run_id() -> str:
    """A name that sorts by time and does not repeat."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def run_id_of(asked: str | None) -> str:
    """The id that was asked for; a new one without it.

    Raises:
        ConfigError: The text cannot name a run.
    """
    if asked is None:
        return new_run_id()
    problem = name_problem(asked)
    if problem:
        msg = f"--run-id {asked!a} is not a name: {problem}; expected {NAME_RULE}"
        raise ConfigError(msg)
    return asked
