"""What may happen to a run at any moment."""

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tests.faults.processes import Role, of_role, send
from tests.faults.whole_product import MADE, Maker

from swath.engine.child.parent import Child, Limits
from swath.errors import InfrastructureError, LockError
from swath.stores.local import LocalStore
from swath.stores.lock import output_lock

Rng = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The run that something happens to.

    Args:
        pid: Of its driver.
        output: Where it writes.
        items: Scenes that it works on.
        pipeline: As it travels.
        strip_rows: Of the run.
        rng: Draws who is hit, and for how long.
        small_disk: Whether the output lies on a file system of its own that may be filled.
    """

    pid: int
    output: Path
    items: tuple[Path, ...]
    pipeline: str
    strip_rows: int
    rng: Rng
    small_disk: bool


#: What was done; None when nobody was there to be hit.
Injection = Callable[[Target], str | None]


def _one(target: Target, role: Role) -> int | None:
    found = of_role(target.pid, role)
    return int(target.rng.choice(found)) if found else None


def _killed(role: Role) -> Injection:
    def kill(target: Target) -> str | None:
        pid = _one(target, role)
        return f"process {pid}" if pid is not None and send(pid, signal.SIGKILL) else None

    return kill


def _driver_killed(target: Target) -> str | None:
    return "SIGKILL" if send(target.pid, signal.SIGKILL) else None


def _driver_terminated(target: Target) -> str | None:
    return "SIGTERM" if send(target.pid, signal.SIGTERM) else None


def _frozen(target: Target) -> str | None:
    """A worker or a child that stands still for a while, as in a container that is out of processor time."""
    role: Role = "worker" if target.rng.random() < 0.5 else "child"
    pid = _one(target, role)
    seconds = float(target.rng.uniform(0.5, 2.0))
    if pid is None or not send(pid, signal.SIGSTOP):
        return None
    time.sleep(seconds)
    send(pid, signal.SIGCONT)
    return f"{role} {pid} for {seconds:.1f} s"


def _disk_full(target: Target) -> str | None:
    """The output's file system has no byte left for a while."""
    if not target.small_disk:
        return None
    seconds = float(target.rng.uniform(0.5, 2.0))
    filler = target.output.parent / f"filler-{time.monotonic_ns()}"
    with filler.open("wb") as file:
        with suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(target.output).free)
        with suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(1 << 16))
    time.sleep(seconds)
    filler.unlink()
    return f"for {seconds:.1f} s"


def _files_limited(target: Target) -> str | None:
    """Children may write no file over 4 KiB for a while: a quota."""
    limited: dict[int, tuple[int, int]] = {}
    seconds = float(target.rng.uniform(0.5, 2.0))
    for pid in of_role(target.pid, "child"):
        with suppress(OSError, ValueError):
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
            limited[pid] = before
    if not limited:
        return None
    time.sleep(seconds)
    for pid, before in limited.items():
        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    return f"{len(limited)} children for {seconds:.1f} s"


def _twins(target: Target) -> str | None:
    """The same tasks of one scene twice at once, from strips to the item, beside the run that may make it too."""
    item = target.items[int(target.rng.integers(len(target.items)))]
    children = [Child(Limits(memory_mb=1024, seconds=120.0)) for _ in range(2)]
    makers = [
        Maker(child=c, pipeline=target.pipeline, output=target.output, strip_rows=target.strip_rows, folder=".scratch/twins")
        for c in children
    ]
    try:
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda m: m.make(str(item)), makers))
    except InfrastructureError as error:
        return f"{item.stem}: {error}"
    finally:
        for child in children:
            child.close()
    return f"{item.stem}: {', '.join(r if r == MADE else f'{r} ({m})' for r, m in results)}"


def _second_driver(target: Target) -> str | None:
    """Somebody else tries to take the output."""
    if not (target.output / ".lock").exists():
        return None
    try:
        with output_lock(LocalStore(target.output), run_id="another"):
            pass
    except LockError:
        return "refused"
    return None


def _clock_wrong(target: Target) -> str | None:
    """Files that somebody with another clock wrote: of the scratch, of the scenes, of the products."""
    files = [p for p in [*target.items, *target.output.rglob("*")] if p.is_file()]
    if not files:
        return None
    chosen = [files[int(i)] for i in target.rng.integers(len(files), size=20)]
    moved = float(target.rng.choice([-3e8, -86_400.0, -3600.0, 3600.0, 86_400.0, 3e8]))
    done = 0
    for path in chosen:
        with suppress(OSError):
            now = path.stat().st_mtime
            os.utime(path, (now + moved, now + moved))
            done += 1
    return f"{done} files by {moved / 3600:+.0f} h"


#: Everything, with how often it is drawn. Those that end the driver are at most ``ENDINGS`` in a run.
KINDS: Final[Mapping[str, tuple[Injection, float]]] = {
    "child killed": (_killed("child"), 6.0),
    "Python worker killed": (_killed("worker"), 5.0),
    "nursery killed": (_killed("nursery"), 2.0),
    "executor killed": (_killed("executor"), 2.0),
    "worker or child frozen": (_frozen, 2.0),
    "disk full": (_disk_full, 3.0),
    "file size limited": (_files_limited, 2.0),
    "same task twice at once": (_twins, 2.0),
    "second driver": (_second_driver, 2.0),
    "clock of files wrong": (_clock_wrong, 2.0),
    "driver killed": (_driver_killed, 1.0),
    "driver terminated": (_driver_terminated, 1.0),
    "driver's JVM killed": (_killed("jvm"), 0.7),
}
ENDING: Final = frozenset({"driver killed", "driver terminated", "driver's JVM killed"})


class SmallDisk:
    """A file system of its own in memory, where this process may mount one."""

    def __init__(self, folder: Path, *, mib: int = 512) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        mount = shutil.which("mount")
        command = [mount or "mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, check=False) if mount and os.geteuid() == 0 else None
        self.mounted = done is not None and done.returncode == 0

    def close(self) -> None:
        """Unmount; what is on it is gone."""
        if self.mounted:
            subprocess.run([shutil.which("umount") or "umount", "-l", str(self.folder)], capture_output=True, check=False)
