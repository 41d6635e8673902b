"""A server of files over real HTTP, with ranges, which may want a signature, a token or a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit


@dataclass(kw_only=True)
class Files:
    """What the server does.

    Args:
        folder: With the files.
        query: That every address must have.
        authorization: Header that every request must have.
        ranges: Whether parts are sent.
        moved: Address of another server, which has all files.
        answers: Of other paths.
        headers: Headers of every answer.
        asked: Path and range of each request.
        sent: Bytes of files.
    """

    folder: Path
    query: str = ""
    authorization: str = ""
    ranges: bool = True
    moved: str = ""
    answers: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    root: str = ""


@contextmanager
def serving_files(files: Files) -> Iterator[str]:  # noqa: C901  a handler is a class of its own
    """Serve; the root."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts, wanted = urlsplit(self.path), self.headers.get("Range", "")
            files.asked.append((parts.path, wanted))
            if parts.path in files.answers:
                self._send(200, files.answers[parts.path])
            elif files.moved:
                self._send(302, b"", Location=f"{files.moved}{self.path}")
            elif parts.query != files.query or self.headers.get("Authorization", "") != files.authorization:
                self._send(403, b"no")
            elif not (files.folder / parts.path.lstrip("/")).is_file():
                self._send(404, b"none")
            else:
                self._file((files.folder / parts.path.lstrip("/")).read_bytes(), wanted)

        def _file(self, data: bytes, wanted: str) -> None:
            if not (files.ranges and wanted):
                files.sent += len(data) if self.command == "GET" else 0
                self._send(200, data)
                return
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else len(data), len(data))
            files.sent += stop - start
            self._send(206, data[start:stop], **{"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"})

        def do_HEAD(self) -> None:
            self.do_GET()

        def _send(self, status: int, data: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {**headers, **files.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that leaves a stream is no error."""

    server = Server(("127.0.0.1", 0), Handler)
    files.root = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield files.root
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
