"""How many tasks of a job are done, told while it works by a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

Progress = Callable[[int, int], None]
_POLL_S = 0.5


@contextmanager
def following(spark: SparkSession, *, group: str, total: int, progress: Progress | None) -> Iterator[None]:
    """Tell the progress of the jobs of a block, and at its good end that all is done.

    Args:
        spark: The session.
        group: Job group of the block's jobs.
        total: Tasks of their largest stage.
        progress: Told how many of how many tasks are done; None tells nothing.
    """
    if progress is None:
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(spark, progress), kwargs={"group": group, "total": total, "done": done}, daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    progress(total, total)


def _watch(spark: SparkSession, progress: Progress, *, group: str, total: int, done: threading.Event) -> None:
    tracker = spark.sparkContext.statusTracker()
    while not done.wait(_POLL_S):
        stages = [s for j in tracker.getJobIdsForGroup(group) if (job := tracker.getJobInfo(j)) for s in job.stageIds]
        finished = max((info.numCompletedTasks for s in stages if (info := tracker.getStageInfo(s))), default=0)
        progress(min(finished, total), total)
