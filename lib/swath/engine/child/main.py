"""The child's side: one JSON request a line on stdin, one JSON answer a line on stdout."""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from swath.compiled import absent
from swath.engine.blame import infrastructure_failure, internal_error
from swath.engine.child.parent import CONFIG, READY, STORE, WAITING, named
from swath.errors import ConfigError, MemoryLimitError, SceneError, ServiceError
from swath.outside import escaped, message
from swath.stores.patience import on_waiting

_MIB = 1 << 20
_PR_SET_PDEATHSIG = 1
#: RLIMIT_DATA counts reserved address space too, so it is above the resident limit that the parent watches.
_DATA_FACTOR = 1.5


Perform = Callable[[Mapping[str, Any]], dict[str, Any]]


def answer(request: Mapping[str, Any], *, perform: Perform) -> dict[str, Any]:
    """Do one request; every outcome is an answer, and every text in a refusal is fit for a table.

    Returns:
        ``{"done": ...}``; ``{"refused": {"class", "message"}}`` for what the scene or the configuration is to blame for;
        ``{"failed": {"class", "message"}}`` for what no scene is to blame for; ``{"unforeseen": {"class", "message"}}`` for an
        unexpected error.
    """
    try:
        return {"done": perform(request)}
    except (ConfigError, ServiceError) as error:
        return _told("refused", STORE if isinstance(error, ServiceError) else CONFIG, error)
    except MemoryError:
        outgrown = MemoryLimitError(
            "the scene needs more memory than its process may have",
            expected=f"at most {os.environ.get('SWATH_CHILD_MEMORY_MIB', '?')} MiB",
            got="an allocation that failed",
            remedy="Use a smaller strip (--tile-size), or give a worker more memory (--worker-memory-mb).",
        )
        return _of_scene(outgrown, request)
    except Exception as error:  # noqa: BLE001  whatever it is, it is the outcome of this request
        return _of_scene(error, request)


def _of_scene(error: Exception, request: Mapping[str, Any]) -> dict[str, Any]:
    failure = infrastructure_failure(error)
    if failure is not None:
        return _told("failed", type(failure).__name__, failure)
    fate = "refused" if isinstance(error, SceneError) else "unforeseen"
    outcome = error if isinstance(error, SceneError) else internal_error(error)
    # The scene's own id travels beside the message: quarantine is looked up by it, and many items are named item.json.
    scene_id = escaped(outcome.scene_id)
    told = _told(fate, outcome.error_class, outcome.of(named(request)))
    return {fate: {**told[fate], "scene_id": scene_id}} if scene_id else told


def _told(fate: str, error_class: str, error: Exception) -> dict[str, Any]:
    return {fate: {"class": error_class, "message": message(str(error))}}


def line_of(request: Mapping[str, Any], *, perform: Perform) -> bytes:
    """The answer to a request as it is sent; one that is no JSON is an unexpected error."""
    found = answer(request, perform=perform)
    try:
        text = json.dumps(found)
    except Exception as error:  # noqa: BLE001  a number of 5,000 digits, a key that is no text
        unforeseen = internal_error(error).of(named(request))
        text = json.dumps(_told("unforeseen", unforeseen.error_class, unforeseen))
    return text.encode() + b"\n"


def serve(requests: BinaryIO, answers: BinaryIO, *, perform: Perform) -> None:
    """Answer requests until the parent closes the pipe."""
    for line in requests:
        answers.write(line_of(json.loads(line), perform=perform))
        answers.flush()
        _trim()


def _trim() -> None:
    """Give back what the request needed and the next may not: else each child keeps what its largest took (a few ms)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if trim is not None:
        trim(0)


def _bound() -> None:
    limit = int(int(os.environ.get("SWATH_CHILD_MEMORY_MIB", "1536")) * _DATA_FACTOR) * _MIB
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
            from swath.engine.child import tasks  # noqa: PLC0415  heavy imports come after the limits are set

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
