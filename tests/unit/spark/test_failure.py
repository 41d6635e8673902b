"""What ended a run, in one line."""

import errno

import pytest

from swath import __version__
from swath.errors import ConfigError, FullDiskError, InfrastructureError, LockError
from swath.spark.failure import failure_of

WORKER = """An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/lib/swath/engine/child.py", line 120, in call
    raise failure_named(answer["failed"]["class"], answer["failed"]["message"])
swath.errors.InfrastructureError: OSError: [Errno 28] {}
"""
JAVA = """An error occurred while calling o71.parquet.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 failed 4 times: Lost task: ExecutorLostFailure
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2898)
Caused by: java.lang.OutOfMemoryError: Java heap space
"""


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("exception str() failed")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Exception(WORKER.format("the model is gone")), "OSError: [Errno 28] the model is gone"),
        (Exception(WORKER.format("No space left on device")), "a disk is full: No space left on device; make room"),
        (Exception(JAVA), "Spark failed: SparkException: Job aborted due to stage failure"),
        (Exception(JAVA), "Java heap space"),
        (OSError(errno.ENOSPC, "No space left on device", "/out/x"), "a disk is full: /out/x"),
        (MuteError(), "unexpected MuteError: (its message is lost"),
        (KeyError("a\nb"), "unexpected KeyError"),
    ],
)
def test_every_error_is_one_line(error: Exception, told: str) -> None:
    found = failure_of(error)
    assert isinstance(found, InfrastructureError)
    assert told in str(found)
    assert "\n" not in str(found)
    assert "Traceback" not in str(found)


def test_a_full_disk_is_an_error_of_its_own_also_where_a_worker_met_it() -> None:
    for error in (Exception(WORKER.format("No space left on device")), OSError(errno.EDQUOT, "Disk quota exceeded")):
        assert isinstance(failure_of(error), FullDiskError)


def test_a_table_of_a_newer_version_is_refused_with_both_versions() -> None:
    said = (
        "An error occurred while calling o71.load.\n: org.apache.spark.sql.delta.DeltaUnsupportedTableFeatureException:"
        ' [DELTA_UNSUPPORTED_FEATURES_FOR_READ] Unsupported Delta read feature: table "file:/out/tables/runs" requires reader'
        ' table feature(s) that are unsupported by Delta Lake "4.0.1": typeX, typeY.\n\tat org.apache.spark.sql.delta'
    )
    found = failure_of(Exception(said))
    assert isinstance(found, ConfigError)
    assert str(found).startswith(
        "the table file:/out/tables/runs was written by a newer version: it has features of Delta (typeX, typeY)"
    )
    assert f"swath {__version__} with Delta 4.0.1" in str(found)


def test_one_of_ours_stays_what_it_is() -> None:
    error = LockError("x")
    assert failure_of(error) is error
