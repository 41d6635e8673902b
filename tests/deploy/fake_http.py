"""The HTTP part of the fakes: a server on a port of this machine, whose handler reads and answers JSON."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class JsonHandler(BaseHTTPRequestHandler):
    """Hands GET, POST, PUT and DELETE to ``answer``."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one packet an answer: otherwise each waits 40 ms for an acknowledgement

    def answer(self, verb: str) -> None:
        """Do the request."""
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the base class
        """Say nothing."""

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.answer("POST")

    def do_PUT(self) -> None:
        self.answer("PUT")

    def do_DELETE(self) -> None:
        self.answer("DELETE")

    def body(self) -> Any:
        """What was sent; None when nothing was."""
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")

    def json(self, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer in JSON."""
        self.raw(json.dumps(data).encode(), status=status, kind="application/json", headers=headers)

    def raw(
        self, data: bytes, *, status: int, kind: str, headers: Mapping[str, str] | None = None, length: int | None = None
    ) -> None:
        """Answer; ``length`` may promise more than comes."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(handler: type[JsonHandler]) -> Iterator[str]:
    """The server's address, while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
