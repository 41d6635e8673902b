"""What surrounds every run: its log, and an error that says how to continue."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from swath.errors import BrokenInstallationError, InfrastructureError, ServiceError, StoppedError, SwathError
from swath.runs.log import RunLog
from swath.runs.told import Told
from swath.spark.failure import failure_of
from swath.spark.start.interrupt import interrupted
from swath.stores.patience import heard_by
from swath.stores.registry import open_store
from swath.stores.spark_words import told_by_spark


@contextmanager
def recorded(run_id: str, *, output: str, told: Told) -> Iterator[RunLog]:
    """Keep the log of a run in its output, with the error that ends the run.

    Args:
        run_id: Id of the run.
        output: Output of the run.
        told: Hears of the progress too.

    Raises:
        SwathError: The run's, as ``continued_as`` tells it; it is marked as told.
    """
    log = RunLog(told)
    try:
        with heard_by(log.say), continued_as(run_id):
            yield log
    except SwathError as error:
        # Now: the session is stopped next, which takes a while, and takes with it what Spark could say.
        log.say(f"swath: {error}")
        error.told = True
        if error.__cause__ is not None:
            log.note("".join(traceback.format_exception(error.__cause__)).rstrip())
        raise
    finally:
        log.keep(open_store(output), run_id=run_id)


@contextmanager
def continued_as(run_id: str) -> Iterator[None]:
    """Say how to continue after a service was away; Spark errors with the same cause are reported the same way.

    Raises:
        ServiceError: A store or a database was away for too long.
        StoreRefusedError: A store refuses what Spark itself reads or writes.
        StoppedError: Ctrl-C came.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise _stopped(run_id) from None
    except Exception as error:
        if interrupted():
            raise _stopped(run_id) from error
        found = error if isinstance(error, SwathError) else (told_by_spark(str(error)) or failure_of(error))
        if isinstance(found, ServiceError | InfrastructureError):
            msg = f"{found}. Nothing is lost: start the same command again with --run-id {run_id}"
            raise type(found)(msg) from error
        if isinstance(found, BrokenInstallationError):
            msg = f"{found}. What is finished stays: start the same command again with --run-id {run_id}"
            raise BrokenInstallationError(msg) from None
        if found is error:
            raise
        raise found from error


def _stopped(run_id: str) -> StoppedError:
    return StoppedError(f"interrupted; what is finished stays: start the same command again with --run-id {run_id}")
