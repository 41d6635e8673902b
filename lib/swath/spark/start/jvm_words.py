"""What a JVM says, through Python's own standard error: a progress bar keeps its place, and pytest captures it.

Until the JVM has started its words are held back: of one that does not start the cause is told in one line, and no trace.
"""

import os
import re
import sys
import threading
from typing import Final

_WAIT_S: Final = 5.0
#: Spark always adds the vector module for its linear algebra, which we do not use; Java always warns of it.
#: Delta tells standard output what VACUUM deleted, whatever its log level: ``swath maintain`` says it in its own words.
_UNASKED: Final = re.compile(
    r"WARNING: Using incubator modules: jdk\.incubator\.vector|Deleted \d+ files and directories in a total of .*"
)
#: A line that says what is wrong, not where, and not that something is.
_CAUSE: Final = re.compile(
    r'(?:Exception in thread "[^"]*" |Caused by: )?(?P<cause>\S*(?:Error|Exception|Invalid|limit|memory)\b.*)'
)
_NO_CAUSE: Final = re.compile(r"Error: (?:A JNI error has occurred|Could not create the Java Virtual Machine|A fatal exception)")


class JvmWords:
    """The standard output and error of one JVM.

    Args:
        descriptor: End of the pipe to read from; closed when the JVM has ended.
    """

    def __init__(self, descriptor: int) -> None:
        self._held: list[str] | None = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._retell, args=(descriptor,), name="spark-says", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """The JVM has started: tell what was held back, and from now on each line as it comes."""
        with self._lock:
            held, self._held = self._held or [], None
            for line in held:
                _tell(line)

    def cause(self) -> str:
        """Why a JVM that has ended did not start, in its own words; empty where it says nothing."""
        self._thread.join(timeout=_WAIT_S)
        with self._lock:
            held, self._held = [line.strip() for line in self._held or ()], []
        said = [found["cause"] for line in held if not _NO_CAUSE.match(line) and (found := _CAUSE.match(line))]
        return (said or held or [""])[0][:200]

    def _retell(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if _UNASKED.fullmatch(line.rstrip()):
                    continue
                with self._lock:
                    if self._held is None:
                        _tell(line)
                    else:
                        self._held.append(line)


def _tell(line: str) -> None:
    """Write a line to whatever is standard error at that moment."""
    sys.stderr.write(line)
    sys.stderr.flush()
