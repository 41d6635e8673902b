"""A PostgreSQL: how it is reached, and how it is called in messages. Imported only where a database is configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict

from swath.errors import ConfigError
from swath.settings import CREDENTIAL_FROM, Settings
from swath.stores.database_password import password_by
from swath.stores.patience import PatientCall, database_patience

#: A dead peer is noticed after about 25 s, on either side: a lock must not outlive its holder, nor a run wait for a ghost.
KEEPALIVES: Mapping[str, int] = {
    "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000,
}  # fmt: skip
CONNECT_SECONDS = 10
#: PostgreSQL cuts longer names.
_NAME_LENGTH = 63
_SHOWN = ("host", "port", "dbname", "user", "service")


@dataclass(frozen=True, slots=True)
class Database:
    """A connection string, checked; never shown with its secrets.

    A password belongs into PGPASSWORD or the file that PGPASSFILE names; libpq reads them itself.

    Args:
        dsn: ``postgresql://user@host:5432/name`` or ``host=... dbname=...``.

    Raises:
        ConfigError: The text is neither.
    """

    dsn: str = field(repr=False)

    def __post_init__(self) -> None:
        """Have libpq parse it. Its own words would repeat a password."""
        self._parts()

    def __str__(self) -> str:
        """The place without password, keys and options."""
        parts = self._parts()
        told = " ".join(f"{name}={parts[name]}" for name in _SHOWN if name in parts)
        return f"PostgreSQL ({told or 'the default server'})"

    @property
    def has_password(self) -> bool:
        """Whether the string itself holds a secret."""
        return bool({"password", "sslpassword"} & set(self._parts()))

    def connect(self, name: str) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection of our own, in autocommit, in UTC, that works behind a session pooler.

        Args:
            name: Name of the session in the server's own lists.

        Raises:
            psycopg.OperationalError: The database does not answer, or refuses us.
        """
        defaults: dict[str, str | int] = {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": name[:_NAME_LENGTH],
            **KEEPALIVES,
        }
        given = self._parts()
        extra = {k: v for k, v in defaults.items() if k not in given}
        connection = self._opened(extra, source=Settings.of().database_password)
        connection.execute("SELECT set_config('timezone', 'UTC', false)")
        return connection

    def _opened(self, extra: Mapping[str, str | int], *, source: str) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect, with a password of its own for each connection where one is asked for."""
        if source and self.has_password:
            msg = f"{self}: the connection string holds a password, and {CREDENTIAL_FROM} gives another: take one of them away"
            raise ConfigError(msg)
        for last in (False, True):
            password = {"password": password_by(source, parts=self._parts())} if source else {}
            try:
                return psycopg.connect(self.dsn, autocommit=True, prepare_threshold=None, **{**extra, **password})  # type: ignore[arg-type]
            except psycopg.OperationalError as error:
                # it may have changed between the question and the connection: asked once more
                if last or not source or "authentication failed" not in str(error):
                    raise
        raise AssertionError

    def _parts(self) -> dict[str, object]:
        try:
            return dict(conninfo_to_dict(self.dsn))
        except psycopg.ProgrammingError:
            msg = (
                "a PostgreSQL connection string cannot be understood (not shown: it may hold a password); expected "
                "postgresql://USER@HOST:PORT/NAME or 'host=HOST dbname=NAME user=USER'"
            )
            raise ConfigError(msg) from None


def reason(error: psycopg.Error) -> str:
    """What the server or libpq says, on one line; psycopg never repeats the connection string there."""
    return " ".join(str(error).split()) or type(error).__name__


#: What libpq says when waiting does not help; PostgreSQL's own codes do not reach us before a session is there.
_NEVER = (
    "authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied", "is not permitted to log in",
    "could not translate host name", "name or service not known", "certificate verify failed", "does not support ssl",
)  # fmt: skip


def hopeless(error: psycopg.Error) -> bool:
    """Whether a first attempt to connect failed for what only a person can put right."""
    text = reason(error).lower()
    return any(words in text for words in _NEVER)


def waiting_for(database: Database) -> PatientCall:
    """Patience with a database: by time, see ``swath.stores.patience``."""
    return PatientCall(service=str(database), seconds=database_patience())
