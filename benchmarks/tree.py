"""CPU seconds and memory of a whole process tree, read from /proc.

A command runs below this process, which makes itself the tree's subreaper: a process that loses its parent (a Spark worker's child,
say) becomes our child and is counted on. CPU is user + system time of every living process and of all that were waited for.
Memory is the proportional set size (shared pages divided among their users), summed over the processes, sampled.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PR_SET_CHILD_SUBREAPER = 36
_TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_S = 0.4
_ORPHANS_S = 10.0
_PHASE = "phase "
#: Malloc keeps large buffers, one thread a process: what Spark's workers get from swath, everybody gets here.
ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "GDAL_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(2 << 30),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far: of Java processes and of all others."""

    java_s: float = 0.0
    other_s: float = 0.0

    @property
    def total_s(self) -> float:
        """Both."""
        return self.java_s + self.other_s

    def __sub__(self, before: "Usage") -> "Usage":
        """What was used since."""
        return Usage(self.java_s - before.java_s, self.other_s - before.other_s)


@dataclass(slots=True)
class Peak:
    """Largest sums of proportional set sizes [MB]: of all but Java, of Java; and the largest heap of one that is not Java."""

    other_mb: float = 0.0
    java_mb: float = 0.0
    heap_mb: float = 0.0


@dataclass(slots=True)
class Phase:
    """What the tree used while one phase lasted."""

    cpu: Usage = field(default_factory=Usage)
    wall_s: float = 0.0
    peak: Peak = field(default_factory=Peak)


@dataclass(slots=True)
class Watched:
    """A finished command: its phases by name, and its last line of output."""

    phases: dict[str, Phase]
    said: str


def next_phase(name: str) -> None:
    """Called by the watched command: a phase of this name begins (``idle`` is measured like any other)."""
    sys.stdout.write(f"{_PHASE}{name}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def watch(command: Sequence[str]) -> Watched:
    """Run ``python -m command...`` and measure each of its phases.

    Raises:
        RuntimeError: The command failed.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "lib")])
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": paths},
    )  # fmt: skip
    tree = _Tree(process.pid)
    phases: dict[str, Phase] = {}
    said = ""
    with tree:
        for line in process.stdout or ():
            if not line.startswith(_PHASE):
                said = line.strip()
                continue
            tree.enter(phases.setdefault(line.removeprefix(_PHASE).strip(), Phase()))
            if process.stdin is not None:
                process.stdin.write("\n")
                process.stdin.flush()
    failed = process.wait()
    _reap()
    if failed:
        msg = f"{' '.join(command)} ended with {process.returncode}"
        raise RuntimeError(msg)
    return Watched(phases, said)


def watch_whole(command: Sequence[str]) -> Phase:
    """Run ``python -m command...`` and measure all of it. Its output goes to standard error.

    Raises:
        RuntimeError: The command ended with another code than 0 or 3 (some scenes are in quarantine).
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "lib")])
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=sys.stderr, cwd=ROOT, env={**os.environ, **ENVIRONMENT, "PYTHONPATH": paths},
    )  # fmt: skip
    tree, phase = _Tree(process.pid), Phase()
    with tree:
        tree.enter(phase)
        failed = process.wait()
        wall = time.monotonic() - began
    _reap()
    if failed not in (0, 3):
        msg = f"{' '.join(command)} ended with {failed}"
        raise RuntimeError(msg)
    phase.wall_s = wall
    return phase


def _reap() -> None:
    """Wait for the orphans that came to us, so that the next command does not count them."""
    deadline = time.monotonic() + _ORPHANS_S
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return


class _Tree:
    """Samples the descendants of a process; the last phase ends with the tree."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._phase = Phase()
        self._since = (Usage(), time.monotonic())
        self._usage = Usage()
        self._java: dict[int, float] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def enter(self, phase: Phase) -> None:
        """The phase before ends here."""
        with self._lock:
            self._measure()
            self._close()
            self._phase = phase

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._measure()
        self._close()

    def _close(self) -> None:
        usage, began = self._since
        now = time.monotonic()
        self._phase.cpu = self._usage - usage
        self._phase.wall_s = now - began
        self._since = (self._usage, now)

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            with self._lock:
                self._measure()

    def _measure(self) -> None:
        found = _descendants(self._root)
        if not found:
            return
        self._java.update({p.pid: p.own_s for p in found if p.name == "java"})
        # A Java process that ended was waited for: its time now counts with its parent's children.
        java = sum(self._java.values())
        total = sum(p.own_s + p.children_s for p in found)
        self._usage = Usage(java, max(total - java, self._usage.other_s))
        sizes = [(p.name == "java", _set_sizes(p.pid)) for p in found]
        peak = self._phase.peak
        others = [mb for is_java, mb in sizes if not is_java]
        peak.other_mb = max(peak.other_mb, sum(mb["Pss"] for mb in others))
        peak.java_mb = max(peak.java_mb, sum(mb["Pss"] for is_java, mb in sizes if is_java))
        peak.heap_mb = max(peak.heap_mb, max((mb["Pss_Anon"] for mb in others), default=0.0))


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    name: str
    own_s: float
    children_s: float


def _descendants(root: int) -> list[_Process]:
    """The process, all below it, and orphans that came to us."""
    known = {p.pid: p for p in map(_process, _pids()) if p is not None}
    below: dict[int, list[_Process]] = {}
    for process in known.values():
        below.setdefault(process.parent, []).append(process)
    # Everything below us but our own helpers is the tree: only one command runs at a time.
    found, queue = [], [os.getpid()]
    while queue:
        for process in below.get(queue.pop(), ()):
            found.append(process)
            queue.append(process.pid)
    return found if root in known else []


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  a hundred Path objects a sample


def _process(pid: int) -> _Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    head, _, rest = text.rpartition(")")
    fields = rest.split()
    user, system, waited_user, waited_system = (int(v) / _TICKS for v in fields[11:15])
    return _Process(pid, int(fields[1]), head.partition("(")[2], user + system, waited_user + waited_system)


def _set_sizes(pid: int) -> dict[str, float]:
    """Proportional set size of a process, and its anonymous part [MB]."""
    sizes = {"Pss": 0.0, "Pss_Anon": 0.0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            name, _, rest = line.partition(":")
            if name in sizes:
                sizes[name] = int(rest.split()[0]) / 1024
    return sizes
