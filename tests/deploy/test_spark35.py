"""The Spark of EMR 7.13 (3.5.6, Delta 3.3.2) takes scenes in, makes and commits; each Spark goes on with the other's tables."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.environments import ROOT, environment

from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.spark.start.jars import cache_folder
from swath.spark.start.java import find_java

pytestmark = [pytest.mark.tools, pytest.mark.spark, pytest.mark.timeout(1200)]
DELTA = "io.delta:delta-spark_2.12:3.3.2"
Swath = Callable[..., Any]


@pytest.fixture(scope="module")
def old_python() -> Path:
    """The Python of an environment with Spark 3.5."""
    return environment("spark35")


@pytest.fixture
def swath(java: None, old_python: Path, tmp_path: Path) -> Swath:
    """A job by the Spark that is named, or a command without one: its JSON."""
    home = {"JAVA_HOME": str(find_java()), "PYTHONPATH": str(ROOT / "lib"), "SWATH_CONF": str(ROOT / "conf")}

    def run(version: str, job: str, *words: str) -> Any:
        python = old_python if version == "3.5" else Path(sys.executable)
        variables = {**os.environ, **home, "PYSPARK_PYTHON": str(python), "PYSPARK_DRIVER_PYTHON": str(python)}
        if version == "3.5":
            submit = old_python.with_name("spark-submit")
            ivy = f"spark.jars.ivy={cache_folder() / 'ivy-spark35'}"
            master = ("--master", "local[2,4]", "--packages", DELTA, "--conf", ivy, *_DELTA_SETTINGS)
            command = [str(submit), *master, str(ROOT / "jobs" / f"{job}.py"), *words, "--json"]
        else:
            command = [str(python), "-m", "swath.cli", "run" if job == "process" else job, *words, "--json"]
        done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
        if "unresolved dependency" in done.stderr or "Server access error" in done.stderr:
            pytest.skip(f"{DELTA} cannot be fetched here")
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines else None

    return run


#: What EMR sets itself.
_DELTA_SETTINGS = (
    *("--conf", "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension"),
    *("--conf", "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog"),
)


def test_each_spark_goes_on_with_the_others_tables(swath: Swath, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    one = simulate(kind="landsat9", folder=tmp_path, size=96, truth=False)
    scenes = [one.delivery, copied(one, folder=tmp_path / "other", rename={"193022_2024": "191999_2024"}).delivery]

    def made(version: str, count: int, run_id: str) -> tuple[int, int]:
        words = [word for scene in scenes[:count] for word in ("--input", str(scene))]
        told = swath(version, "process", "toa", *words, "--output", out, "--run-id", run_id)
        return told["made"], told["skipped"]

    swath("3.5", "ingest", "--input", str(scenes[0]), "--output", out)
    assert made("3.5", 1, "old") == (1, 0)
    assert made("4.0", 2, "new") == (1, 1)
    assert made("3.5", 2, "again") == (0, 2)
    assert swath("4.0", "reconcile", out)["findings"] == []
    told = swath("4.0", "status", out)
    assert {r["run_id"] for r in told["runs"]} >= {"old", "new", "again"}
    assert told["products"] == {"toa": 2}
    # the tables that each wrote are joined and vacuumed by the older Delta
    swath("3.5", "maintain", out)
    assert swath("4.0", "status", out)["products"] == {"toa": 2}
