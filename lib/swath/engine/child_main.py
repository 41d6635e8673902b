"""The child's side: one JSON request a line on stdin, one JSON answer a line on stdout."""

import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from swath.compiled import absent
from swath.engine.child import CONFIG, READY, STORE, WAITING, named
from swath.errors import ConfigError, MemoryLimitError, SceneError, ServiceError
from swath.stores.patience import on_waiting

_MIB = 1 << 20
_PR_SET_PDEATHSIG = 1
#: RLIMIT_DATA counts reserved address space too, so it stands above the resident limit that the parent watches.
_DATA_FACTOR = 1.5


Perform = Callable[[Mapping[str, Any]], dict[str, Any]]


def answer(request: Mapping[str, Any], *, perform: Perform) -> dict[str, Any]:
    """Do one request; every outcome is an answer."""
    try:
        return {"done": perform(request)}
    except SceneError as error:
        return {"refused": {"class": error.error_class, "message": str(error.of(named(request)))}}
    except ConfigError as error:
        return {"refused": {"class": CONFIG, "message": str(error)}}
    except ServiceError as error:
        return {"refused": {"class": STORE, "message": str(error)}}
    except MemoryError:
        outgrown = MemoryLimitError(
            "the scene needs more memory than its process may have",
            expected=f"at most {os.environ.get('SWATH_CHILD_MEMORY_MB', '?')} MiB",
            got="an allocation that failed",
            remedy="Use a smaller strip (--tile-size), or give a worker more memory (--worker-memory-mb).",
            scene_id=named(request),
        )
        return {"refused": {"class": outgrown.error_class, "message": str(outgrown)}}
    except Exception:  # noqa: BLE001  the parent raises it again: Spark retries the task
        return {"failed": traceback.format_exc()}


def serve(requests: BinaryIO, answers: BinaryIO, *, perform: Perform) -> None:
    """Answer requests until the parent closes the pipe."""
    for line in requests:
        answers.write(json.dumps(answer(json.loads(line), perform=perform)).encode() + b"\n")
        answers.flush()
        _trim()


def _trim() -> None:
    """Give back what the request needed and the next may not: else each child keeps what its largest took (a few ms)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if trim is not None:
        trim(0)


def _bound() -> None:
    limit = int(int(os.environ.get("SWATH_CHILD_MEMORY_MB", "1536")) * _DATA_FACTOR) * _MIB
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A killed worker must not leave a child behind that still writes.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(perform: Perform | None = None) -> None:
    """Set limits, keep stdout for answers only, serve.

    Args:
        perform: Does the requests; None for the engine's own tasks.
    """
    _bound()
    if perform is None:
        # rasterio would load boto3 (0.4 CPU s, 17 MB) in children that never speak to S3; ``gdal_env`` gives it to those that do.
        with absent("boto3"):
            from swath.engine import tasks  # noqa: PLC0415  heavy imports come after the limits are set

        perform = tasks.perform
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answers.write(READY)
    answers.flush()

    def waiting(seconds: float) -> None:
        answers.write(WAITING + f"{seconds:.3f}\n".encode())
        answers.flush()

    on_waiting(waiting)
    serve(sys.stdin.buffer, answers, perform=perform)


if __name__ == "__main__":
    main()
