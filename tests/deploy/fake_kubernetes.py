"""An API server over HTTP that knows SparkApplications: schema, webhook, permissions, conflicts, drops, states."""

import re
import threading
from collections import deque
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.deploy.crd_schema import crd_validator
from tests.deploy.fake_http import JsonHandler, serving

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
        self.futures: deque[list[dict[str, Any]]] = deque()  # states of each run that is yet to come, in their order
        self.coming: dict[str, list[dict[str, Any]]] = {}  # states of a run that is there
        self.faults: deque[int | str] = deque()  # answered instead of the next requests: a status, or "drop"
        self.forbidden: set[tuple[str, str]] = set()
        self.lingers = 0  # submits that still find a deleted application, whose pods are ending
        self.crds = True
        self.webhook = True
        self.created_at = "2026-11-25T00:00:00Z"
        self.requests: list[str] = []
        self.tokens: set[str] = set()  # with which it was asked
        self.log_containers: list[str] = []  # whose log was asked for
        self.lock = threading.Lock()

    def made(self, name: str) -> None:
        """An application was made; a test may let it leave something."""


_VERBS = {"GET": "get", "POST": "create", "DELETE": "delete"}


class _Handler(JsonHandler):
    cluster: FakeCluster

    def answer(self, verb: str) -> None:
        verb, body = _VERBS[verb], self.body()
        parts = urlsplit(self.path)
        match = _PATH.fullmatch(parts.path)
        c = self.cluster
        with c.lock:
            c.requests.append(f"{verb} {parts.path}")
            c.tokens.add(self.headers.get("Authorization", ""))
            fault = c.faults.popleft() if c.faults else None
        if fault == "drop":
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(fault, int):
            self._status(fault, "Fault", "out of order")
            return
        if match is None or (match["kind"] == "sparkapplications" and not c.crds):
            self.raw(b"404 page not found\n", status=404, kind="text/plain")
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
            self.json({"items": [a for a in c.apps.values() if wanted.items() <= a["metadata"]["labels"].items()]})
        elif name not in c.apps:
            self._status(404, "NotFound", f'sparkapplications.sparkoperator.k8s.io "{name}" not found')
        elif verb == "delete":
            if c.lingers:
                c.apps[name]["metadata"]["deletionTimestamp"] = c.created_at
            self.json(c.apps[name] if c.lingers else c.apps.pop(name))
        else:
            future = c.coming.get(name, [])
            if c.states or future:
                c.apps[name]["status"] = c.states.popleft() if c.states else future.pop(0)
            self.json(c.apps[name])

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
            if c.apps[name]["metadata"].get("deletionTimestamp"):
                c.lingers -= 1
                if not c.lingers:
                    del c.apps[name]
            self._status(409, "AlreadyExists", f'sparkapplications "{name}" already exists')
        else:
            body["metadata"] |= {"creationTimestamp": c.created_at, "namespace": namespace}
            c.apps[name] = body
            c.coming[name] = c.futures.popleft() if c.futures else []
            c.made(name)
            self.json(body, status=201)

    def _pods(self, _verb: str, *, match: re.Match[str], query: dict[str, str], body: Any) -> None:
        if match["sub"] == "log":
            self._pod_log(query)
            return
        wanted = _selector(query.get("labelSelector", ""))
        self.json(_list("Pod", [p for p in self.cluster.pods if wanted.items() <= p["metadata"]["labels"].items()]))

    def _events(self, _verb: str, *, match: re.Match[str], query: dict[str, str], body: Any) -> None:
        name = query.get("fieldSelector", "").partition("=")[2]
        self.json(_list("Event", [e for e in self.cluster.events if e["involvedObject"]["name"] == name]))

    def _resourcequotas(self, _verb: str, *, match: re.Match[str], query: dict[str, str], body: Any) -> None:
        self.json(_list("ResourceQuota", self.cluster.quotas))

    def _pod_log(self, query: dict[str, str]) -> None:
        c = self.cluster
        c.log_containers.append(query.get("container", ""))
        drop = c.log_drops_after.popleft() if c.log_drops_after else None
        wanted = c.log[-int(query["tailLines"]) :] if "tailLines" in query else c.log
        lines = wanted if drop is None else wanted[:drop]
        data = "".join(f"{line}\n" for line in lines).encode()
        self.raw(data, status=200, kind="text/plain", length=len(data) + (100 if drop is not None else 0))
        if drop is not None:
            self.close_connection = True

    def _status(self, code: int, reason: str, message: str) -> None:
        told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}
        self.json(told, status=code)


def _selector(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)


def _list(kind: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": f"{kind}List", "apiVersion": "v1", "items": items}


def serve(cluster: FakeCluster) -> AbstractContextManager[str]:
    """The server's address, while it serves."""
    return serving(type("Handler", (_Handler,), {"cluster": cluster}))
