"""A warm process that forks children, as its workers see it: what all children load is loaded once, and shared.

Over a socket that it inherited, and that no other process can reach, a worker sends an environment and the ends of three
channels: its connection to the nursery, the child's input, the child's output. ``nursery_main`` is the other side.
"""

import json
import os
import select
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

#: A nursery that loads its libraries on a busy machine takes this long at most, otherwise the worker helps itself [s].
_ANSWER_S = 60.0
#: From a child's death to its exit code [s].
_CODE_S = 10.0
#: Longest message [bytes]; the kernel takes none above 208 KiB.
LARGEST = 1 << 18


class Nursling:
    """A child that the nursery forked, with the interface of ``Popen``.

    Args:
        pid: Process.
        handle: Descriptor of the process (``pidfd``), by which it is killed: a number may be another process's by then.
        connection: The nursery tells the exit code here, and kills the child when this end closes.
        stdin: Requests.
        stdout: Answers.
    """

    def __init__(self, pid: int, *, handle: int, connection: socket.socket, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._handle, self._connection = handle, connection
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self._code is None and not select.select([self._handle], [], [], 0)[0]:
            return None
        return self.wait()

    def kill(self) -> None:
        """Send SIGKILL."""
        if self._code is None:
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        if self._code is None:
            select.select([self._handle], [], [])
            self._code = self._told()
            os.close(self._handle)
            self._connection.close()
        return self._code

    def _told(self) -> int:
        self._connection.settimeout(_CODE_S)
        try:
            # A nursery that was killed tells nothing, and its children were killed with it.
            return int(self._connection.recv(64) or -signal.SIGKILL)
        except OSError:
            return -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Nursery:
    """Where a worker asks for children.

    Args:
        channel: Channel to the nursery that all workers share.
        answer_s: Longest time to wait for a child [s].
    """

    channel: socket.socket
    answer_s: float = _ANSWER_S

    def close(self) -> None:
        """End it, and its children with it."""
        self.channel.close()

    def child(self, module: str, *, environment: Mapping[str, str]) -> Nursling | None:
        """A child that runs the ``main`` of a module; None when the nursery is gone, or cannot.

        Args:
            module: Importable in the child.
            environment: All of the child's; its ``PYTHONPATH`` becomes ``sys.path``.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        requests, stdin = _pipe()
        stdout, answers = _pipe()
        message = json.dumps({"module": module, "environment": dict(environment)}).encode()
        try:
            # Our copies of the child's ends close at once: what the nursery holds then closes when it dies.
            with theirs, requests, answers:
                given = [theirs.fileno(), requests.fileno(), answers.fileno()]
                socket.send_fds(self.channel, [message], given, socket.MSG_DONTWAIT)
            ours.settimeout(self.answer_s)
            pid, handles, _, _ = socket.recv_fds(ours, 64, 1)
        except OSError:
            # It is dead, stopped or overrun, or the environment is larger than a message may be.
            pid, handles = b"", []
        if pid and handles:
            return Nursling(int(pid), handle=handles[0], connection=ours, stdin=stdin, stdout=stdout)
        for end in (ours, stdin, stdout):
            end.close()
        return None


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    """The end to read from and the end to write to."""
    read_end, write_end = os.pipe()
    return os.fdopen(read_end, "rb"), os.fdopen(write_end, "wb")
