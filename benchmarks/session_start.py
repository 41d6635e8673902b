"""CPU seconds of one small run's session and ledger: ``python benchmarks/session_start.py [REPEATS]``.

Each run is a process of its own: a session, 16 tiny Python tasks, 1 + 3 Delta appends, one read. The variants take turns, so
that a busy machine disturbs all of them alike; CPU is that of the whole process tree.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[1] / "lib"
_SPARK_DEFAULTS = {
    "spark.driver.extraJavaOptions": "-Dswath=none",
    "spark.databricks.delta.snapshotPartitions": "50",
    "spark.sql.shuffle.partitions": "200",
    "spark.ui.enabled": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.adaptive.enabled": "true",
}
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "Spark's defaults": _SPARK_DEFAULTS,
    "swath without the class archive": {"spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"},
    "swath with code generation": {"spark.sql.codegen.factoryMode": "FALLBACK", "spark.sql.codegen.wholeStage": "true"},
    "swath with adaptive execution": {"spark.sql.adaptive.enabled": "true"},
    "swath": {},
}


def small_run(variant: str, folder: str) -> None:
    """The workload, in this process."""
    from swath.spark.start.session import build_session, stop_session  # noqa: PLC0415 (the parent measures without Spark)

    def tiny(rows: Iterable[Any]) -> Iterable[int]:
        yield sum(1 for _ in rows)

    spark = build_session(app="bench", conf=VARIANTS[variant])
    assert spark.sparkContext.parallelize(range(16), 16).mapPartitions(tiny).count() == 16
    for wave in range(4):
        rows = spark.createDataFrame([("scene", wave)], "scene_id string, wave int")
        rows.write.format("delta").mode("append").options(txnAppId="bench", txnVersion=str(wave)).save(f"{folder}/table")
    assert len(spark.read.format("delta").load(f"{folder}/table").collect()) == 4
    stop_session(spark)


def measured(variant: str) -> tuple[float, float]:
    """CPU seconds of the process tree and wall seconds of one small run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--run", variant, folder]
        subprocess.run(command, env={**os.environ, "PYTHONPATH": str(LIB)}, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - start


def main(repeats: int) -> None:
    """Print the table of docs/benchmarks.md."""
    runs: dict[str, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}
    for _ in range(repeats):
        for variant, found in runs.items():
            found.append(measured(variant))
    ours = statistics.median(cpu for cpu, _ in runs["swath"])
    print("| settings | CPU s, median (range) | x swath | wall s |\n|---|---|---|---|")
    for variant, found in runs.items():
        cpu = sorted(c for c, _ in found)
        middle, wall = statistics.median(cpu), statistics.median(w for _, w in found)
        print(f"| {variant} | {middle:.1f} ({cpu[0]:.1f} to {cpu[-1]:.1f}) | {middle / ours:.2f} | {wall:.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        small_run(sys.argv[2], sys.argv[3])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 3)
