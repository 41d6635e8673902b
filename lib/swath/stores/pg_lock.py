"""One committing driver per table where the store has no lock of its own: a PostgreSQL advisory lock."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from swath.errors import ConfigError, LockError, ServiceError
from swath.stores.database import KEEPALIVES, Database, hopeless, reason, waiting_for

#: The server drops a vanished holder as fast as the holder notices a vanished server.
_SERVER_KEEPALIVES = {
    "tcp_keepalives_idle": f"{KEEPALIVES['keepalives_idle']}s",
    "tcp_keepalives_interval": f"{KEEPALIVES['keepalives_interval']}s",
    "tcp_keepalives_count": str(KEEPALIVES["keepalives_count"]),
    "tcp_user_timeout": f"{KEEPALIVES['tcp_user_timeout']}ms",
    "idle_session_timeout": "0",
    "statement_timeout": "0",
}
_OURS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1
      AND ((classid::bigint << 32) | objid::bigint) = %s
"""
_HOLDER = """
    SELECT a.application_name, a.client_addr::text, a.backend_start::text
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND ((l.classid::bigint << 32) | l.objid::bigint) = %s
"""


class PgLock:
    """A lock of one output on a direct connection: taken for each commit, or for a run.

    The connection stays open between commits; the lock does not. Session locks break behind a pooler in transaction mode:
    ``check`` notices.

    Args:
        database: A direct connection, not through a pooler in transaction mode.
        output: URI of the output that is locked; ``s3a://`` and ``s3://`` are one.
        purpose: Kind of lock, ``commit`` or ``run``; one session may hold both.
        run_id: Name of the run, shown to other drivers that wait.
        wait_s: Longest time to wait for another driver.
    """

    def __init__(self, database: Database, *, output: str, run_id: str, wait_s: float, purpose: str = "commit") -> None:
        self._database = database
        self._output = output
        self._run_id = run_id
        self._wait_s = wait_s
        self._key = key_of(output, purpose)
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._depth = 0
        self._met = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock while the block runs; blocks may nest.

        Raises:
            LockError: Another driver keeps it for longer than we wait.
            ServiceError: The database was away for too long.
            ConfigError: The database was never reached, and waiting would not help.
        """
        if self._depth == 0:
            self._take()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._give_back()

    def check(self) -> None:
        """See, on the connection that took it, that the lock is still ours. Called right before a commit, and before a wave.

        A lock that was lost with its connection (a failover, a proxy that ends idle sessions) is taken again: nothing has been
        committed since the last look.

        Raises:
            LockError: Another driver has the lock now, or a pooler lost it: nothing may be committed.
            ServiceError: The database was away for too long.
        """
        if self._connection is None or self._depth == 0:
            msg = f"{self._output}: a commit without its lock"
            raise LockError(msg)
        try:
            row = self._connection.execute(_OURS, (self._key,)).fetchone()
        except psycopg.Error:
            self.close()
            self._take()
            return
        if row is None or not row[0]:
            raise LockError(self._lost("the session no longer holds it; a pooler in transaction mode does that"))

    def close(self) -> None:
        """Close the connection; the server lets go of what it held."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self) -> None:
        """Take the lock, whatever breaks meanwhile: a server that fails over, a session that it ends."""
        waits = waiting_for(self._database)
        while True:
            try:
                self._take_once(self._open())
            except errors.LockNotAvailable:
                raise LockError(self._held_by_another()) from None
            except psycopg.Error as error:
                self.close()
                if hopeless(error) and not self._met:
                    raise ConfigError(self._unreachable(error)) from error
                if not waits.wait(reason(error)):
                    raise ServiceError(self._unreachable(error)) from error
            else:
                waits.answered()
                self._met = True
                return

    def _take_once(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        wait_ms = max(round(self._wait_s * 1000), 1)  # 0 would mean for ever
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{wait_ms}ms",))
        connection.execute("SELECT pg_advisory_lock(%s)", (self._key,))

    def _held_by_another(self) -> str:
        holder = self._holder(self._open())
        return (
            f"{self._output} is locked by {holder}; waited {self._wait_s:g} s: wait for that run to end, "
            "or choose another --output"
        )

    def _open(self) -> "psycopg.Connection[tuple[object, ...]]":
        if self._connection is not None and not self._connection.closed:
            if self._alive(self._connection):
                return self._connection
            self.close()
        self._connection = self._database.connect(f"swath lock {self._run_id}")
        for name, value in _SERVER_KEEPALIVES.items():
            # Older servers do not know all of them.
            self._connection.execute("SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s", (value, name))
        return self._connection

    def _alive(self, connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
        """Whether a connection that slept since the last commit still works."""
        try:
            connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _give_back(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.execute("SELECT pg_advisory_unlock(%s)", (self._key,))
        except psycopg.Error:
            # The connection is gone, and the lock with it: check() tells the caller that was about to commit.
            self.close()

    def _holder(self, connection: "psycopg.Connection[tuple[object, ...]]") -> str:
        row = connection.execute(_HOLDER, (self._key,)).fetchone()
        if row is None:
            return "another driver, which has just ended"
        name, address, since = row
        return f"{str(name).removeprefix('swath lock ') or 'another driver'} ({address or 'this machine'}, since {since})"

    def _lost(self, why: str) -> str:
        return (
            f"{self._output}: the lock in {self._database} was lost before the commit ({why}); nothing was committed. "
            "Start the run again with its --run-id"
        )

    def _unreachable(self, error: psycopg.Error) -> str:
        return f"{self._output} cannot be locked: {self._database} says {reason(error)}. Without its lock nothing is committed"


def key_of(output: str, purpose: str = "commit") -> int:
    """The 64-bit key of an output's lock in the database."""
    scheme, separator, rest = output.partition("://")
    plain = f"s3://{rest}" if separator and scheme in {"s3", "s3a"} else output
    digest = hashlib.sha256(f"swath {purpose} {plain.rstrip('/')}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
