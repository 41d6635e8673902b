"""moto's S3 server behind a switch: while it is thrown, chosen requests get one answer, whatever they ask."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

Environ = dict[str, Any]
_ERROR: Final = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>a fault</Message></Error>'
#: Status line of an error's code.
_STATUS: Final = {
    "SlowDown": "503 Slow Down", "InternalError": "500 Internal Server Error", "ExpiredToken": "400 Bad Request",
    "AccessDenied": "403 Forbidden", "RequestTimeTooSkewed": "403 Forbidden", "NoSuchBucket": "404 Not Found",
    "RequestTimeout": "400 Bad Request", "KMS.DisabledException": "400 Bad Request", "KMS.ThrottlingException": "400 Bad Request",
    "InvalidAccessKeyId": "403 Forbidden", "SignatureDoesNotMatch": "403 Forbidden", "PermanentRedirect": "301 Moved Permanently",
    "AuthorizationHeaderMalformed": "400 Bad Request",
}  # fmt: skip
RESET: Final = "reset"
#: The answer that would have been, without its second half: the connection is hung up.
CUT: Final = "cut"


@dataclass
class Fault:
    """What chosen requests get.

    Args:
        code: S3's name of the error; ``reset``: the connection is hung up; or ``cut``: it is, in the middle of the body.
        asked: Which requests; all without it.
        lasts_s: How long it lasts, from the first request that has it.
        ahead_s: What the server's clock says beside this machine's [s].
        met: How many requests had it.
    """

    code: str
    asked: Callable[[Environ], bool] = lambda _: True
    lasts_s: float = float("inf")
    ahead_s: float = 0.0
    met: int = 0
    began: float = field(default=0.0, init=False)

    def meets(self, environ: Environ) -> bool:
        """Whether a request has it."""
        if not self.asked(environ):
            return False
        self.began = self.began or time.monotonic()
        return time.monotonic() - self.began <= self.lasts_s


@dataclass(slots=True)
class OutageS3:
    """A WSGI application; ``fault`` is the switch."""

    fault: Fault | None = None
    moto: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        fault = self.fault
        if fault is None or not fault.meets(environ):
            answer: Iterable[bytes] = self.moto(environ, start_response)
            return answer
        fault.met += 1
        if fault.code == CUT:
            return self._cut(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if fault.code == RESET:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            start_response("500 Gone", [])
            return []
        body = _ERROR.format(fault.code).encode() if environ["REQUEST_METHOD"] != "HEAD" else b""
        start_response(_STATUS[fault.code], [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def _cut(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = b"".join(self.moto(environ, start_response))
        yield body[: len(body) // 2]
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)

    def away(self, code: str, *, seconds: float = float("inf"), asked: Callable[[Environ], bool] = lambda _: True) -> Fault:
        """Throw the switch; some seconds after the first request that it meets, all is well again."""
        self.fault = Fault(code=code, asked=asked, lasts_s=seconds)
        return self.fault


class _Clocked(MotoRequestHandler):
    """Dates answers by the clock of the fault."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        fault: Fault | None = getattr(self.server, "app").fault  # noqa: B009  werkzeug's server has one, its stub has not
        return formatdate((timestamp or time.time()) + (fault.ahead_s if fault is not None else 0.0), usegmt=True)


@contextmanager
def serving(outage: OutageS3) -> Iterator[str]:
    """Serve on a port of this machine while the block runs; its address."""
    server = make_server("127.0.0.1", 0, outage, threaded=True, request_handler=_Clocked)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
