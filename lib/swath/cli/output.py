"""Shared by the commands that look at an existing output."""

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.errors import ConfigError, StoppedError
from swath.stores.base import Store
from swath.stores.lock import CommitLock, commit_lock, output_lock
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath.spark.start.session import SparkSession

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, last.")
master_option = click.option("--master", help="Spark master; spark-submit's own, otherwise local[*,4].")


@contextmanager
def session(name: str, master: str | None, *, output: str = "", given: "SparkSession | None" = None) -> "Iterator[SparkSession]":
    """A session for one command.

    Args:
        name: Name of what is done, for Spark's pages.
        master: Spark master; None for the default.
        output: Output of the command; one on S3 must be named, so that Spark can open it.
        given: Session of the caller, which is used as it is and not stopped.

    Raises:
        SwathError: Spark failed; the error of Spark is its cause.
        KeyboardInterrupt: Ctrl-C came; Spark's error about the cancelled job is its cause.
    """
    if given is not None:
        yield given
        return
    from swath.spark.start.interrupt import interrupted  # noqa: PLC0415  a second of imports, as the next
    from swath.spark.start.session import build_session, stop_session  # noqa: PLC0415

    spark = build_session(app=f"swath {name}", master=master, output=output)
    try:
        yield spark
    except Exception as error:
        if interrupted() and not isinstance(error, StoppedError):
            raise KeyboardInterrupt from error
        # Errors of Spark ask the JVM for their text, and it ends with the session.
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark"):
            raise
        from swath.spark.failure import failure_of  # noqa: PLC0415

        raise failure_of(error) from error
    finally:
        stop_session(spark)


@contextmanager
def locked(store: Store, *, run_id: str) -> "Iterator[CommitLock]":
    """The output's lock, and what each commit takes.

    Raises:
        LockError: A run is at work.
    """
    with output_lock(store, run_id=run_id), closing(commit_lock(store, run_id=run_id)) as lock:
        yield lock


def existing(output: str) -> Store:
    """The store of an output that a run has used before.

    Raises:
        ConfigError: No run has used it.
    """
    store = open_store(output if "://" in output else str(Path(output).absolute()), create=False)
    from swath.ledger.open import has_ledger  # noqa: PLC0415  as above

    if not has_ledger(store):
        msg = f"{output} is not a swath output (no ledger found); check the path"
        raise ConfigError(msg)
    return store
