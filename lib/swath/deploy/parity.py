"""Runs one job as two sites would, here, and compares the products.

It proves that two renderings ask for the same work and that two versions of Spark and Delta do it alike. It does not
prove two clusters: network, identity, stores and schedulers are not in it.
"""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swath.deploy.engine_command import EngineCommand, words_and_variables
from swath.deploy.operate.launch_error import LaunchError
from swath.spark.start.jars import DELTA_PACKAGE, delta_class_path, spark_home

_SHOWN = 2000
_LOG_LINE = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (INFO|WARN|DEBUG) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The Spark of one side.

    Args:
        spark_home: Folder that contains ``bin/spark-submit``; its parent contains the ``pyspark`` package.
        packages: Delta, when its jars are not beside Spark's.
        jars: Delta's jars.
        variables: More environment, as ``NPY_DISABLE_CPU_FEATURES``.
    """

    spark_home: Path
    packages: str = ""
    jars: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_lock(cls, **variables: str) -> "Runtime":
        """The Spark and the Delta of the lock."""
        return cls(spark_home=spark_home(), jars=delta_class_path(), variables=variables)

    @classmethod
    def other(cls, folder: Path, *, delta: str) -> "Runtime":
        """Another pyspark, installed with ``pip install --target FOLDER``, with Delta ``delta``."""
        return cls(spark_home=folder / "pyspark", packages=DELTA_PACKAGE.rsplit(":", 1)[0] + f":{delta}")


def execute(command: EngineCommand, *, runtime: Runtime, timeout_s: float = 1800) -> None:
    """Run a localised command with a Spark.

    Raises:
        LaunchError: The command failed or exceeded its time limit.
    """
    conf = dict(command.conf)
    if runtime.packages:
        conf["spark.jars.packages"] = runtime.packages
    if runtime.jars:
        conf["spark.jars"] = ",".join(str(jar) for jar in runtime.jars)
    local = EngineCommand(
        program=command.program,
        arguments=command.arguments,
        conf=conf,
        driver=command.driver,
        executor={**command.executor, **runtime.variables},
    )
    words, variables = words_and_variables(local, submit=str(runtime.spark_home / "bin" / "spark-submit"))
    variables |= {
        **runtime.variables,
        "SPARK_HOME": str(runtime.spark_home),
        # this side's pyspark comes before the one that is installed
        "PYTHONPATH": ":".join([str(runtime.spark_home.parent), *(p for p in sys.path if p)]),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    try:
        done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise LaunchError(f"spark-submit did not end within {timeout_s:.0f} s") from error
    if done.returncode:
        raise LaunchError(f"spark-submit ended with {done.returncode}: {_told(done)}")


def _told(done: subprocess.CompletedProcess[str]) -> str:
    """What the program itself said last. spark-submit puts what Python writes to stderr on its own stdout."""
    own = [line for text in (done.stderr, done.stdout) for line in text.splitlines() if not _LOG_LINE.match(line)]
    return "\n".join(own)[-_SHOWN:]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityComparison:
    """Two outputs, file by file.

    Args:
        same: Files with equal names (names hold the asset key) and equal bytes.
        differing: Equal names, other bytes.
        only_a: Files on side a only: another key, so other inputs, steps or parameters.
        only_b: Files on side b only.
    """

    same: tuple[str, ...]
    differing: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def equal_keys(self) -> bool:
        """Both sides made the same products, by their keys."""
        return bool(self.same or self.differing) and not self.only_a and not self.only_b

    @property
    def equal_bytes(self) -> bool:
        """And every byte of them."""
        return self.equal_keys and not self.differing


def compare(a: Path, b: Path) -> ParityComparison:
    """Compare the product files below two outputs."""
    left, right = dict(_digests(a)), dict(_digests(b))
    both = sorted(left.keys() & right.keys())
    return ParityComparison(
        same=tuple(name for name in both if left[name] == right[name]),
        differing=tuple(name for name in both if left[name] != right[name]),
        only_a=tuple(sorted(left.keys() - right.keys())),
        only_b=tuple(sorted(right.keys() - left.keys())),
    )


def _digests(output: Path) -> Iterator[tuple[str, str]]:
    """Assets below ``products`` by path, with their sha256. Items tell times and sites, so they may differ."""
    for path in sorted((output / "products").rglob("*.tif")):
        with path.open("rb") as file:
            yield str(path.relative_to(output)), hashlib.file_digest(file, "sha256").hexdigest()
