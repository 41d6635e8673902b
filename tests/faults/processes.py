"""The processes of a run: which there are, by what they do; found in /proc, below the driver only."""

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

Role = Literal["worker", "child", "nursery", "executor", "jvm"]
#: In the command line; of those that swath's daemon forks, in the name that they took.
_MARKS: Final[dict[Role, str]] = {
    "child": "swath.engine.child.main",
    "nursery": "swath-nursery",
    # PySpark's own daemon, or ours.
    "worker": ".daemon pyspark.worker",
    "executor": "CoarseGrainedExecutorBackend",
    "jvm": "org.apache.spark.deploy.SparkSubmit",
}
_FORKED: Final = "swath-child"


def below(pid: int) -> list[int]:
    """All descendants of a process."""
    parents = {p: parent for p in _pids() if (parent := _parent(p))}
    found, queue = [], [pid]
    while queue:
        here = queue.pop()
        children = [p for p, parent in parents.items() if parent == here]
        found += children
        queue += children
    return found


def of_role(pid: int, role: Role) -> list[int]:
    """Descendants that do one kind of work."""
    here = below(pid)
    if role == "nursery":
        return [p for p in here if _name(p) == _MARKS[role]]
    # Children that a nursery forked have its daemon's command line.
    forked = [p for p in here if _name(p) == _FORKED]
    found = [p for p in here if _MARKS[role] in _command(p)]
    if role == "child":
        return forked + found
    if role != "worker":
        return found
    # The daemon forks its workers: those whose parent is a daemon itself.
    others = {*forked, *(p for p in here if _name(p) == _MARKS["nursery"])}
    return [p for p in found if p not in others and _MARKS["worker"] in _command(_parent(p))]


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def ended(pid: int, *, seconds: float) -> bool:
    """Wait until a process has ended, whosever it is; False when it still runs after so long."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # The handle can be read from when the process has ended.
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def send(pid: int, what: signal.Signals) -> bool:
    """Send a signal; False when the process was faster."""
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return False
    return True


def _pids() -> Iterator[int]:
    yield from (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
