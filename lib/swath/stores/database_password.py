"""A password that does not last: asked for anew for every connection, from a command or from IAM."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import Final

import psycopg

from swath.errors import ConfigError

#: Says that AWS's IAM gives the password: a token of fifteen minutes, made here without a request.
RDS_IAM: Final = "rds-iam"
_SECONDS: Final = 30
_PORT: Final = 5432
#: What a command is told of the connection, by libpq's names.
_TOLD: Final = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}


def password_by(source: str, *, parts: Mapping[str, object]) -> str:
    """The password of one connection.

    Args:
        source: ``rds-iam``, or a command whose output is the password.
        parts: Host, port, user and name of the database, as libpq calls them.

    Raises:
        psycopg.OperationalError: The command ends with an error, is late or says nothing: it may be asked again.
        ConfigError: There is no such command, or what IAM needs is missing.
    """
    return _token(parts) if source == RDS_IAM else _told(source, parts=parts)


def _told(command: str, *, parts: Mapping[str, object]) -> str:
    given = {variable: str(parts[name]) for name, variable in _TOLD.items() if name in parts}
    try:
        done = subprocess.run(
            shlex.split(command), env={**os.environ, **given}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (FileNotFoundError, PermissionError, ValueError) as error:
        msg = f"the command for the database's password cannot be started: {error}"
        raise ConfigError(msg) from error
    except subprocess.TimeoutExpired as error:
        msg = f"the command for the database's password said nothing within {_SECONDS} s"
        raise psycopg.OperationalError(msg) from error
    # what it printed may be the password: never shown
    password = done.stdout.strip("\r\n")
    if done.returncode or not password:
        msg = f"the command for the database's password ended with {done.returncode}: {done.stderr.strip()[-200:] or 'no output'}"
        raise psycopg.OperationalError(msg)
    return password


def _token(parts: Mapping[str, object]) -> str:
    import boto3  # noqa: PLC0415  only where IAM is asked
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415  as above

    if not {"host", "user"} <= parts.keys():
        msg = f"{RDS_IAM}: the connection string names no host and user: a token is for one user of one server"
        raise ConfigError(msg)
    try:
        client = boto3.client("rds")
        token: str = client.generate_db_auth_token(
            DBHostname=str(parts["host"]), Port=int(str(parts.get("port", _PORT))), DBUsername=str(parts["user"])
        )
    except BotoCoreError as error:
        msg = f"{RDS_IAM}: no token: {error}"
        raise psycopg.OperationalError(msg) from error
    return token
