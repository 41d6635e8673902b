"""The session does what the settings promise."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from tests.faults.processes import of_role

import swath
from swath.spark.start.settings import ON_ONE_MACHINE, WORKER_ENVIRONMENT, settings_for

pytestmark = pytest.mark.spark


def _append(spark: SparkSession, path: Path, *, wave: int) -> None:
    rows = spark.createDataFrame([("a", wave), ("b", wave)], "scene_id string, wave int")
    rows.write.format("delta").mode("append").options(txnAppId="run-1.tiles", txnVersion=str(wave)).save(str(path))


def _environment(rows: Iterable[Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    for _ in rows:
        import swath as found  # noqa: PLC0415 (imported where the worker runs)

        yield sys.executable, str(found.__file__), dict(os.environ)


def test_a_repeated_delta_append_is_a_no_op(spark: SparkSession, tmp_path: Path) -> None:
    for wave in (0, 1, 1, 0):
        _append(spark, tmp_path / "tiles", wave=wave)
    table = spark.read.format("delta").load(str(tmp_path / "tiles"))
    assert sorted(tuple(r) for r in table.collect()) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


def test_workers_run_this_python_and_this_swath_with_one_thread_each(spark: SparkSession) -> None:
    python, where, environment = spark.sparkContext.parallelize([0], 1).mapPartitions(_environment).first()
    assert (python, where) == (sys.executable, swath.__file__)
    assert {name: environment.get(name) for name in WORKER_ENVIRONMENT} == dict(WORKER_ENVIRONMENT)


def _ingest_nothing(rows: Iterable[Any]) -> Iterator[str]:
    from swath.engine.child.kept import answer_json  # noqa: PLC0415
    from swath.engine.child.parent import Limits  # noqa: PLC0415 (imported where the worker runs)

    for _ in rows:
        yield answer_json({"op": "ingest", "href": "/nowhere/S1"}, Limits())["refused"]["message"]


def test_workers_of_our_daemon_have_children_of_its_nursery(spark: SparkSession) -> None:
    (message,) = spark.sparkContext.parallelize([0], 1).mapPartitions(_ingest_nothing).collect()
    assert message.startswith("this is not a scene: ")
    assert "got /nowhere/S1." in message
    # Spark has a daemon for each environment that tasks ask for, and each of ours a nursery.
    nurseries, children = of_role(os.getpid(), "nursery"), of_role(os.getpid(), "child")
    assert children
    assert {_parent(c) for c in children} <= {*nurseries}
    workers = of_role(os.getpid(), "worker")
    assert workers
    assert not {*nurseries, *children} & {*workers}


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def test_a_task_that_fails_thrice_succeeds_at_its_fourth_attempt(spark: SparkSession, tmp_path: Path) -> None:
    attempts = tmp_path / "attempts"

    def flaky(rows: Iterable[int]) -> Iterator[int]:
        with attempts.open("a+", encoding="utf-8") as log:
            log.write("x")
            log.flush()
            if attempts.stat().st_size < 4:
                msg = "not yet"
                raise OSError(msg)
        yield from rows

    assert spark.sparkContext.parallelize([7], 1).mapPartitions(flaky).collect() == [7]
    assert attempts.read_text(encoding="utf-8") == "xxxx"


def test_a_session_carries_every_setting(spark: SparkSession) -> None:
    told = dict(spark.sparkContext.getConf().getAll())
    wanted = settings_for("local[2,4]")
    for options in ("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"):
        assert wanted.pop(options) in told[options]
    assert {key: told.get(key) for key in wanted} == wanted
    assert set(ON_ONE_MACHINE) < set(wanted)


_CLUSTER = """
import os, sys
from pathlib import Path
from swath.spark.start.rehearsal import rehearse
from swath.spark.start.session import build_session, stop_session

def where(rows):
    import swath
    yield os.getppid(), swath.__file__

spark = build_session(app="cluster", master="local-cluster[2,1,1024]")
places = spark.sparkContext.parallelize(range(4), 4).mapPartitions(where).collect()
scenes = rehearse(spark, Path(sys.argv[1]))
stop_session(spark)
print(len({p for p, _ in places}), len({f for _, f in places}), scenes)
"""


@pytest.mark.slow
def test_executors_of_their_own_import_swath_and_write_delta(java: None, tmp_path: Path) -> None:
    script = tmp_path / "cluster.py"
    script.write_text(_CLUSTER, encoding="utf-8")
    lib = str(Path(swath.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": lib},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["2", "1", "4"]), done.stderr[-2000:]


_SUBMITTED = """
from swath.spark.start.session import build_session
spark = build_session(app="submitted")
told = dict(spark.sparkContext.getConf().getAll())
print(told["spark.master"], told["spark.sql.shuffle.partitions"], told["spark.databricks.delta.snapshotPartitions"])
spark.stop()
"""


@pytest.mark.slow
def test_what_spark_submit_was_given_is_kept(java: None, tmp_path: Path) -> None:
    from swath.spark.start.jars import spark_home  # noqa: PLC0415

    script = tmp_path / "submitted.py"
    script.write_text(_SUBMITTED, encoding="utf-8")
    lib = Path(swath.__file__).parents[1]
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", "local[1,2]", "--conf", "spark.sql.shuffle.partitions=5"]
    command += ["--properties-file", str(lib.parent / "conf" / "spark-defaults.conf"), str(script)]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(lib), "PYSPARK_PYTHON": sys.executable, "SPARK_HOME": str(spark_home())},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout.split()[-3:]) == (0, ["local[1,2]", "5", "2"]), done.stderr[-2000:]


def test_the_cores_that_a_session_holds_are_known_by_its_executors(spark: "SparkSession") -> None:
    from swath.spark.held import core_seconds, executors  # noqa: PLC0415

    until = datetime.now(UTC)
    found = list(executors(spark))
    assert sum(e.cores for e in found) == spark.sparkContext.defaultParallelism
    assert all(e.until is None for e in found)
    held_s = core_seconds(found, since=until - timedelta(seconds=0.5), until=until)
    assert held_s == pytest.approx(0.5 * spark.sparkContext.defaultParallelism, rel=0.01)
