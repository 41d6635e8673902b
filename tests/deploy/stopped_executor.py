"""A job of two executors, of which one stops without a word: how long until its task begins elsewhere.

python stopped_executor.py FOLDER KEY=VALUE...

Prints the seconds.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyspark.sql import SparkSession

#: Both tasks are at work within so long [s].
LIMIT_S = 120.0


def _java() -> int:
    """The executor's process: the Java above this worker."""
    pid = os.getpid()
    while Path(f"/proc/{pid}/comm").read_text().strip() != "java":
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid


def main(folder: str, *settings: str) -> None:
    """Run the job."""
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.executor.memory", "512m")
    for setting in settings:
        builder = builder.config(*setting.split("=", 1))
    spark = builder.getOrCreate()
    stopped: list[float] = []

    def stop_one() -> None:
        until = time.monotonic() + LIMIT_S
        while len(pids := [p.read_text() for p in Path(folder).glob("first-*.pid")]) < 2 or not all(pids):
            if time.monotonic() > until:
                return
            time.sleep(0.05)
        Path(folder, "stopped").write_text(pids[0])
        os.kill(int(pids[0]), signal.SIGSTOP)
        stopped.append(time.time())

    def work(number: int, rows: Iterable[int]) -> Iterator[float]:
        del rows
        first = Path(folder, f"first-{number}.pid")
        if first.exists():
            yield time.time()
            return
        first.write_text(str(_java()))
        time.sleep(5)
        yield 0.0

    threading.Thread(target=stop_one, daemon=True).start()
    try:
        begun = max(spark.sparkContext.parallelize(range(2), 2).mapPartitionsWithIndex(work).collect())
    finally:
        os.kill(int(Path(folder, "stopped").read_text()), signal.SIGKILL)
    sys.stdout.write(f"{begun - stopped[0]:.1f}\n")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
