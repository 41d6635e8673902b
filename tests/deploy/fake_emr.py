"""EMR on EKS over HTTP, with what moto does not do: Spark 4 labels, endings, failure reasons, throttling, tokens."""

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_PATH = re.compile(r"/virtualclusters/(?P<cluster>[0-9a-z]+)/jobruns(?:/(?P<job>[0-9a-z]+))?")


class FakeEmr:
    """One virtual cluster."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.runs: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}
        self.states: deque[dict[str, Any]] = deque()  # what describe says next
        self.faults: deque[tuple[int, str, str]] = deque()  # status, code, message instead of an answer
        self.created_at = "2026-11-25T00:00:00Z"
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    emr: FakeEmr
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the base class
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, verb: str) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        match = _PATH.fullmatch(urlsplit(self.path).path)
        with self.emr.lock:
            fault = self.emr.faults.popleft() if self.emr.faults else None
            if fault:
                self._error(*fault)
            elif match is None or match["cluster"] != self.emr.cluster:
                self._error(404, "ResourceNotFoundException", "Virtual cluster doesn't exist.")
            elif verb == "POST":
                self._start(body)
            elif match["job"] is None:
                self._json({"jobRuns": list(reversed(self.emr.runs.values()))})
            elif match["job"] not in self.emr.runs:
                self._error(404, "ResourceNotFoundException", "Job run doesn't exist.")
            elif verb == "DELETE":
                self._cancel(match["job"])
            else:
                if self.emr.states:
                    self.emr.runs[match["job"]] |= self.emr.states.popleft()
                self._json({"jobRun": self.emr.runs[match["job"]]})

    def _start(self, body: dict[str, Any]) -> None:
        token = body["clientToken"]
        if token not in self.emr.tokens:
            number = f"{len(self.emr.runs):019d}"
            self.emr.tokens[token] = number
            self.emr.runs[number] = {
                "id": number,
                "name": body.get("name"),
                "virtualClusterId": self.emr.cluster,
                "state": "PENDING",
                "createdAt": self.emr.created_at,
                "releaseLabel": body["releaseLabel"],
                "tags": body.get("tags", {}),
            }
        self._json({"id": self.emr.tokens[token], "name": body.get("name"), "virtualClusterId": self.emr.cluster})

    def _cancel(self, job: str) -> None:
        run = self.emr.runs[job]
        if run["state"] in {"COMPLETED", "FAILED", "CANCELLED"}:
            self._error(400, "ValidationException", f"Job run {job} is not in a cancellable state")
            return
        run["state"] = "CANCEL_PENDING"
        self._json({"id": job, "virtualClusterId": self.emr.cluster})

    def _error(self, status: int, code: str, message: str) -> None:
        self._json({"message": message}, status=status, code=code)

    def _json(self, data: Any, *, status: int = 200, code: str = "") -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        self.wfile.write(raw)


@contextmanager
def serve(emr: FakeEmr) -> Iterator[str]:
    """The server's address."""
    handler = type("Handler", (_Handler,), {"emr": emr})
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
