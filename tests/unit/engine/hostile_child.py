"""What a child may meet: run as a module by the tests of ``Child`` in place of ``swath.engine.child.main``."""

import ctypes
import errno
import mmap
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swath.engine.child import main as child_main
from swath.errors import ConfigError, InfrastructureError, ReadError, ServiceError
from swath.stores.patience import PatientCall

_HELD: list[mmap.mmap | bytearray] = []


def perform(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what ``op`` says; leave a mark in ``log`` first, so that the tests can count the tries."""
    if "log" in request:
        with Path(request["log"]).open("a", encoding="utf-8") as log:
            log.write(f"{os.getpid()}\n")
    return {"pid": os.getpid(), **_OPS[request["op"]](request)}


def _echo(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"echo": request.get("value")}


def _crash(request: Mapping[str, Any]) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def _kill(request: Mapping[str, Any]) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _exit(request: Mapping[str, Any]) -> dict[str, Any]:
    os._exit(3)


def _once(request: Mapping[str, Any]) -> dict[str, Any]:
    """Crash at the first try and answer at the second."""
    return _crash(request) if len(Path(request["log"]).read_text(encoding="utf-8").split()) == 1 else {}


def _orphan_once(request: Mapping[str, Any]) -> dict[str, Any]:
    """Lose the nursery at the first try, which is the end of a child too; tell the parent at the second."""
    if len(Path(request["log"]).read_text(encoding="utf-8").split()) == 1:
        os.kill(int(request["nursery"]), signal.SIGKILL)
        signal.pause()
    return {"parent": os.getppid()}


def _hang(request: Mapping[str, Any]) -> dict[str, Any]:
    signal.pause()
    return {}


def _allocate(request: Mapping[str, Any]) -> dict[str, Any]:
    """One allocation that the data limit forbids."""
    _HELD.append(bytearray(request["mb"] << 20))
    return {}


def _touch(request: Mapping[str, Any]) -> dict[str, Any]:
    """Grow where the data limit does not count: shared pages; then wait to be noticed."""
    pages = mmap.mmap(-1, request["mb"] << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for at in range(0, len(pages), mmap.PAGESIZE):
        pages[at] = 1
    _HELD.append(pages)
    signal.pause()
    return {}


def _noise(request: Mapping[str, Any]) -> dict[str, Any]:
    """What native code does: write to descriptor 1, and to C's own stdout."""
    os.write(1, b'{"done": "a lie"}\n')
    ctypes.CDLL(None).puts(b'{"done": "another"}')
    ctypes.CDLL(None).fflush(None)
    sys.stdout.write("not JSON\n")
    sys.stdout.flush()
    return {"noise": True}


def _waits(request: Mapping[str, Any]) -> dict[str, Any]:
    """Be kept waiting by a store that comes back after some seconds, or does not."""
    call, since = PatientCall(service="s3://bucket", seconds=request["patience_s"]), time.monotonic()
    while time.monotonic() - since < request["away_s"]:
        if not call.wait("503 SlowDown"):
            raise ServiceError("s3://bucket was away")
    return {"waited_s": time.monotonic() - since}


def _scene_error(request: Mapping[str, Any]) -> dict[str, Any]:
    raise ReadError("it cannot be read", got="zeros")


def _config_error(request: Mapping[str, Any]) -> dict[str, Any]:
    raise ConfigError("no such step")


def _bug(request: Mapping[str, Any]) -> dict[str, Any]:
    raise ZeroDivisionError("our own fault")


def _strange(request: Mapping[str, Any]) -> dict[str, Any]:
    """What libraries and files bring about that nobody thought of."""
    what = request["what"]
    if what in _STRANGE:
        return {"answer": _STRANGE[what]}
    if what == "exit":
        sys.exit("a library thinks that it is a program")
    if what == "recursion":
        return _strange(request)
    if what == "no more files, told by a reader":
        raise ReadError("it cannot be read") from OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    raise _RAISED[what]


class _MuteError(Exception):
    def __str__(self) -> str:
        msg = "exception str() failed"
        raise RuntimeError(msg)


_STRANGE: Mapping[str, Any] = {"huge number": 10**5000, "bytes": b"x"}
_RAISED: Mapping[str, Exception] = {
    "mute error": _MuteError(),
    "surrogate": ValueError("a\ud800b\nc\x00" * 5000),
    "disk full": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "a failure of our own": InfrastructureError("the store is away"),
}


def _limits(request: Mapping[str, Any]) -> dict[str, Any]:
    import resource  # noqa: PLC0415

    return {"data": resource.getrlimit(resource.RLIMIT_DATA)[0], "core": resource.getrlimit(resource.RLIMIT_CORE)[0]}


def _surroundings(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a child got from its worker, as Python and as C see it, and what it is called."""
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    return {
        "environment": dict(os.environ),
        "c": {name: (getenv(name.encode()) or b"").decode() for name in request.get("names", ())},
        "path": sys.path,
        "name": Path("/proc/self/comm").read_text(encoding="ascii").strip(),
        "parent": os.getppid(),
        "open": sorted(int(p.name) for p in Path("/proc/self/fd").iterdir()),
        "numba": "numba" in sys.modules,
    }


_OPS = {
    "echo": _echo,
    "waits": _waits, "crash": _crash, "kill": _kill, "exit": _exit, "once": _once, "hang": _hang, "allocate": _allocate,
    "touch": _touch, "noise": _noise, "scene-error": _scene_error, "config-error": _config_error, "bug": _bug, "limits": _limits,
    "strange": _strange, "surroundings": _surroundings, "orphan-once": _orphan_once,
}  # fmt: skip


def main() -> None:
    """What a nursery calls."""
    child_main.main(perform)


if __name__ == "__main__":
    main()
