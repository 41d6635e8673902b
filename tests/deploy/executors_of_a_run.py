"""Run by ``test_executors_of_a_run``: tasks fail on a cluster of two executors, one is lost; prints what is known of them."""

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark import TaskContext

from swath.spark.executor_logs import ExecutorLogs
from swath.spark.held import core_seconds, executors
from swath.spark.start.session import build_session, stop_session
from swath.stores.registry import open_store


def _fail(rows: Any) -> Any:
    """Fails in the first task, after it wrote what nobody may read."""
    context = TaskContext.get()
    if context is not None and context.partitionId() == 0:
        sys.stderr.write("asking s3://bucket?X-Amz-Signature=abcdef with password=hunter2\n")
        msg = "the task's own words"
        raise ValueError(msg)
    return rows


def _pids(rows: Any) -> Any:
    """The executor's process: a worker's daemon is its child."""
    list(rows)
    yield int(Path(f"/proc/{os.getppid()}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def main(output: str) -> None:
    """Run, and print."""
    store = open_store(output)
    conf = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"{output}/events", "spark.eventLog.compress": "false"}
    (Path(output) / "events").mkdir()
    began = datetime.now(UTC)
    spark = build_session(app="executors", master="local-cluster[2,1,512]", conf=conf)
    told: list[str] = []
    logs = ExecutorLogs(spark, store, run_id="r", say=told.append)
    try:
        spark.sparkContext.parallelize(range(4), 4).mapPartitions(_fail).count()
    except Exception as error:  # noqa: BLE001  Spark's
        told.append(type(error).__name__)
    logs.look()
    (pid, *_) = set(spark.sparkContext.parallelize(range(4), 4).mapPartitions(_pids).collect())
    before = len([e for e in executors(spark) if e.until is not None])
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while len([e for e in executors(spark) if e.until is not None]) == before:
        if time.monotonic() > until:
            msg = "no executor was lost within a minute"
            raise TimeoutError(msg)
        time.sleep(0.1)
    logs.keep()
    ended = datetime.now(UTC)
    held = core_seconds(executors(spark), since=began, until=ended)
    stop_session(spark)
    print(json.dumps({"told": told, "core_s": held, "ended": ended.timestamp()}))  # noqa: T201  for the test


if __name__ == "__main__":
    main(sys.argv[1])
