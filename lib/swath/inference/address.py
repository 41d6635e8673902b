"""Where a registry is, and how long swath waits for it: never longer than a user does."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from time import monotonic
from typing import TypeVar

from swath.errors import ConfigError
from swath.suggestion import did_you_mean

#: Longest wait for the answers of a registry about one model, all questions together [s].
PATIENCE_S = 10.0
#: Longest wait for one answer over HTTP, and for the next bytes of a file that comes in [s].
ANSWER_S = 4.0
STALL_S = 10.0
#: MLflow asks seven times, waits two minutes for each answer, and doubles its pauses: hours, for a server that hangs.
_MLFLOW = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": f"{ANSWER_S:.0f}",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    # Sites without a link outwards must not wait for it.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_SCHEMES = ("http", "https", "sqlite", "postgresql", "postgresql+psycopg", "mysql", "mysql+pymysql", "mssql+pyodbc", "arn")
T = TypeVar("T")
WHEN_AWAY = "start it, correct MLFLOW_TRACKING_URI, or run with a lock (--lock) whose models this machine or a store has"
_REMEDY = "expected http(s)://SERVER, sqlite:///FILE or postgresql://...; set MLFLOW_TRACKING_URI, or SWATH_MODELS to a store"


class RegistryAwayError(ConfigError):
    """A registry that does not answer, or not in time: the model may still be known by its digest."""


class AbsentError(ConfigError):
    """A registry or a store answers that it has no such model."""


def public(uri: str) -> str:
    """The address without user and password."""
    scheme, mark, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def check_address(uri: str) -> None:
    """Refuse what is no address of a registry.

    Raises:
        ConfigError: The scheme is unknown; with the nearest one.
    """
    scheme, colon, rest = uri.partition(":")
    if colon and scheme in _SCHEMES and rest.strip("/"):
        return
    hint = did_you_mean(scheme, _SCHEMES) if colon and scheme not in _SCHEMES else ""
    msg = f"{public(uri)!r} is not the address of a model registry{hint}; {_REMEDY}"
    raise ConfigError(msg)


def bound_mlflow() -> None:
    """Let MLflow wait no longer than a user does; what the environment says already stays."""
    for name, value in _MLFLOW.items():
        os.environ.setdefault(name, value)


def answered(ask: Callable[[], T], *, uri: str, asked: str, seconds: float = PATIENCE_S) -> T:
    """The answer of a registry, in time.

    Args:
        ask: Question; goes on in the background when its time is over, because nothing can end a call into a driver.
        uri: Address of the registry.
        asked: Purpose of the request, for the message.
        seconds: Longest wait.

    Raises:
        RegistryAwayError: No answer in time.
    """
    answer = _apart(ask)
    try:
        return answer.result(timeout=seconds)
    except FutureTimeoutError:
        if answer.done():
            raise
    msg = f"the model registry {public(uri)} gave no answer in {seconds:.0f} s ({asked}); {WHEN_AWAY}"
    raise RegistryAwayError(msg)


def fetched(fetch: Callable[[], T], *, into: Path, uri: str, asked: str) -> T:
    """What ``fetch`` gives, as long as files grow below ``into``.

    Raises:
        RegistryAwayError: Nothing arrived for ``STALL_S`` seconds.
    """
    answer = _apart(fetch)
    size, since = -1, monotonic()
    while monotonic() - since < STALL_S:
        try:
            return answer.result(timeout=1.0)
        except FutureTimeoutError:
            if answer.done():
                raise
        grown = sum(p.stat().st_size for p in into.rglob("*") if p.is_file())
        size, since = (grown, monotonic()) if grown > size else (size, since)
    msg = f"the model registry {public(uri)} sent nothing for {STALL_S:.0f} s ({asked}, {size} bytes so far); {WHEN_AWAY}"
    raise RegistryAwayError(msg)


def _apart(call: Callable[[], T]) -> "Future[T]":
    """The call in a thread of its own, which does not keep the process alive."""
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  raised anew where the answer is asked for
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True, name="registry").start()
    return answer
