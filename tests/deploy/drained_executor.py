"""A job of two executors, of which one gets the preStop hook while its task is at work.

python drained_executor.py FOLDER HOOK KEY=VALUE...

Prints one JSON object: the code of the hook, how often each task began, and on which executor each did and when.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyspark.sql import SparkSession

TASKS, SECONDS = 6, 4.0
#: Both executors are at work within so long [s].
LIMIT_S = 120.0


def _java() -> int:
    """The executor's process: the Java above this worker."""
    pid = os.getpid()
    while Path(f"/proc/{pid}/comm").read_text().strip() != "java":
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid


def main(folder: str, hook: str, *settings: str) -> None:
    """Run the job."""
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.executor.memory", "512m")
    for setting in settings:
        builder = builder.config(*setting.split("=", 1))
    spark = builder.getOrCreate()
    told: dict[str, object] = {}

    def drain_one() -> None:
        until = time.monotonic() + LIMIT_S
        while len({p.read_text() for p in Path(folder).glob("*.begun") if p.read_text()}) < 2:
            if time.monotonic() > until:
                return
            time.sleep(0.05)
        executor = next(Path(folder).glob("*.begun")).read_text()
        proc = Path(folder, "proc")
        proc.mkdir()
        (proc / executor).symlink_to(f"/proc/{executor}")
        told["drained"], told["at"] = executor, time.time()
        told["code"] = subprocess.run(["/bin/sh", hook], env={**os.environ, "SWATH_PROC": str(proc)}, check=False).returncode

    def work(number: int, rows: Iterable[int]) -> Iterator[tuple[int, str, float, float]]:
        del rows
        executor, begun = str(_java()), time.time()
        Path(folder, f"{number}-{os.getpid()}.begun").write_text(executor)
        time.sleep(SECONDS)
        yield number, executor, begun, time.time()

    thread = threading.Thread(target=drain_one, daemon=True)
    thread.start()
    told["tasks"] = spark.sparkContext.parallelize(range(TASKS), TASKS).mapPartitionsWithIndex(work).collect()
    thread.join(30)
    told["begun"] = len(list(Path(folder).glob("*.begun")))
    sys.stdout.write(json.dumps(told) + "\n")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
