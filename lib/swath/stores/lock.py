"""One committing run per output: a lock that the kernel takes back when its holder dies, or one in PostgreSQL."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from swath.errors import LockError
from swath.settings import LOCK, Settings
from swath.stores.base import Store
from swath.stores.local import LocalStore

if TYPE_CHECKING:
    from swath.stores.pg_lock import PgLock

LOCK_FILE = ".lock"


class CommitLock(Protocol):
    """What keeps other drivers from committing while this one does."""

    def held(self) -> AbstractContextManager[None]:
        """Hold it while a block runs; blocks may nest.

        Raises:
            LockError: Another process holds it.
        """
        ...

    def check(self) -> None:
        """See that it is still held, right before a commit.

        Raises:
            LockError: The lock is lost: nothing may be committed.
        """
        ...

    def close(self) -> None:
        """Let go of what it needs between commits."""
        ...


class NoLock:
    """No other driver commits: the whole run holds the lock of its output, or none was requested."""

    def held(self) -> AbstractContextManager[None]:
        """At once."""
        return nullcontext()

    def check(self) -> None:
        """Nothing can have been lost."""

    def close(self) -> None:
        """Nothing is open."""


def commit_lock(store: Store, *, run_id: str, environ: Mapping[str, str] = os.environ) -> CommitLock:
    """The lock that commits to an output take, as ``SWATH_LOCK`` says.

    Raises:
        ConfigError: The kind is unknown, or PostgreSQL's connection string is missing or broken, or the wait no number.
    """
    return _database_lock(store, run_id=run_id, purpose="commit", environ=environ) or NoLock()


@contextmanager
def output_lock(store: Store, *, run_id: str, environ: Mapping[str, str] = os.environ) -> Iterator[CommitLock]:
    """Hold the lock of an output while the block runs: no other run plans, makes or cleans there meanwhile.

    A file system has a lock of its own, which goes with its holder. One in PostgreSQL may be lost with its connection before
    the block ends: a long block checks it now and then, which takes it again. Tables stay safe in between, because every commit
    takes another one (``commit_lock``).

    Yields:
        The lock, to be checked.

    Raises:
        LockError: Another run holds it.
        ConfigError: See ``commit_lock``.
    """
    with ExitStack() as stack:
        if isinstance(store, LocalStore):
            stack.enter_context(_file_lock(store, run_id=run_id))
        lock = _database_lock(store, run_id=run_id, purpose="run", environ=environ)
        if lock is not None:
            stack.callback(lock.close)
            stack.enter_context(lock.held())
        yield lock or NoLock()


def _database_lock(store: Store, *, run_id: str, purpose: str, environ: Mapping[str, str]) -> "PgLock | None":
    settings = Settings.of(environ)
    if settings.lock != "postgresql":
        return None
    dsn = settings.dsn_for(LOCK)
    from swath.stores.database import Database  # noqa: PLC0415  psycopg only where a database is configured
    from swath.stores.pg_lock import PgLock  # noqa: PLC0415

    return PgLock(Database(dsn), output=store.root, purpose=purpose, run_id=run_id, wait_s=settings.lock_wait_s)


@contextmanager
def _file_lock(store: LocalStore, *, run_id: str) -> Iterator[None]:
    descriptor = os.open(store.at(LOCK_FILE), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another run"
            msg = f"{store.root} is locked by {holder}: wait for it to end, or choose another --output"
            raise LockError(msg) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"run {run_id} (process {os.getpid()})\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
