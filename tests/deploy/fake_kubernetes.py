"""An API server over HTTP that knows SparkApplications: schema, webhook, permissions, conflicts, drops, states."""

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crd_schema import crd_validator  # type: ignore[import-not-found]  # on the path by conftest.py

from swath.deploy.spark_operator.webhook_rules import webhook_refusals

_PATH = re.compile(
    r"/(?:apis/sparkoperator\.k8s\.io/v1beta2|api/v1)/namespaces/(?P<ns>[^/]+)/(?P<kind>\w+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>\w+))?"
)


class FakeCluster:
    """What the server knows, and how it behaves."""

    def __init__(self) -> None:
        self.apps: dict[str, dict[str, Any]] = {}
        self.pods: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.quotas: list[dict[str, Any]] = []
        self.log: list[str] = []
        self.log_drops_after: deque[int] = deque()
        self.states: deque[dict[str, Any]] = deque()
        self.faults: deque[int | str] = deque()  # answered instead of the next requests: a status, or "drop"
        self.forbidden: set[tuple[str, str]] = set()
        self.crds = True
        self.webhook = True
        self.created_at = "2026-11-25T00:00:00Z"
        self.requests: list[str] = []
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    cluster: FakeCluster
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one packet an answer: otherwise each waits 40 ms for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the base class
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer("get")

    def do_POST(self) -> None:
        self._answer("create")

    def do_DELETE(self) -> None:
        self._answer("delete")

    def _answer(self, verb: str) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        parts = urlsplit(self.path)
        match = _PATH.fullmatch(parts.path)
        c = self.cluster
        with c.lock:
            c.requests.append(f"{verb} {parts.path}")
            fault = c.faults.popleft() if c.faults else None
        if fault == "drop":
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(fault, int):
            self._status(fault, "Fault", "out of order")
            return
        if match is None or (match["kind"] == "sparkapplications" and not c.crds):
            self._raw(404, b"404 page not found\n", kind="text/plain")
            return
        if (verb, match["kind"]) in c.forbidden:
            self._status(
                403, "Forbidden", f'{match["kind"]} is forbidden: User "x" cannot {verb} resource in namespace "{match["ns"]}"'
            )
            return
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        with c.lock:
            getattr(self, f"_{match['kind']}")(verb, match=match, query=query, body=body)

    def _sparkapplications(self, verb: str, *, match: re.Match[str], query: dict[str, str], body: Any) -> None:
        c, name = self.cluster, match["name"]
        if verb == "create":
            self._create(body, namespace=match["ns"])
        elif name is None:
            wanted = _selector(query.get("labelSelector", ""))
            self._json(200, {"items": [a for a in c.apps.values() if wanted.items() <= a["metadata"]["labels"].items()]})
        elif name not in c.apps:
            self._status(404, "NotFound", f'sparkapplications.sparkoperator.k8s.io "{name}" not found')
        elif verb == "delete":
            self._json(200, c.apps.pop(name))
        else:
            if c.states:
                c.apps[name]["status"] = c.states.popleft()
            self._json(200, c.apps[name])

    def _create(self, body: dict[str, Any], *, namespace: str) -> None:
        c, name = self.cluster, body["metadata"]["name"]
        problems = [e.message for e in crd_validator("SparkApplication").iter_errors(body)]
        if problems:
            self._status(422, "Invalid", f"SparkApplication {name} is invalid: {problems[0]}")
        elif not c.webhook:
            self._status(
                500,
                "InternalError",
                'Internal error occurred: failed calling webhook "mutate-sparkapplication": connection refused',
            )
        elif refused := next(iter(webhook_refusals(body)), None):
            self._status(403, "Forbidden", f'admission webhook "validate-sparkapplication" denied the request: {refused.reason}')
        elif name in c.apps:
            self._status(409, "AlreadyExists", f'sparkapplications "{name}" already exists')
        else:
            body["metadata"] |= {"creationTimestamp": c.created_at, "namespace": namespace}
            c.apps[name] = body
            self._json(201, body)

    def _pods(self, _verb: str, *, match: re.Match[str], query: dict[str, str], body: Any) -> None:
        if match["sub"] == "log":
            self._pod_log(query)
            return
        wanted = _selector(query.get("labelSelector", ""))
        self._json(200, _list("Pod", [p for p in self.cluster.pods if wanted.items() <= p["metadata"]["labels"].items()]))

    def _events(self, _verb: str, *, match: re.Match[str], query: dict[str, str], body: Any) -> None:
        name = query.get("fieldSelector", "").partition("=")[2]
        self._json(200, _list("Event", [e for e in self.cluster.events if e["involvedObject"]["name"] == name]))

    def _resourcequotas(self, _verb: str, *, match: re.Match[str], query: dict[str, str], body: Any) -> None:
        self._json(200, _list("ResourceQuota", self.cluster.quotas))

    def _pod_log(self, query: dict[str, str]) -> None:
        c = self.cluster
        drop = c.log_drops_after.popleft() if c.log_drops_after else None
        wanted = c.log[-int(query["tailLines"]) :] if "tailLines" in query else c.log
        lines = wanted if drop is None else wanted[:drop]
        data = "".join(f"{line}\n" for line in lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data) + (100 if drop is not None else 0)))
        self.end_headers()
        self.wfile.write(data)
        if drop is not None:
            self.close_connection = True

    def _status(self, code: int, reason: str, message: str) -> None:
        self._json(
            code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}
        )

    def _json(self, code: int, data: Any) -> None:
        self._raw(code, json.dumps(data).encode(), kind="application/json")

    def _raw(self, code: int, data: bytes, *, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _selector(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)


def _list(kind: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": f"{kind}List", "apiVersion": "v1", "items": items}


@contextmanager
def serve(cluster: FakeCluster) -> Iterator[str]:
    """The server's address."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
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
