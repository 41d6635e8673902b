"""What ended a run or a command, in one line: errors of Spark, Java and the machine as swath's own.

Spark's errors ask the JVM for their text: it must be asked for while the session is there.
"""

import errno
import re
from typing import Final

from swath import __version__
from swath.errors import ConfigError, FullDiskError, InfrastructureError, SwathError, failure_named
from swath.outside import message

_LONGEST: Final = 600
#: The last line of a Python traceback within Spark's text.
_PYTHON: Final = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?([A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit)): (.*)$", re.MULTILINE)
#: What Py4J writes before the text of a Java exception.
_JAVA: Final = re.compile(r"^: ([\w.$]+): ?(.*)$", re.MULTILINE)
_LOST: Final = re.compile(
    r"(Job aborted due to stage failure|Lost executor|ExecutorLostFailure|was cancelled|SparkContext was shut down)"
)
#: Names of exceptions before a message, and the number of an error of the system.
_CLASSES: Final = re.compile(r"^(?:(?:[\w.$]+(?:Error|Exception): )|\[[Ee]rrno \d+\] )+")
#: What Delta says of a table with features that it does not know: table, its own version, the features.
_NEWER: Final = re.compile(
    r'Unsupported Delta (?:read|write) feature: table "([^"]*)" requires \w+ table feature\(s\) that are unsupported by'
    r' Delta Lake "([^"]*)": ([^\n]*)'
)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_WORDS: Final = ("No space left on device", "Disk quota exceeded")


def failure_of(error: Exception) -> SwathError:
    """The error as one of ours, with a message of one line.

    Args:
        error: Whatever a command ended by; one of ours is returned as it is.
    """
    if isinstance(error, SwathError):
        return error
    text = _text_of(error)
    if (isinstance(error, OSError) and error.errno in _FULL) or any(words in text for words in _FULL_WORDS):
        return FullDiskError(_full(error, text))
    if (newer := _NEWER.search(text)) is not None:
        return ConfigError(
            message(
                f"the table {newer[1]} was written by a newer version: it has features of Delta ({newer[3].strip('. ')})"
                f" that this one (swath {__version__} with Delta {newer[2]}) does not know; use the swath that wrote it",
                longest=_LONGEST,
            )
        )
    if "Traceback (most recent call last)" in text:
        found = _PYTHON.findall(text)
        if found:
            name, told = found[-1]
            return failure_named(
                name, message(told if name.endswith("InfrastructureError") else f"a worker failed: {name}: {told}")
            )
    java = _JAVA.search(text)
    if java is not None:
        line = _java_line(text, java)
        return InfrastructureError(message(f"Spark failed: {line}", longest=_LONGEST))
    return InfrastructureError(message(f"unexpected {type(error).__name__}: {text}", longest=_LONGEST))


def _java_line(text: str, java: "re.Match[str]") -> str:
    """The exception's first line, and the innermost cause where it has one."""
    causes = re.findall(r"^Caused by: ([\w.$]+: ?.*)$", text, re.MULTILINE)
    first = f"{java[1].rpartition('.')[2]}: {java[2]}"
    return f"{first} (caused by {causes[-1].rpartition('.')[2] if ':' not in causes[-1] else causes[-1]})" if causes else first


def _full(error: Exception, text: str) -> str:
    where = getattr(error, "filename", None)
    line = next((line.strip() for line in text.splitlines() if any(w in line for w in _FULL_WORDS)), text)
    line = _CLASSES.sub("", line)
    return message(
        f"a disk is full: {where or line}; make room in the output and in the folders for temporary files", longest=_LONGEST
    )


def _text_of(error: Exception) -> str:
    try:
        return str(error)
    except Exception as failed:  # noqa: BLE001  Spark's errors ask a JVM that may be gone
        return f"(its message is lost: {type(failed).__name__})"
