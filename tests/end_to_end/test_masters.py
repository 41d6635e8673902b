"""One job on every kind of master: the same bytes of every product file."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from tests.quick_jvm import quick_jvm

import swath
from swath.spark.start.jars import spark_home
from swath.spark.start.java import find_java

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(600)]

#: Everything that a pipeline can ask for: halos, resampling between grids, a model, classes, bits.
PIPELINE = """
name: all
title: Everything
steps: [toa, smac, qa, clouds, {landcover: {model: MODEL}}, ndvi, classes]
assets: {required: [sr, qa, ndvi, classes, landcover], optional: [toa, bt, cloud, landcover_probability]}
"""
ON_ONE_MACHINE = ("local[1,4]", "local[2,4]", "local-cluster[2,1,1024]")
LIB = Path(swath.__file__).parents[1]


@pytest.fixture(scope="module")
def given(small_model: Path, tall_scene: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The words of the job: a scene of two strips."""
    pipeline = tmp_path_factory.mktemp("pipeline") / "all.yaml"
    pipeline.write_text(PIPELINE.replace("MODEL", str(small_model)), encoding="utf-8")
    return str(pipeline), "--input", str(tall_scene("landsat9", side=96, copies=7)), "--tile-size", "512", "--json"


def made(command: list[str], *, output: Path, **variables: str) -> dict[str, str]:
    """Run the job; the digest of every product file."""
    # Neither Spark's variables of the outer process nor a Python that somebody named may help.
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYSPARK_", "SPARK_"))}
    environment = {**own, **quick_jvm(), "PYTHONPATH": str(LIB), "SWATH_CONF": str(LIB.parent / "conf"), **variables}
    done = subprocess.run(
        [*command, "--output", str(output)], env=environment, cwd=output.parent, capture_output=True, text=True, timeout=280,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["scenes_in"], told["made"], told["balanced"]) == (1, 1, True)
    files = sorted(p for p in (output / "products").rglob("*") if p.is_file())
    return {p.relative_to(output).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def expected(java: None, given: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the first master makes."""
    command = [sys.executable, "-m", "swath.cli", "run", *given, "--master", ON_ONE_MACHINE[0]]
    found = made(command, output=tmp_path_factory.mktemp("first") / "out")
    assert len([name for name in found if name.endswith(".tif")]) == 25
    return found


@pytest.mark.parametrize("master", ON_ONE_MACHINE[1:])
def test_a_job_on_one_machine_makes_the_same_bytes(
    given: tuple[str, ...], expected: dict[str, str], tmp_path: Path, master: str
) -> None:
    command = [sys.executable, "-m", "swath.cli", "run", *given, "--master", master]
    assert made(command, output=tmp_path / "out") == expected


def _told(lines: IO[str], word: str) -> str:
    """Read a log up to a line with a word; a thread reads on, so that the process never waits for a reader."""
    for line in lines:
        if word in line:
            threading.Thread(target=lines.read, daemon=True).start()
            return line
    pytest.fail(f"the log ended without {word!r}")


@contextmanager
def _daemon(name: str, *words: str, folder: Path) -> Iterator[IO[str]]:
    """A daemon of Spark's standalone cluster; its log."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYSPARK_")}
    environment |= quick_jvm() | {"SPARK_HOME": str(spark_home()), "JAVA_HOME": str(find_java()), "SPARK_DAEMON_MEMORY": "256m"}
    command = [str(spark_home() / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0", "--webui-port", "0", *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder,
    ) as daemon:  # fmt: skip
        assert daemon.stderr is not None
        try:
            yield daemon.stderr
        finally:
            daemon.terminate()


@pytest.fixture(scope="module")
def standalone(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a master with one worker, from pyspark's own jars."""
    folder = tmp_path_factory.mktemp("standalone")
    with ExitStack() as stack:
        log = stack.enter_context(_daemon("master.Master", folder=folder))
        address = _told(log, "Starting Spark master at ").split("Starting Spark master at ")[1].strip()
        words = ("--cores", "2", "--memory", "2g", "--work-dir", str(folder), address)
        _told(stack.enter_context(_daemon("worker.Worker", *words, folder=folder)), "Successfully registered with master")
        yield address


def _run(given: tuple[str, ...], master: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "swath.cli", "run", *given, "--master", master], {}


def _submit(given: tuple[str, ...], master: str) -> tuple[list[str], dict[str, str]]:
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", master, "--conf", f"spark.pyspark.python={sys.executable}"]
    settings = ["--properties-file", str(LIB.parent / "conf" / "spark-defaults.conf")]
    return [*command, *settings, str(LIB.parent / "jobs" / "process.py"), *given], {"SPARK_HOME": str(spark_home())}


@pytest.mark.parametrize("start", [_run, _submit], ids=["swath run", "spark-submit"])
def test_a_job_on_a_standalone_master_makes_the_same_bytes(
    given: tuple[str, ...], expected: dict[str, str], standalone: str, tmp_path: Path, start: Any
) -> None:
    command, variables = start(given, standalone)
    assert made(command, output=tmp_path / "out", **variables) == expected
