"""What the JVM says is told by Python."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark import SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from swath.errors import ConfigError
from swath.spark.start import gateway
from swath.spark.start.jvm_words import JvmWords

_SAID = """WARNING: Using incubator modules: jdk.incubator.vector
Deleted 3 files and directories in a total of 1 directories.
spark WARN Disk: it is full
"""


def test_what_the_jvm_says_is_told_but_for_lines_that_nobody_can_use(capsys: pytest.CaptureFixture[str]) -> None:
    said, says = os.pipe()
    os.write(says, _SAID.encode())
    words = JvmWords(said)
    words.release()
    os.close(says)
    words._thread.join()
    assert capsys.readouterr().err == "spark WARN Disk: it is full\n"


_FEW_FILES = """Error: A JNI error has occurred, please check your installation and try again
Exception in thread "main" java.lang.InternalError: Error loading java.security file
\tat java.base/java.security.Security.initialize(Security.java:106)
spark-class: line 97: CMD: bad array subscript
"""
_NO_HEAP = """Error: Could not create the Java Virtual Machine.
Error: A fatal exception has occurred. Program will exit.
Invalid maximum heap size: -Xmx0x
"""


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (_FEW_FILES, "java.lang.InternalError: Error loading java.security file"),
        (_NO_HEAP, "Invalid maximum heap size: -Xmx0x"),
        ("spark-class: /no/java: No such file or directory\n", "spark-class: /no/java: No such file or directory"),
        ("", ""),
    ],
)
def test_of_a_jvm_that_does_not_start_the_cause_alone_is_told(capsys: pytest.CaptureFixture[str], said: str, cause: str) -> None:
    read, write = os.pipe()
    os.write(write, said.encode())
    os.close(write)
    assert JvmWords(read).cause() == cause
    assert capsys.readouterr().err == ""


@pytest.mark.spark
def test_a_shell_with_too_few_open_files_gets_one_message(tmp_path: Path) -> None:
    (tmp_path / "item.json").write_text('{"type": "Feature", "stac_version": "1.1.0", "id": "x"}', encoding="utf-8")
    command = [sys.executable, "-m", "swath.cli", "run", "toa", "--input", str(tmp_path), "--output", str(tmp_path / "out")]
    script = 'ulimit -n 64 && exec "$@"'
    done = subprocess.run(["/bin/bash", "-c", script, "-", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (told,) = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert re.match(r"swath: Spark's JVM did not start \(.+\); this shell's limits: open files \(ulimit -n\) 64, ", told)


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
        ("", r"this shell's limits: open files \(ulimit -n\) \d+, address space in bytes \(ulimit -v\) \w+\. Raise them: "),
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
