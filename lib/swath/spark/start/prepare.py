"""Set-up of what Spark needs beside Python packages: ``python -m swath.spark.prepare``. Doing it again changes nothing."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from ctypes.util import find_library
from pathlib import Path

from swath.errors import ConfigError
from swath.spark.start.archive import archive_path, reading_options
from swath.spark.start.bytecode import keep_bytecode
from swath.spark.start.jars import (
    DELTA_JARS,
    DELTA_PACKAGE,
    cache_folder,
    intact,
    s3a_folder,
    spark_home,
)
from swath.spark.start.java import HOW_TO_GET, JAVA_PACKAGES, find_java, java_major
from swath.spark.start.s3a_jars import S3A_EXCLUDED, S3A_JARS, S3A_MEGABYTES, S3A_PACKAGES, Jar
from swath.spark.start.settings import properties, settings_for, with_java_options

log = logging.getLogger("swath.prepare")
#: What to say when ``openmp`` says no.
HOW_TO_GET_OPENMP = "OpenMP is missing: sudo apt-get install libgomp1"
_FETCH_S = 240
_REHEARSAL_S = 180


def main(words: Sequence[str] = ()) -> int:
    """Find or install Java, fetch the Delta jars, compile modules and pixel loops, make the class archive.

    With ``--s3a`` the jars for S3 are fetched too.

    Returns an exit code.
    """
    logging.basicConfig(level=logging.INFO, format="      %(message)s")
    try:
        if not openmp():
            install("libgomp1", remedy=HOW_TO_GET_OPENMP)
        java = find_java() or install_java()
        log.info("Java %s: %s", java_major(java), java)
        os.environ["JAVA_HOME"] = str(java)
        jars = fetch_jars()
        link_jars(jars)
        if "--s3a" in words:
            fetch_s3a()
    except ConfigError as error:
        log.error("%s", error)  # noqa: TRY400 (a traceback would not help the reader)
        return 2
    keep_bytecode()
    make_archive(java)
    compile_kernels()
    defaults = cache_folder() / "spark-defaults.conf"
    # By default Spark takes the first `python3` on the path, for the driver and for workers.
    settings = {**settings_for("local"), "spark.pyspark.python": sys.executable}
    defaults.write_text(properties(with_java_options(settings, driver=reading_options(java))), encoding="utf-8")
    log.info("for spark-submit: --properties-file %s", defaults)
    return 0


def compile_kernels() -> None:
    """Compile the loops over pixels, for ten seconds; otherwise every process of the first run does so for itself."""
    from swath.engine.child.warm_up import warm_up  # noqa: PLC0415  sessions import this module, and need no engine

    warm_up()
    log.info("loops over pixels: compiled")


def openmp() -> bool:
    """True when the OpenMP runtime is there, which LightGBM's wheel expects of the system."""
    return find_library("gomp") is not None


def install(*packages: str, remedy: str) -> None:
    """Install the first of these Debian packages that the system's archives have, where that needs no question.

    Raises:
        ConfigError: Not root, no apt, or apt failed; ``remedy`` is the message.
    """
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or not apt:
        raise ConfigError(remedy)
    log.info("installing %s", packages[0])
    failed = _apt(apt, "update", "-qq")
    for package in () if failed else packages:
        failed = _apt(apt, "install", "-qq", "-y", "--no-install-recommends", package)
        if not failed:
            return
    log.warning("%s", failed)
    raise ConfigError(remedy)


def _apt(*command: str) -> str:
    """Run apt; its errors, empty when it succeeded."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or "apt-get failed") if done.returncode else ""


def install_java() -> Path:
    """Install a Java that Spark runs on; its home.

    Raises:
        ConfigError: Java cannot be installed; the message says how to get it.
    """
    install(*JAVA_PACKAGES, remedy=HOW_TO_GET)
    java = find_java()
    if java is None:
        raise ConfigError(HOW_TO_GET)
    return java


def fetch_jars() -> Path:
    """Fetch the Delta jars into the cache.

    Raises:
        ConfigError: The jars cannot be fetched, or have other digests than expected.
    """
    return _fetched(DELTA_JARS, packages=(DELTA_PACKAGE,), folder=cache_folder() / "jars", name="Delta jars")


def fetch_s3a() -> Path:
    """Fetch the jars that let Spark open ``s3a://`` into the cache.

    Raises:
        ConfigError: The jars cannot be fetched, or have other digests than expected.
    """
    name = f"S3A jars ({S3A_MEGABYTES} MB)"
    return _fetched(S3A_JARS, packages=S3A_PACKAGES, excluded=S3A_EXCLUDED, folder=s3a_folder(), name=name)


def _fetched(jars: Sequence[Jar], *, packages: Sequence[str], excluded: Sequence[str] = (), folder: Path, name: str) -> Path:
    """Fetch jars with Spark's own resolver, which honours the user's Ivy and Maven settings."""
    missing = [jar for jar in jars if not intact(jar, folder=folder)]
    if not missing:
        log.info("%s: in %s", name, folder)
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    log.info("%s: fetching %s", name, packages[0])
    # Beside the cache: a temporary folder may be small, and a move within one file system costs nothing.
    with tempfile.TemporaryDirectory(dir=folder) as ivy:
        said = _resolve(Path(ivy), packages=packages, excluded=excluded)
        for jar in missing:
            _keep(jar, ivy=Path(ivy), folder=folder, said=said)
    return folder


def _resolve(ivy: Path, *, packages: Sequence[str], excluded: Sequence[str]) -> str:
    """Run spark-submit only as far as its resolver goes; what it said."""
    command = [str(spark_home() / "bin" / "spark-submit"), "--packages", ",".join(packages), "--conf", f"spark.jars.ivy={ivy}"]
    command += ["--exclude-packages", ",".join(excluded)] if excluded else []
    command += ["--class", "org.apache.spark.deploy.ResolvedAndDone", "none.jar"]
    environment = {**os.environ, "SPARK_HOME": str(spark_home())}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {_FETCH_S} s"
    return done.stdout + done.stderr


def _keep(jar: Jar, *, ivy: Path, folder: Path, said: str) -> None:
    fetched = next((p for p in (ivy / "jars").glob(f"*_{jar.name}")), None)
    if fetched is None:
        lines = [line.strip() for line in said.splitlines()]
        why = next((line for line in lines if "unresolved dependency" in line or "no answer" in line), "nothing came")
        msg = f"{jar.name} could not be fetched ({why}): name a mirror in DEFAULT_ARTIFACT_REPOSITORY, or put it into {folder}"
        raise ConfigError(msg)
    fetched.replace(folder / jar.name)
    if not intact(jar, folder=folder):
        (folder / jar.name).unlink()
        msg = f"{jar.name} is not the file it should be (SHA-256 {jar.sha256}): do not use the repository that it came from"
        raise ConfigError(msg)


def link_jars(folder: Path) -> None:
    """Lay the jars beside Spark's own when that Spark is ours, so that every way of starting it has them."""
    home = spark_home()
    if not home.is_relative_to(sys.prefix):
        return
    for jar in DELTA_JARS:
        if intact(jar, folder=home / "jars"):
            continue
        try:
            shutil.copyfile(folder / jar.name, home / "jars" / jar.name)
        except OSError as error:
            # A read-only installation: sessions of swath find the jars in the cache.
            log.warning("%s is not beside Spark's own jars (%s); spark-submit needs --jars", jar.name, error.strerror)


def make_archive(java: Path) -> None:
    """Make the class archive; without it everything works, only slower."""
    path = archive_path(java)
    if path.is_file():
        log.info("class archive: %s", path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    log.info("class archive: rehearsing a small run (about 20 s)")
    part = path.with_suffix(".part")
    command = [sys.executable, "-m", "swath.spark.start.rehearsal", str(part)]
    code, said = rehearsed(command, timeout_s=_REHEARSAL_S)
    if code is None:
        log.warning("class archive: not made (no end within %g s); sessions start slower", _REHEARSAL_S)
        return
    if code or not part.is_file():
        last = (said.strip().splitlines() or ["it left no archive"])[-1]
        log.warning("class archive: not made (%s); sessions start slower", last)
        return
    part.replace(path)
    log.info("class archive: %d MB", path.stat().st_size >> 20)


def rehearsed(command: Sequence[str], *, timeout_s: float) -> tuple[int | None, str]:
    """Run a program that starts a JVM, and end both when they take too long or are interrupted.

    Args:
        command: The program and its arguments.
        timeout_s: Longest duration [s].

    Returns:
        Its exit code (None when it was ended) and what it wrote to standard error.
    """
    # A group of their own: a JVM outlives the Python that started it.
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True
    ) as process:
        try:
            _, said = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said
