"""Requests over http: every hop is checked, answers are bounded, and a busy server is waited for."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from swath.readers.files.hosts import Hosts, host_of
from swath.redaction import redacted

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

MAX_HOPS: Final = 10
#: Servers that are busy or away for a moment; RFC 9110, 15.5 and 15.6, and RFC 6585.
BUSY: Final = frozenset({429, 502, 503, 504})
#: A busy server is waited for so long [s], a connection and a silence in an answer so long.
PATIENCE_S: Final = 300.0
CONNECT_S, SILENCE_S = 15.0, 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 120.0
#: Tries of an address that does not answer at all.
_DEAD_TRIES: Final = 4
_CHUNK: Final = 1 << 16
Say = Callable[[str], None]


class FetchError(OSError):
    """An address was not answered as it should be.

    Args:
        message: One line, without secrets.
        status: HTTP status; 0 without an answer.
        refused: We did not ask: the host was not named.
        away: The server gave no answer, or was busy for longer than we wait.
    """

    def __init__(self, message: str, *, status: int = 0, refused: bool = False, away: bool = False) -> None:
        super().__init__(redacted(message))
        self.status = status
        self.refused = refused
        self.away = away


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request.

    Args:
        url: URL, http or https.
        hosts: Hosts that may be contacted, redirects included.
        method: GET or POST.
        headers: Headers for the address's own host only.
        body: JSON of a POST.
        say: Hears why we wait.
    """

    url: str
    hosts: Hosts
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = None
    say: Say | None = None


@contextmanager
def answered(ask: Ask) -> "Iterator[Response]":
    """The answer to a request, its body not read yet; ``url`` of it is the last hop's.

    Raises:
        FetchError: A host was not named, the server says no, or does not answer in time.
    """
    response = answer_to(ask)
    try:
        yield response
    finally:
        response.close()


def read_bounded(response: "Response", *, most: int, seconds: float = PATIENCE_S) -> bytes:
    """The body of an answer, unpacked.

    Args:
        response: Response that ``answered`` returned.
        most: Bytes; also after unpacking.
        seconds: Longest time for the whole body: a server may send a byte a minute.

    Raises:
        FetchError: The body is larger than the limit, or too slow.
    """
    from requests.exceptions import RequestException  # noqa: PLC0415  a tenth of a second, for who asks

    parts, size, since = [], 0, time.monotonic()
    try:
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > most:
                raise FetchError(f"the answer of {response.url} is larger than {most} bytes")
            if time.monotonic() - since > seconds:
                raise FetchError(f"the answer of {response.url} did not come within {seconds:.0f} s: {size} bytes came")
            parts.append(chunk)
    except RequestException as error:
        raise FetchError(f"the answer of {response.url} broke off after {size} bytes: {error}") from error
    return b"".join(parts)


def answer_to(ask: Ask) -> "Response":
    """The answer to a request once the server is not busy any more; the caller closes it.

    Raises:
        FetchError: The reasons are those of ``answered``.
    """
    from requests.exceptions import ConnectionError as NoConnection  # noqa: PLC0415
    from requests.exceptions import RequestException, Timeout  # noqa: PLC0415

    until, wait, dead = time.monotonic() + PATIENCE_S, _FIRST_WAIT_S, 0
    while True:
        try:
            response = _hops(ask)
            if response.status_code not in BUSY:
                return _good(response)
            told = f"HTTP {response.status_code}"
            pause = _asked_pause(response) or wait
            response.close()
        except (NoConnection, Timeout) as error:
            dead, told, pause = dead + 1, f"no answer ({_short(error)})", wait
            if dead >= _DEAD_TRIES:
                raise FetchError(f"{ask.url} does not answer: {_short(error)}", away=True) from error
        except RequestException as error:
            raise FetchError(f"{ask.url} cannot be requested: {_short(error)}") from error
        if time.monotonic() + pause > until:
            raise FetchError(f"{ask.url} was busy for {PATIENCE_S:.0f} s: {told}", status=503, away=True)
        if ask.say is not None:
            verb = "gives" if told.startswith("no answer") else "answers"
            ask.say(redacted(f"{host_of(ask.url)} {verb} {told}: asking again in {pause:.1f} s"))
        time.sleep(pause)
        wait = min(wait * 2, _LONGEST_WAIT_S)


def _good(response: "Response") -> "Response":
    if response.status_code < 400:
        return response
    try:
        text = " ".join(read_bounded(response, most=_CHUNK, seconds=SILENCE_S).decode(errors="replace").split())[:200]
    except FetchError:
        text = ""
    response.close()
    raise FetchError(f"{response.url}: HTTP {response.status_code}{f', {text}' if text else ''}", status=response.status_code)


def _hops(ask: Ask) -> "Response":
    """Follow redirects ourselves: each is a new address, which may lead to a forbidden host."""
    url, method, body, headers = ask.url, ask.method, ask.body, dict(ask.headers)
    for _ in range(MAX_HOPS):
        if why := ask.hosts.refusal(url):
            raise FetchError(f"{url} is not contacted: {why}", refused=True)
        response = _session(os.getpid()).request(
            method, url, json=body, headers=headers, stream=True, allow_redirects=False, timeout=(CONNECT_S, SILENCE_S),
            auth=_kept if "Authorization" in headers else None,
        )  # fmt: skip
        if not response.is_redirect:
            return response
        following = urljoin(url, response.headers["Location"])
        if response.status_code in {301, 302, 303} and method == "POST":
            method, body = "GET", None
        if host_of(following) != host_of(url):
            headers.pop("Authorization", None)
        response.close()
        url = following
    raise FetchError(f"{ask.url} leads through more than {MAX_HOPS} redirects")


def _kept(request: "PreparedRequest") -> "PreparedRequest":
    """Leaves a request as it is: otherwise a line of .netrc would replace a token that was given."""
    return request


def _asked_pause(response: "Response") -> float:
    """Seconds that the server asks us to wait (RFC 9110, 10.2.3), within reason; 0 when it does not."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return 0.0
    try:
        pause = float(text)
    except ValueError:
        try:
            pause = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(pause, 0.05), PATIENCE_S)


def _short(error: Exception) -> str:
    """What went wrong, without the pools and retries of the library around it."""
    inner = error.args[0] if error.args else None
    told = str(getattr(inner, "reason", None) or error)
    head, found, reason = told.partition("): ")
    return " ".join((reason if found and head.startswith("HTTP") else told).split())[:200]


@lru_cache(maxsize=1)
def _session(process: int) -> "Session":
    """Connections are not shared with the process that we were forked from."""
    from requests import Session  # noqa: PLC0415

    del process
    return Session()
