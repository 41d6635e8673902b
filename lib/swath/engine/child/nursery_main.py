"""The nursery's side: on the first request it loads what children need, then forks them. It opens no untrusted file.

It has one thread and ends with the process that opened it; its children end with it. It reaps them, tells their workers how they
ended, and kills those whose worker is gone.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from swath.compiled import absent, load_kept
from swath.engine.child.nursery import LARGEST, Nursery

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_MADV_DONTNEED = 4
_THREADS = Path("/proc/self/task")
_MAPPINGS = Path("/proc/self/smaps")
#: Place of a mapping's file in its line.
_NAME = 5


@dataclass(frozen=True, slots=True)
class _Ward:
    """A child that runs. The worker's end of ``worker`` closes when the worker dies or has no use for the child."""

    pid: int
    handle: int
    worker: socket.socket


def open_nursery(*, kernels: bool = True) -> Nursery | None:
    """Fork a nursery; None where the kernel has no process handles.

    Args:
        kernels: Whether children begin with the machine code for pixels; reading metadata needs none.
    """
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    opener = os.getpid()
    sys.stdout.flush()
    if os.fork():
        theirs.close()
        return Nursery(ours)
    try:
        ours.close()
        _settle(opener)
        _serve(theirs, kernels=kernels)
    except BaseException:  # noqa: BLE001  told, and the process ends: workers then start children themselves
        traceback.print_exc()
    finally:
        os._exit(0)


def _settle(opener: int) -> None:
    """Leave the opener's terminal, input and output; end when it ends."""
    os.setsid()
    _call_it("swath-nursery")
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != opener:
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)


def _serve(channel: socket.socket, *, kernels: bool) -> None:
    wards: list[_Ward] = []
    while True:
        workers = [w.worker.fileno() for w in wards if w.worker.fileno() >= 0]
        ready = set(select.select([channel.fileno(), *workers, *(w.handle for w in wards)], [], [])[0])
        for ward in list(wards):
            if ward.worker.fileno() in ready:
                # Workers never write: this one is gone.
                ward.worker.close()
                signal.pidfd_send_signal(ward.handle, signal.SIGKILL)
            if ward.handle in ready:
                wards.remove(ward)
                _bury(ward)
        if channel.fileno() in ready:
            message, given, _, _ = socket.recv_fds(channel, LARGEST, 3)
            if not message:
                return
            _load(kernels=kernels)
            wards += _born(json.loads(message), given=given, held=(channel, wards))


def _bury(ward: _Ward) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(ward.pid, 0)[1])
    _tell(ward.worker, code)
    ward.worker.close()
    os.close(ward.handle)


def _tell(worker: socket.socket, number: int, *, handles: Sequence[int] = ()) -> None:
    # A client that is gone has closed its connection.
    with suppress(OSError):
        socket.send_fds(worker, [str(number).encode()], handles)


def _born(request: Mapping[str, Any], *, given: Sequence[int], held: tuple[socket.socket, list[_Ward]]) -> list[_Ward]:
    """Fork a child and tell its worker; none when the system has no room."""
    worker, (requests, answers) = socket.socket(fileno=given[0]), given[1:]
    pid = None
    with suppress(OSError):
        pid = os.fork()
    if pid == 0:
        worker.close()
        held[0].close()
        for ward in held[1]:
            ward.worker.close()
            os.close(ward.handle)
        _live(request, requests=requests, answers=answers)
    os.close(requests)
    os.close(answers)
    if pid is None:
        worker.close()
        return []
    handle = os.pidfd_open(pid)
    _tell(worker, pid, handles=[handle])
    return [_Ward(pid, handle, worker)]


def _live(request: Mapping[str, Any], *, requests: int, answers: int) -> NoReturn:
    """What a child does: its worker's environment, pipes for input and output, and the module's ``main``."""
    code = 1
    try:
        _call_it("swath-child")
        for descriptor, standard in ((requests, 0), (answers, 1)):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.path[:] = os.environ["PYTHONPATH"].split(os.pathsep)
        importlib.import_module(request["module"]).main()
        code = 0
    except BaseException:  # noqa: BLE001  told on stderr and by the exit code, as an interpreter of its own would
        traceback.print_exc()
    finally:
        os._exit(code)


@cache
def _load(*, kernels: bool) -> None:
    """What every product needs; not boto3, see ``child_main``.

    Raises:
        RuntimeError: A library started threads: a lock that one of them holds would stay locked in a child for ever.
    """
    with absent("boto3"):
        importlib.import_module("swath.engine.child.tasks")
    if kernels:
        load_kept()
    if len(list(_THREADS.iterdir())) > 1:
        msg = "children are not forked from a process with threads; is OPENBLAS_NUM_THREADS 1?"
        raise RuntimeError(msg)
    # What is here stays: looking at it for garbage would copy every page.
    gc.collect()
    gc.freeze()
    # A kernel may not tell of mappings.
    with suppress(OSError):
        _let_go_of_files()


def _let_go_of_files() -> None:
    """Unmap pages of libraries that were read and never written, such as the compiler's; they are mapped again when needed."""
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    start = stop = 0
    of_file = False
    for line in _MAPPINGS.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            start, stop = (int(n, 16) for n in words[0].split("-"))
            of_file = len(words) > _NAME and words[_NAME].startswith("/")
        elif words[:2] == ["Anonymous:", "0"] and of_file:
            libc.madvise(start, stop - start, _MADV_DONTNEED)


def _call_it(name: str) -> None:
    """Name the process in ``ps`` and ``top``: it has the command line of the process that opened the nursery."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())
