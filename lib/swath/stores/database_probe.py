"""What a PostgreSQL says when it is asked once: whether it is there, and whether it keeps a lock for a session."""

import psycopg

from swath.errors import ConfigError, LockError, ServiceError
from swath.stores.database import Database, hopeless, reason
from swath.stores.pg_lock import PgLock


def ask_database(dsn: str, *, locks: bool) -> tuple[bool, str, str]:
    """Ask it.

    Args:
        dsn: Connection string.
        locks: Runs are locked there.

    Returns:
        Whether all is well, what was found, and what to do about it.
    """
    try:
        database = Database(dsn)
    except ConfigError as error:
        return False, str(error), "Correct the connection string."
    try:
        with database.connect("swath doctor") as connection:
            row = connection.execute("SHOW server_version").fetchone()
    except psycopg.Error as error:
        remedy = (
            "Check host, name, user and password."
            if hopeless(error)
            else "Check that the server runs and is reachable from here."
        )
        return False, f"{database}: {reason(error)}", remedy
    found = f"{database}, version {row[0] if row else '?'}"
    if not locks:
        return True, found, ""
    lock = PgLock(database, output="swath doctor", run_id="doctor", wait_s=5.0, purpose="doctor")
    try:
        with lock.held():
            lock.check()
    except (LockError, ServiceError, ConfigError) as error:
        return False, str(error), "Name the server itself, not a pooler in transaction mode: the run's lock lives in one session."
    finally:
        lock.close()
    return True, f"{found}, keeps locks", ""
