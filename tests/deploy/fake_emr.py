"""EMR on EKS over HTTP, with what moto does not do: Spark 4 labels, endings, failure reasons, throttling, tokens."""

import re
import threading
from collections import deque
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.deploy.fake_http import JsonHandler, serving

_PATH = re.compile(r"/virtualclusters/(?P<cluster>[0-9a-z]+)/jobruns(?:/(?P<job>[0-9a-z]+))?")

_PAGE = 100


class FakeEmr:
    """One virtual cluster."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.runs: dict[str, dict[str, Any]] = {}
        self.lists = 0  # requests that list
        self.tokens: dict[str, str] = {}
        self.states: deque[dict[str, Any]] = deque()  # what describe says next
        self.futures: deque[list[str]] = deque()  # states of each run that is yet to come, in their order
        self.coming: dict[str, list[str]] = {}  # states of a run that is there
        self.requests: list[dict[str, Any]] = []  # what started runs
        self.faults: deque[tuple[int, str, str]] = deque()  # status, code, message instead of an answer
        self.created_at = "2026-11-25T00:00:00Z"
        self.lock = threading.Lock()


class _Handler(JsonHandler):
    emr: FakeEmr

    def answer(self, verb: str) -> None:
        body = self.body() or {}
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
                self._list(parse_qs(urlsplit(self.path).query))
            elif match["job"] not in self.emr.runs:
                self._error(404, "ResourceNotFoundException", "Job run doesn't exist.")
            elif verb == "DELETE":
                self._cancel(match["job"])
            else:
                self.json({"jobRun": self._moved(self.emr.runs[match["job"]])})

    def _start(self, body: dict[str, Any]) -> None:
        token = body["clientToken"]
        if token not in self.emr.tokens:
            number = f"{len(self.emr.runs):019d}"
            self.emr.tokens[token] = number
            self.emr.requests.append(body)
            self.emr.runs[number] = {
                "id": number,
                "name": body.get("name"),
                "virtualClusterId": self.emr.cluster,
                "state": "PENDING",
                "createdAt": self.emr.created_at,
                "releaseLabel": body["releaseLabel"],
                "tags": body.get("tags", {}),
            }
            self.emr.coming[number] = self.emr.futures.popleft() if self.emr.futures else []
        self.json({"id": self.emr.tokens[token], "name": body.get("name"), "virtualClusterId": self.emr.cluster})

    def _moved(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run, one state on where there is one."""
        if self.emr.states:
            run |= self.emr.states.popleft()
        elif self.emr.coming.get(run["id"]):
            run["state"] = self.emr.coming[run["id"]].pop(0)
        return run

    def _list(self, query: dict[str, list[str]]) -> None:
        """Newest first, by pages, of one name where one is asked for."""
        self.emr.lists += 1
        wanted = query.get("name")
        runs = [run for run in reversed(self.emr.runs.values()) if not wanted or run.get("name") in wanted]
        begin = int(query.get("nextToken", ["0"])[0])
        more = {"nextToken": str(begin + _PAGE)} if len(runs) > begin + _PAGE else {}
        self.json({"jobRuns": runs[begin : begin + _PAGE], **more})

    def _cancel(self, job: str) -> None:
        run = self.emr.runs[job]
        if run["state"] in {"COMPLETED", "FAILED", "CANCELLED"}:
            self._error(400, "ValidationException", f"Job run {job} is not in a cancellable state")
            return
        run["state"] = "CANCEL_PENDING"
        self.json({"id": job, "virtualClusterId": self.emr.cluster})

    def _error(self, status: int, code: str, message: str) -> None:
        self.json({"message": message}, status=status, headers={"x-amzn-ErrorType": code})


def serve(emr: FakeEmr) -> AbstractContextManager[str]:
    """The server's address, while it serves."""
    return serving(type("Handler", (_Handler,), {"emr": emr}))
