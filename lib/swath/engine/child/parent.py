"""A child process that a worker keeps, so that a crash, a hang or a memory hog costs one try and not the worker.

The parent side imports nothing heavy: rasterio, models and native code live in the child.
"""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swath.engine.child.kernel_kills import kernel_kills
from swath.engine.child.nursery import Nursery, Nursling
from swath.engine.refused import Refused
from swath.errors import (
    ConfigError,
    CrashError,
    InternalError,
    MemoryLimitError,
    SceneError,
    ServiceError,
    TimeLimitError,
    failure_named,
)
from swath.outside import message

#: How often the parent looks at the child's resident size [s].
_WATCH_S = 0.2
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
_TRIES = 2
#: A child that has loaded its libraries says so in a line; on a busy machine that takes longer than a short limit [s].
READY = b"ready\n"
#: Begins the line of a child that pauses for a store, before the seconds of the pause.
WAITING = b"waiting "
_START_S = 300.0
#: Class of a refusal that is the configuration's fault: the run stops with it.
CONFIG = "config"
#: Class of a refusal that is the fault of a store which was away: the run ends with it, and can be continued.
STORE = ServiceError.error_class
#: Refusals that what the child met before may have caused.
_WORTH_A_FRESH_CHILD = frozenset({MemoryLimitError.error_class, InternalError.error_class})

_Process = subprocess.Popen[bytes] | Nursling


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may use.

    Args:
        memory_mb: Resident size of the child [MiB].
        seconds: Wall time of a call.
        gpus: Addresses of the GPUs that the call may use, by commas; empty for none.
    """

    memory_mb: int = 1536
    seconds: float = 900.0
    gpus: str = ""


class _ChildDiedError(Exception):
    """The child is gone; ``error`` says what to tell of it."""

    def __init__(self, error: SceneError) -> None:
        super().__init__(str(error))
        self.error = error


def _check_address_space(memory_mb: int) -> None:
    """A shell's limit that a child inherits is no scene's fault."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY and soft < memory_mb << 20:
        msg = (
            f"processes of this shell may use {soft >> 20} MiB of address space (ulimit -v), and a scene may need"
            f" {memory_mb} MiB; raise it: ulimit -v unlimited"
        )
        raise ConfigError(msg)


class Child:
    """Starts on first use, restarts after a death, ends with its parent.

    Args:
        limits: Limits of each call.
        module: Module that the child runs; its ``main`` must serve requests as ``engine.child.main.main`` does.
        nursery: Forks the child; without one, or when it does not answer, the child is a Python of its own.

    Raises:
        ConfigError: This process may use less address space than a call.
    """

    def __init__(self, limits: Limits, *, module: str = "swath.engine.child.main", nursery: Nursery | None = None) -> None:
        _check_address_space(limits.memory_mb)
        self._limits = limits
        self._module = module
        self._nursery = nursery
        self._process: _Process | None = None
        self._kills = 0

    def call(self, request: dict[str, Any]) -> dict[str, Any] | Refused:
        """Have one request done.

        Returns:
            The answer, or the SceneError that the request met. A death of the child twice in a row is one. So is memory that did
            not suffice twice, and an unexpected error twice: what a child has kept from earlier requests must not count.

        Raises:
            InfrastructureError: A resource that every scene needs failed; Spark may retry.
        """
        last: dict[str, Any] | Refused = Refused("", "")
        for _ in range(_TRIES):
            try:
                answer = self._once(request)
            except _ChildDiedError as death:
                told = death.error.of(named(request))
                last = Refused(told.error_class, message(str(told)))
                continue
            if not _is_worth_a_fresh_child(answer):
                return answer
            self.close()
            last = answer
        return last

    def close(self) -> None:
        """End the child."""
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process = None

    def _once(self, request: dict[str, Any]) -> dict[str, Any] | Refused:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            msg = "the child has no pipes"
            raise RuntimeError(msg)
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise _ChildDiedError(self._post_mortem(process)) from None
        answer: dict[str, Any] = json.loads(self._line(process, seconds=self._limits.seconds))
        told = answer.get("refused") or answer.get("unforeseen")
        if told is not None:
            return Refused.from_plain(told)
        if "failed" in answer:
            raise failure_named(answer["failed"]["class"], answer["failed"]["message"])
        result: dict[str, Any] = answer["done"]
        return result

    def _line(self, process: _Process, *, seconds: float) -> bytes:
        """The answer, while time and memory are watched."""
        if process.stdout is None:
            msg = "the child has no pipes"
            raise RuntimeError(msg)
        descriptor = process.stdout.fileno()
        deadline = time.monotonic() + seconds
        data = bytearray()
        while not data.endswith(b"\n"):
            if select.select([descriptor], [], [], _WATCH_S)[0]:
                chunk = os.read(descriptor, 1 << 20)
                if not chunk:
                    raise _ChildDiedError(self._post_mortem(process))
                data += chunk
                while (end := data.find(b"\n")) >= 0 and data.startswith(WAITING):
                    # A store is away: that time is not the scene's.
                    deadline += float(data[len(WAITING) : end])
                    del data[: end + 1]
                continue
            if time.monotonic() > deadline:
                self.close()
                raise _ChildDiedError(_too_slow(self._limits))
            self._watch_memory(process)
        return bytes(data)

    def _watch_memory(self, process: _Process) -> None:
        try:
            resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * _PAGE_MB
        except (OSError, IndexError):
            return
        if resident > self._limits.memory_mb:
            self.close()
            raise _ChildDiedError(_too_big(self._limits, got=f"{resident:.0f} MiB"))

    def _post_mortem(self, process: _Process) -> SceneError:
        code = process.wait()
        self.close()
        if code == -signal.SIGKILL:
            return _out_of_container(self._limits) if kernel_kills() > self._kills else _killed()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return CrashError(
            "the process that worked on the scene died",
            expected="an answer",
            got=how,
            remedy="A native library crashed on a file of this scene; check the files, then run `swath retry`.",
        )

    def _running(self) -> _Process:
        if self._process is None or self._process.poll() is not None:
            self.close()
            environment = {
                # MiB; a row of JPEG 2000 tiles of all bands. GDAL's default, a share of the machine, outgrows the limit.
                "GDAL_CACHEMAX": "256",
                **os.environ,
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                "SWATH_CHILD_MEMORY_MIB": str(self._limits.memory_mb),
                **_gpu_variables(self._limits.gpus),
            }
            self._kills = kernel_kills()
            self._process = self._started(environment)
            self._line(self._process, seconds=max(_START_S, self._limits.seconds))
        return self._process

    def _started(self, environment: Mapping[str, str]) -> _Process:
        forked = self._nursery.child(self._module, environment=environment) if self._nursery else None
        if forked is not None:
            return forked
        return subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, close_fds=True,
        )  # fmt: skip


def _gpu_variables(gpus: str) -> dict[str, str]:
    """The first counts for CUDA's libraries, the second for swath: networks are computed there and nowhere else."""
    return {"CUDA_VISIBLE_DEVICES": gpus, "SWATH_GPUS": gpus} if gpus else {}


def _is_worth_a_fresh_child(answer: Mapping[str, Any] | Refused) -> bool:
    told = answer.error_class if isinstance(answer, Refused) else (answer.get("unfit") or {}).get("class")
    return told in _WORTH_A_FRESH_CHILD


def named(request: Mapping[str, Any]) -> str:
    """What messages call the scene of a request: its id, or the last part of its href if its id was never read."""
    return str(request.get("scene_id") or str(request.get("href", "")).rstrip("/").rsplit("/", 1)[-1])


def _too_slow(limits: Limits) -> SceneError:
    return TimeLimitError(
        "the scene was not finished in time",
        expected=f"under {limits.seconds:.0f} s for a strip",
        got="no answer",
        remedy="The file may be hostile; otherwise raise the time limit (--strip-seconds).",
    )


def _too_big(limits: Limits, *, got: str) -> SceneError:
    return MemoryLimitError(
        "the scene outgrew the memory limit of its process",
        expected=f"at most {limits.memory_mb} MiB",
        got=got,
        remedy="Use a smaller strip (--tile-size), or give a worker more memory (--worker-memory-mb).",
    )


def _out_of_container(limits: Limits) -> SceneError:
    return MemoryLimitError(
        "the kernel ended the process that worked on the scene, because the container's memory was used up",
        expected=f"a container with room for each worker's {limits.memory_mb} MiB beside Spark",
        got="signal 9 (SIGKILL), and one more out-of-memory kill in the kernel's count",
        remedy="Give the container more memory, or a worker less (--worker-memory-mb), then run `swath retry --error oom`.",
    )


def _killed() -> SceneError:
    return CrashError(
        "the process that worked on the scene was killed from outside",
        expected="an answer",
        got="signal 9 (SIGKILL)",
        remedy="A user, or the machine for lack of memory, ended it; see the machine's log, then run `swath retry`.",
    )
