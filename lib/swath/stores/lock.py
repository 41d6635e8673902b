"""One committing run per output: a lock that the kernel takes back when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from swath.errors import LockError
from swath.stores.base import Store
from swath.stores.local import LocalStore

LOCK_FILE = ".lock"


@contextmanager
def output_lock(store: Store, *, run_id: str) -> Iterator[None]:
    """Hold the lock of an output while the block runs.

    A store that is no file system is not locked here.

    Raises:
        LockError: Another run holds it.
    """
    if not isinstance(store, LocalStore):
        yield
        return
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
