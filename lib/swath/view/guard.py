"""Who may ask the server, and what its pages may do: a page of another origin gets nothing, and ours reaches no other host."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Names of the loopback interface; a page that made another name lead here is refused by the name.
HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
#: The page loads and asks nothing but this server. MapLibre sets styles from its script, and draws pictures that it made itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{tiles}; connect-src 'self'{tiles}; "
    "worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
#: A report is one file: its styles and pictures are in it.
_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; sandbox"


class Guard:
    """Refuses requests for other hosts and of other origins, and says in each answer what a page may do.

    Args:
        app: The application.
        tiles: Origin of a tile server that the page may ask as well; empty without one.
    """

    def __init__(self, app: ASGIApp, *, tiles: str = "") -> None:
        self._app = app
        self._policy = POLICY.format(tiles=f" {tiles}" if tiles else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := _refusal(scope["method"], Headers(scope=scope)):
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send)
            return
        policy = _FILE_POLICY if scope["path"].startswith("/out/") else self._policy
        await self._app(scope, receive, _told(send, policy))


def _refusal(method: str, headers: Headers) -> str:
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
        return f"this server answers for 127.0.0.1 and localhost, not for {host!r}"
    if method not in {"GET", "HEAD"}:
        return "nothing can be changed here"
    origin = headers.get("origin", "")
    if origin and urlsplit(origin).netloc != host:
        return f"{origin} is another origin"
    # A link from elsewhere may open the page; nothing else of another site may ask.
    if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and headers.get("sec-fetch-mode") != "navigate":
        return "a page of another site asked"
    return ""


def _told(send: Send, policy: str) -> Callable[[Message], Any]:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["content-security-policy"] = policy
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["cross-origin-resource-policy"] = "same-origin"
        await send(message)

    return sent
