"""The JVM behind a session: started so that what it says goes through Python's own standard error."""

import os
import resource
import socket
from collections.abc import Mapping
from subprocess import Popen
from traceback import walk_tb

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway

from swath.errors import ConfigError
from swath.spark.start.jvm_words import JvmWords

_JVM_EXIT_S = 60
#: A JVM with Spark needs several hundred files and some GiB of address space.
_LIMITS = (("open files (ulimit -n)", resource.RLIMIT_NOFILE), ("address space in bytes (ulimit -v)", resource.RLIMIT_AS))


def start_jvm(settings: Mapping[str, str]) -> None:
    """Start the JVM of this process with these settings; does nothing when it runs."""
    if SparkContext._gateway is not None:  # noqa: SLF001 (PySpark has no public way to its JVM)
        return
    conf = SparkConf(loadDefaults=False)
    for key, value in settings.items():
        conf.set(key, value)
    said, says = os.pipe()
    words = JvmWords(said)
    try:
        gateway = launch_gateway(conf, {"stdout": says, "stderr": says})  # type: ignore[no-untyped-call]  # PySpark has no types here
    except (PySparkRuntimeError, OSError) as error:
        os.close(says)
        cause = words.cause() or str(error)
        msg = f"Spark's JVM did not start ({cause}); {_likely_cause()}"
        raise ConfigError(msg) from error
    except BaseException as error:
        os.close(says)
        _end_launched(error)
        raise
    os.close(says)
    words.release()
    SparkContext._ensure_initialized(gateway=gateway)  # noqa: SLF001 (the only way to hand a JVM to PySpark)


def _end_launched(error: BaseException) -> None:
    """End the JVM whose start an exception left (Ctrl-C): it would wait for ever for a Python that never heard of its port.

    PySpark keeps the process to itself until it answers, so it is taken from the frame that the exception came through.
    """
    for frame, _ in walk_tb(error.__traceback__):
        process = frame.f_locals.get("proc")
        if isinstance(process, Popen):
            process.kill()
            process.wait(timeout=_JVM_EXIT_S)


def _likely_cause() -> str:
    """What keeps a JVM from starting, as far as this process can see, and what to do."""
    name = socket.gethostname()
    try:
        socket.gethostbyname(os.environ.get("SPARK_LOCAL_HOSTNAME") or name)
    except OSError:
        return f"the name of this machine, {name}, does not resolve: add it to /etc/hosts, or set SPARK_LOCAL_HOSTNAME=localhost"
    limits = ", ".join(f"{label} {_limit(kind)}" for label, kind in _LIMITS)
    return f"this shell's limits: {limits}. Raise them: a run needs about 1,000 open files and 8 GiB of address space"


def _limit(kind: int) -> str:
    """What this process may use at most."""
    soft, _ = resource.getrlimit(kind)
    return "unlimited" if soft == resource.RLIM_INFINITY else str(soft)


def stop_jvm() -> None:
    """End the JVM of this process and wait for it, so that a later session gets a new one."""
    gateway = SparkContext._gateway  # noqa: SLF001 (PySpark alone leaves the JVM until Python exits)
    process = getattr(gateway, "proc", None)
    if gateway is None or process is None:
        return
    gateway.shutdown()
    process.stdin.close()
    process.wait(timeout=_JVM_EXIT_S)
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001 (the same)


def kill_jvm() -> None:
    """End the JVM of this process at once: an interrupt left it in the middle of its start, where it hears nothing."""
    process = getattr(SparkContext._gateway, "proc", None)  # noqa: SLF001 (as above)
    if process is not None:
        process.kill()
        process.wait(timeout=_JVM_EXIT_S)
