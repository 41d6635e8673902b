"""What the JVM says is told by Python."""

import os
import signal
import subprocess

import pytest
from pyspark import SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from swath.errors import ConfigError
from swath.spark.start import gateway

_SAID = """WARNING: Using incubator modules: jdk.incubator.vector
Deleted 3 files and directories in a total of 1 directories.
spark WARN Disk: it is full
"""


def test_what_the_jvm_says_is_told_but_for_lines_that_nobody_can_use(capsys: pytest.CaptureFixture[str]) -> None:
    said, says = os.pipe()
    os.write(says, _SAID.encode())
    os.close(says)
    gateway._retell(said)
    assert capsys.readouterr().err == "spark WARN Disk: it is full\n"


def test_a_jvm_whose_start_is_interrupted_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def launched(*_: object) -> None:
        proc = subprocess.Popen(["/bin/sleep", "600"])  # as PySpark names it
        started.append(proc)
        raise KeyboardInterrupt(proc.pid)

    monkeypatch.setattr(gateway, "launch_gateway", launched)
    monkeypatch.setattr(SparkContext, "_gateway", None)
    with pytest.raises(KeyboardInterrupt, match=r"^\d+$"):
        gateway.start_jvm({"spark.master": "local[1]"})
    assert [process.returncode for process in started] == [-signal.SIGKILL]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", r"this shell's limits: open files \(ulimit -n\) \d+, address space in bytes \(ulimit -v\) \w+\. Raise them, or see"),
        (
            "no-such-name.invalid",
            r"the name of this machine, \S+, does not resolve: add it to /etc/hosts, or set SPARK_LOCAL_HOSTNAME",
        ),
    ],
)
def test_a_jvm_that_does_not_start_is_one_line_with_what_to_do(name: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "launch_gateway", _exited)
    monkeypatch.setattr(SparkContext, "_gateway", None)
    monkeypatch.setenv("SPARK_LOCAL_HOSTNAME", name or "localhost")
    with pytest.raises(ConfigError, match=rf"^Spark's JVM did not start \(.*exited.*\); {told}"):
        gateway.start_jvm({"spark.master": "local[1]"})


def _exited(*_: object) -> None:
    raise PySparkRuntimeError(errorClass="JAVA_GATEWAY_EXITED", messageParameters={})


@pytest.mark.spark
def test_a_jvm_that_runs_is_kept(spark: SparkSession) -> None:
    before = spark.sparkContext._gateway
    gateway.start_jvm({"spark.master": "local[1]"})
    assert spark.sparkContext._gateway is before


@pytest.mark.spark
def test_a_warning_of_spark_reaches_the_standard_error_of_that_moment(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    jvm = spark._jvm
    assert jvm is not None
    jvm.java.lang.System.err.println("from the JVM")
    jvm.java.lang.System.err.flush()
    # The line comes through a pipe and a thread: wait for the thread to have told what was said before.
    told = ""
    while "from the JVM" not in told:
        told += capsys.readouterr().err
    assert "incubator" not in told
