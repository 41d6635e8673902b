"""An S3 server that fails as S3 does, before moto's: errors, resets, bodies that end early, answers that get lost."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

_ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>a fault</Message></Error>'
#: Status and code of what is told without doing anything.
_ERRORS: Final = {
    "503 SlowDown": ("503 Slow Down", "SlowDown"),
    "503 ServiceUnavailable": ("503 Service Unavailable", "ServiceUnavailable"),
    "500 InternalError": ("500 Internal Server Error", "InternalError"),
}
FAULTS: Final = (*_ERRORS, "connection reset", "answer lost", "body truncated", "answer late")
_LATE_S = 1.0


class FaultyS3:
    """A WSGI application.

    Args:
        share: Of the requests that meet a fault, 0..1.
        seed: Draws when; which one goes in turns.
    """

    def __init__(self, *, share: float, seed: int) -> None:
        self.share = share
        self.met: Counter[tuple[str, str]] = Counter()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._rng = np.random.default_rng(seed)
        self._drawing = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._drawing:
            fault = FAULTS[self.met.total() % len(FAULTS)] if self._rng.random() < self.share else ""
        if fault == "body truncated" and environ["REQUEST_METHOD"] != "GET":
            fault = "answer lost"
        if fault:
            self.met[fault, kind_of(environ)] += 1
        if fault in _ERRORS:
            return self._refused(environ, start_response, fault=fault)
        if fault == "connection reset":
            return _reset(environ, start_response)
        if fault == "answer late":
            time.sleep(_LATE_S)
        if fault in {"answer lost", "body truncated"}:
            return self._cut(environ, start_response, keep=0.5 if fault == "body truncated" else None)
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    def _refused(self, environ: dict[str, Any], start_response: Any, *, fault: str) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, code = _ERRORS[fault]
        body = _ERROR.format(code).encode() if environ["REQUEST_METHOD"] != "HEAD" else b""
        start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def _cut(self, environ: dict[str, Any], start_response: Any, *, keep: float | None) -> Iterable[bytes]:
        """Do the request, and hand over only a part of the answer: none of it, or its head and a share of its body."""
        told: list[Any] = []
        body = b"".join(self._moto(environ, lambda *answer: told.append(answer)))
        if keep is None or len(body) < 2:
            return _reset(environ, start_response)
        status, headers = told[0][0], [(k, v) for k, v in told[0][1] if k.lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return _ending(environ, body[: int(len(body) * keep)])


def _ending(environ: dict[str, Any], body: bytes) -> Iterator[bytes]:
    yield body
    _hang_up(environ)


def _reset(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    _hang_up(environ)
    start_response("500 Gone", [])
    return []


def _hang_up(environ: dict[str, Any]) -> None:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)


def kind_of(environ: dict[str, Any]) -> str:
    """Which request it is, in S3's words, as far as its faults differ."""
    query = environ.get("QUERY_STRING", "")
    method: str = environ["REQUEST_METHOD"]
    if "uploadId" in query or "uploads" in query:
        return {"POST": "CompleteMultipartUpload" if "uploadId" in query else "CreateMultipartUpload", "PUT": "UploadPart"}.get(
            method, f"{method} upload"
        )
    return f"{method} object" if environ["PATH_INFO"].count("/") > 1 else f"{method} bucket"


@contextmanager
def serving(faulty: FaultyS3) -> Iterator[str]:
    """Serve on a port of this machine while the block runs; its address."""
    server = make_server("127.0.0.1", 0, faulty, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
