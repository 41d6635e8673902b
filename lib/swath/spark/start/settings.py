"""Spark settings of swath, with their reasons. Pure: nothing is started and nothing is looked up here.

The JVM only plans and commits; pixels stay in Python. So what helps is a JVM that starts fast, not one that gets fast.
The effect of each setting is measured in docs/benchmarks.md, "Session start".
"""

import re
from collections.abc import Mapping
from pathlib import Path

#: Spark's daemon of Python workers with swath's imports; only for workers that can import swath as they start.
DAEMON = "swath.spark.start.daemon"
DEFAULT_MASTER = "local[*,4]"  # plain local[*] fails the job at the first failure of a task

#: One compiler tier, one collector thread, no statistics file: halves the CPU of a short run, costs nothing in a long one.
FAST_START = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"

#: True everywhere. The same lines are in conf/spark-defaults.conf for spark-submit; a test holds them equal.
EVERYWHERE: Mapping[str, str] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Every read of a Delta snapshot is a job of this many tasks (default 50); our ledgers are small,
    "spark.databricks.delta.snapshotPartitions": "2",
    # and a million reference rows are 200 MB: more tasks than this would be mostly start (default 200).
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.python.worker.reuse": "true",
    "spark.ui.showConsoleProgress": "false",
    # Reference rows are few and each is minutes of work: gluing partitions together would undo the plan,
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    # and batches of the default 10,000 rows would hide progress.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
}

#: Where driver and executors share one small machine.
ON_ONE_MACHINE: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    # Planning rows are few: compiling a class for each expression costs more than interpreting it.
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    # Plans are small and known: watching each stage to plan anew costs more than it finds.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}

#: Environment of every Python worker. Spark owns the cores, so libraries get one thread; malloc keeps the large
#: buffers of a strip instead of returning them to the kernel for each block (23 -> 20 CPU s on the chain of one scene).
WORKER_ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "GDAL_NUM_THREADS": "1",
    "OPJ_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(2 << 30),
}


def on_one_machine(master: str) -> bool:
    """True for ``local``, ``local[...]`` and ``local-cluster[...]``."""
    return master.startswith("local")


def cores_of(master: str, *, machine: int) -> int | None:
    """Cores of ``local``, ``local[n]``, ``local[*]`` and those with a number of failures; None for any other master.

    Args:
        master: Spark master.
        machine: Cores of this machine.
    """
    found = re.fullmatch(r"local(?:\[\s*(?P<cores>\d+|\*)\s*(?:,\s*\d+\s*)?\])?", master)
    if found is None:
        return None
    cores = found["cores"] or "1"
    return machine if cores == "*" else int(cores)


def settings_for(master: str) -> dict[str, str]:
    """What swath sets for a master, without anything that depends on this machine's files."""
    settings = dict(EVERYWHERE)
    settings.update({f"spark.executorEnv.{name}": value for name, value in WORKER_ENVIRONMENT.items()})
    settings["spark.driver.extraJavaOptions"] = settings["spark.executor.extraJavaOptions"] = FAST_START
    if on_one_machine(master):
        settings.update(ON_ONE_MACHINE)
    if memory := re.fullmatch(r"local-cluster\[\s*\d+\s*,\s*\d+\s*,\s*(\d+)\s*\]", master):
        # An executor asks for 1 GiB by default and would wait for ever on a smaller worker.
        settings["spark.executor.memory"] = f"{memory.group(1)}m"
    return settings


def with_class_path(settings: Mapping[str, str], jars: tuple[Path, ...], *, master: str) -> dict[str, str]:
    """Add jars: on the class path where executors see the same files, shipped to the executors elsewhere."""
    if not jars:
        return dict(settings)
    if not on_one_machine(master):
        return {**settings, "spark.jars": ",".join(str(j) for j in jars)}
    path = ":".join(str(j) for j in jars)
    return {**settings, "spark.driver.extraClassPath": path, "spark.executor.extraClassPath": path}


def with_java_options(settings: Mapping[str, str], *, driver: str = "", executor: str = "") -> dict[str, str]:
    """Add options to the JVM command lines."""
    joined = dict(settings)
    for key, options in (("spark.driver.extraJavaOptions", driver), ("spark.executor.extraJavaOptions", executor)):
        joined[key] = " ".join(o for o in (joined.get(key, ""), options) if o)
    return joined


def properties(settings: Mapping[str, str]) -> str:
    """Settings in the format of spark-defaults.conf."""
    return "".join(f"{key} {value}\n" for key, value in sorted(settings.items()))
