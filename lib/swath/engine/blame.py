"""The cause of an error in a child: its scene, or something that every scene needs."""

import errno
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from swath.errors import InfrastructureError, InternalError, SceneError

#: The machine or the output has no more of something: true for whichever scene comes next.
_EXHAUSTED: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EFBIG})
#: The file system below the output or the scratch folder does not do its work.
_DISK: Final = frozenset({errno.EIO, errno.EACCES, errno.EPERM, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.ENXIO})
#: What a store says of a name that a scene brought.
_OF_A_NAME: Final = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ELOOP})
#: Libraries that speak to stores and databases, by the head of their modules.
_REMOTE: Final = frozenset({"botocore", "boto3", "s3transfer", "urllib3", "psycopg"})
#: Where the output is read and written.
_OUTPUT: Final = ("swath.stores", "swath.sinks.cog.stored", "swath.sinks.cog.stored")
#: Type and line of an error in the message that ``internal_error`` makes.
_UNFORESEEN: Final = "an unexpected error"
_NAME: Final = re.compile(rf"{_UNFORESEEN}: got (\w+)")
_PLACE: Final = re.compile(r", at (\S+:\d+ \([^)]*\))")
_INPUT: Final = "swath.readers"


def infrastructure_failure(error: BaseException) -> InfrastructureError | None:
    """What every scene needs and lacks, if the error shows that; None if the scene is to blame.

    An error counts as the output's when the code that reads and writes the output was at work, and no reader: a file of the
    scene that cannot be read is the scene's, on whichever store it is.
    """
    for cause in _chain(error):
        if isinstance(cause, InfrastructureError):
            return cause
        if isinstance(cause, OSError) and cause.errno in _EXHAUSTED:
            return InfrastructureError(told(cause))
    return InfrastructureError(told(error)) if not isinstance(error, SceneError) and _is_of_output(error) else None


def internal_error(error: BaseException) -> InternalError:
    """An unexpected error, with its type, its message and the innermost line."""
    return InternalError(
        _UNFORESEEN,
        got=f"{told(error)}, at {_innermost(error)}",
        remedy="Check the scene's files; if they are whole, report this line. Then run `swath retry --error internal`.",
    )


def signature_of(message: str) -> str:
    """What messages of ``internal_error`` share when one error is behind them: its type and its line."""
    name, places = _NAME.search(message), _PLACE.findall(message)
    return f"{name[1] if name else 'an error'}{f' at {places[-1]}' if places else ''}"


def told(error: BaseException) -> str:
    """Type and message of an error, also of one that cannot say what it is."""
    try:
        text = str(error)
    except Exception as failed:  # noqa: BLE001  a library's error may fail to tell
        text = f"(its message failed with {type(failed).__name__})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        here = here.__cause__ or (None if here.__suppress_context__ else here.__context__)


def _is_of_output(error: BaseException) -> bool:
    modules = [_module(frame) for frame, _ in traceback.walk_tb(error.__traceback__)]
    if any(_within(m, _INPUT) for m in modules):
        return False
    if isinstance(error, OSError) and error.errno in _DISK:
        return True
    if not any(_within(m, o) for m in modules for o in _OUTPUT):
        return False
    if isinstance(error, OSError):
        return error.errno not in _OF_A_NAME
    return any(kind.__module__.partition(".")[0] in _REMOTE for kind in type(error).__mro__)


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _innermost(error: BaseException) -> str:
    """Where it was raised, and where our own code was then."""
    frames = [(_place(frame, line), _module(frame)) for frame, line in traceback.walk_tb(error.__traceback__)]
    if not frames:
        return "an unknown line"
    last = frames[-1][0]
    ours = next((place for place, module in reversed(frames) if _within(module, "swath")), last)
    return last if ours == last else f"{last}, from {ours}"


def _place(frame: FrameType, line: int) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{line} ({frame.f_code.co_name})"
