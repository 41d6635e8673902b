"""Start and stop Spark, with the settings that swath was measured with. Nothing starts at import."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

import swath
from swath.errors import ConfigError
from swath.spark.start.archive import reading_options
from swath.spark.start.event_log import make_event_log_folder
from swath.spark.start.gateway import kill_jvm, start_jvm, stop_jvm
from swath.spark.start.interrupt import interrupted, take_back
from swath.spark.start.jars import delta_class_path, s3a_class_path
from swath.spark.start.java import HOW_TO_GET, find_java
from swath.spark.start.prepare import fetch_s3a
from swath.spark.start.s3a import S3A_SETTING, executor_environment, s3a_settings
from swath.spark.start.s3a_jars import S3A_JARS
from swath.spark.start.settings import (
    DAEMON,
    DEFAULT_MASTER,
    on_one_machine,
    settings_for,
    with_class_path,
    with_java_options,
)

__all__ = ["SparkSession", "build_session", "stop_session"]

#: Spark's launchers put this behind everything else.
_LAST_ON_CLASS_PATH = "SPARK_DIST_CLASSPATH"


def build_session(
    *, app: str, master: str | None = None, conf: Mapping[str, str] | None = None, output: str = ""
) -> SparkSession:
    """The session of this process: a new one, or the one that spark-submit prepared.

    Args:
        app: Name of the application.
        master: Spark master; without one that of spark-submit, otherwise ``local[*,4]``.
        conf: Settings that win over ours. Under spark-submit, what it was given wins over ours too.
        output: Root of the run's output; for S3, Spark learns how to open it, and fetches what it needs for that once.

    Raises:
        ConfigError: There is no Java that Spark runs on, or no jars for Delta or S3.
        KeyboardInterrupt: Ctrl-C came; the JVM is gone.
    """
    asked = {**(conf or {}), "spark.app.name": app}
    if master:
        asked["spark.master"] = master
    stores = {**executor_environment(), **s3a_settings([output]), **_of_driver()}
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        settings = _submitted(asked, stores=stores)
    else:
        settings = _fresh(asked, stores=stores)
        start_jvm(settings)
    builder = SparkSession.builder
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        _make_context(settings)
        return builder.getOrCreate()
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt) and not interrupted():
            raise
        kill_jvm()
        raise KeyboardInterrupt from error


def _make_context(settings: Mapping[str, str]) -> None:
    """Make the context by itself: with it comes Spark's handler of Ctrl-C, which would be in force while the session is made."""
    before = signal.getsignal(signal.SIGINT)
    try:
        SparkContext.getOrCreate(SparkConf().setAll(list(settings.items())))
    finally:
        take_back(before)


def stop_session(spark: SparkSession) -> None:
    """Stop the session and wait for its JVM to end (PySpark alone leaves the JVM until Python exits)."""
    spark.stop()
    stop_jvm()


def _submitted(asked: Mapping[str, str], *, stores: Mapping[str, str]) -> dict[str, str]:
    """Settings for a JVM that runs already: what it was given stays, unless the caller asks for something else."""
    SparkContext._ensure_initialized()  # noqa: SLF001 (connects to the JVM that spark-submit started)
    given = dict(SparkConf().getAll())
    wanted = _with_python(settings_for(asked.get("spark.master") or given.get("spark.master", DEFAULT_MASTER)))
    wanted.setdefault("spark.master", DEFAULT_MASTER)
    wanted |= stores
    make_event_log_folder({**given, **asked})
    return {**{k: v for k, v in wanted.items() if k not in given}, **asked}


def _fresh(asked: Mapping[str, str], *, stores: Mapping[str, str]) -> dict[str, str]:
    """Settings for a JVM that this process starts."""
    master = asked.get("spark.master", DEFAULT_MASTER)
    java = find_java()
    if java is None:
        raise ConfigError(HOW_TO_GET)
    # PySpark reads these two from the environment only.
    os.environ["JAVA_HOME"] = str(java)
    # Machines of a standalone cluster are installed alike; by default Spark takes the first `python3` on PATH.
    if on_one_machine(master) or master.startswith("spark://"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {**with_class_path(settings_for(master), delta_class_path(), master=master), **stores}
    if S3A_SETTING in stores:
        settings = _with_s3a(settings, master=master)
    logging = _logging_option() if on_one_machine(master) else ""
    driver = " ".join(o for o in (_logging_option(), reading_options(java)) if o)
    settings = with_java_options(settings, driver=driver, executor=logging)
    settings = _with_python(settings)
    if on_one_machine(master) and "spark.executorEnv.PYTHONPATH" in settings:
        settings["spark.python.daemon.module"] = DAEMON
    return {**settings, "spark.master": master, **asked}


def _with_s3a(settings: Mapping[str, str], *, master: str) -> dict[str, str]:
    """Let Spark find the jars for S3, fetched when this machine sees them for the first time."""
    paths = s3a_class_path()
    if paths is None:
        folder = fetch_s3a()
        paths = tuple(folder / jar.name for jar in S3A_JARS)
    if not on_one_machine(master):
        named = [settings.get("spark.jars", ""), *map(str, paths)]
        return {**settings, "spark.jars": ",".join(n for n in named if n)}
    # Behind Spark's own: a class archive fits only what it begins with.
    told = [os.environ.get(_LAST_ON_CLASS_PATH, ""), *map(str, paths)]
    os.environ[_LAST_ON_CLASS_PATH] = ":".join(dict.fromkeys(t for t in ":".join(told).split(":") if t))
    return dict(settings)


def _logging_option() -> str:
    path = Path(__file__).with_name("log4j2.properties")
    return f"-Dlog4j2.configurationFile={path}" if path.is_file() else ""


def _of_driver() -> dict[str, str]:
    """What the driver alone reads: accounts, and pools of tasks where their file can be read (in a zip Spark does without)."""
    path = Path(__file__).with_name("pools.xml")
    there = {"spark.scheduler.mode": "FAIR", "spark.scheduler.allocation.file": path.as_uri()}
    # Executors that are gone cost as well: the account of core seconds has them all (Spark forgets them from the 101st on).
    return {**(there if path.is_file() else {}), "spark.ui.retainedDeadExecutors": "10000"}


def _with_python(settings: Mapping[str, str]) -> dict[str, str]:
    """Let workers import the swath of this process, unless Spark ships it as a zip."""
    lib = Path(swath.__file__).resolve().parents[1]
    return {**settings, "spark.executorEnv.PYTHONPATH": str(lib)} if lib.is_dir() else dict(settings)
