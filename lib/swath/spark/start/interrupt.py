"""Ctrl-C: the first ends the stages at work and lets everything go in order, the second ends the process at once."""

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

#: What shells know of a process that Ctrl-C ended.
EXIT_INTERRUPTED: Final = 130
#: A JVM that does not answer is not waited for any longer [s].
_ENDING_S: Final = 5.0
_TOLD = "\nstopping: tasks are ended, locks and uploads are let go (Ctrl-C again ends at once)\n"


class Interrupts:
    """Handles SIGINT for a command."""

    def __init__(self) -> None:
        self._seen = False

    @property
    def seen(self) -> bool:
        """Whether the signal came."""
        return self._seen

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take the signal while a block runs."""
        before = signal.getsignal(signal.SIGINT)
        self.take()
        try:
            yield
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, before)

    def take(self) -> None:
        """Take the signal, also back from Spark, which handles it itself from the start of a session on."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self.on_signal)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """End what is at work.

        Raises:
            KeyboardInterrupt: The first time.
        """
        del number, frame
        if self._seen:
            # The kernel takes back file locks, a database the session's; the JVM ends when the pipe to it closes.
            os._exit(EXIT_INTERRUPTED)
        self._seen = True
        context = _context()
        if context is not None:
            os.write(2, _TOLD.encode())
        # Py4J logs the trace of a call that a signal ends, on the root logger.
        logging.getLogger().addFilter(lambda record: "while sending command" not in record.getMessage())
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        # PySpark warns that it could not collect what this signal cancelled, with Java's trace.
        warnings.filterwarnings("ignore", message="toPandas attempted Arrow optimization")
        # This thread's connection to the JVM may be in the middle of a call: another thread has its own.
        if context is not None:
            ending = threading.Thread(target=_end_jobs, args=(context,), daemon=True)
            ending.start()
            ending.join(_ENDING_S)
        raise KeyboardInterrupt


def _context() -> Any:
    """Spark's context, where a session is at work."""
    spark = sys.modules.get("pyspark")
    # A signal may come in the middle of the import of PySpark; PySpark's own handler asks the same attribute.
    known = getattr(spark, "SparkContext", None)
    return getattr(known, "_active_spark_context", None)


def _end_jobs(context: Any) -> None:
    with suppress(Exception):  # a JVM that is gone has no jobs
        # Tasks that are ended log what they miss, with Java's traces.
        context.setLogLevel("OFF")
        context.cancelAllJobs()


def interrupted() -> bool:
    """Whether Ctrl-C came to this command.

    PySpark asks for the result of a cancelled job in a ``finally``: its error then replaces the ``KeyboardInterrupt``.
    """
    owner = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    return isinstance(owner, Interrupts) and owner.seen


def take_back(handler: object) -> None:
    """Give SIGINT back to ``Interrupts`` after Spark took it; any other handler stays replaced."""
    owner = getattr(handler, "__self__", None)
    if isinstance(owner, Interrupts):
        owner.take()
