"""The other side of ``driver``: start it, ask it, lose it."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
_START_S: Final = 600.0


class Driven:
    """One driver process.

    Args:
        master: Of its session.
        log: What it and Spark say is appended there.
        plug_ins: Folders that its Python finds more distributions in.
    """

    def __init__(self, master: str, *, log: Path, plug_ins: tuple[Path, ...] = ()) -> None:
        path = [str(ROOT / "lib"), str(ROOT), *map(str, plug_ins)]
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver", master], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log, env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        )  # fmt: skip
        ready = self._line(time.monotonic() + _START_S)
        if not ready:
            msg = f"the driver did not start: see {log}"
            raise ChildProcessError(msg)

    @property
    def pid(self) -> int:
        """Of the driver's Python."""
        return self.process.pid

    def ask(self, request: dict[str, Any]) -> None:
        """Begin something."""
        pipe = _pipe(self.process.stdin)
        pipe.write(json.dumps(request).encode() + b"\n")
        pipe.flush()

    def poll(self, seconds: float) -> dict[str, Any] | None:
        """The answer, when it comes within so many seconds; ``{"exit": <code>, "died": True}`` of a driver that died."""
        pipe = _pipe(self.process.stdout)
        if not select.select([pipe], [], [], seconds)[0]:
            return None
        line = pipe.readline()
        if not line:
            return {"exit": self.process.wait(), "died": True}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def done(self, request: dict[str, Any], *, seconds: float) -> dict[str, Any]:
        """Ask and wait.

        Raises:
            TimeoutError: No answer in time.
        """
        self.ask(request)
        answer = self.poll(seconds)
        if answer is None:
            msg = f"no answer within {seconds:.0f} s to {request}"
            raise TimeoutError(msg)
        return answer

    def close(self) -> None:
        """End it, however it is."""
        if self.process.poll() is None:
            _pipe(self.process.stdin).close()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        self._log.close()

    def _line(self, deadline: float) -> bytes:
        pipe = _pipe(self.process.stdout)
        ready = select.select([pipe], [], [], max(deadline - time.monotonic(), 0.0))[0]
        return pipe.readline() if ready else b""


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        msg = "the driver has no pipes"
        raise ChildProcessError(msg)
    return pipe
