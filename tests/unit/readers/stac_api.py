"""A small STAC API whose answers tests choose, over real HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]


def item_of(number: int, **fields: Any) -> Json:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": f"scene-{number}",
        "collection": "landsat",
        "geometry": None,
        "properties": {"datetime": f"2024-01-0{number}T00:00:00Z"},
        "links": [],
        "assets": {},
        **fields,
    }


@dataclass(kw_only=True)
class Api:
    """What the server does.

    Args:
        items: Of the answer.
        size: Items of a page where nobody says.
        methods: Of its search; others get 405.
        first: Answers before it begins to work: status and headers.
        pages: Made instead of its own: ``pages(number, root)``.
        asked: Method, path and body of each search.
        headers: Of each request.
    """

    items: list[Json] = field(default_factory=lambda: [item_of(n) for n in (1, 2, 3)])
    size: int = 2
    methods: tuple[str, ...] = ("POST",)
    first: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    pages: Any = None
    asked: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    root: str = ""

    def landing(self) -> Json:
        """The root of the API."""
        search = [
            {"rel": "search", "href": f"{self.root}/search", "method": m, "type": "application/geo+json"} for m in self.methods
        ]
        return {
            "type": "Catalog", "id": "fake", "stac_version": "1.0.0", "description": "fake",
            "conformsTo": ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"],
            "links": [{"rel": "self", "href": self.root}, {"rel": "root", "href": self.root}, *search],
        }  # fmt: skip

    def page(self, asked: Json, *, method: str) -> Json:
        """One page, and a link to the next."""
        if self.pages is not None:
            page: Json = self.pages(len(self.asked), self.root)
            return page
        start, size = int(asked.get("token", 0)), int(asked.get("limit", self.size))
        links: list[Json] = []
        if start + size < len(self.items):
            if method == "POST":
                links = [
                    {
                        "rel": "next",
                        "method": "POST",
                        "href": f"{self.root}/search",
                        "body": {"token": start + size},
                        "merge": True,
                    }
                ]
            else:
                links = [{"rel": "next", "href": f"search?token={start + size}&limit={size}"}]
        return {"type": "FeatureCollection", "features": self.items[start : start + size], "links": links}


@contextmanager
def serving(api: Api) -> Iterator[str]:  # noqa: C901  a handler is a class of its own
    """Serve; its root."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path.rstrip("/") == "/api":
                self._answer(api.landing())
            elif parts.path.startswith("/api/item"):
                self._answer(api.items[int(parts.path.rsplit("-", 1)[1]) - 1])
            elif parts.path == "/api/search":
                self._search(dict(parse_qsl(parts.query)), method="GET")
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            self._search(json.loads(self.rfile.read(int(self.headers["Content-Length"]))), method="POST")

        def _search(self, asked: Json, *, method: str) -> None:
            api.headers.append(dict(self.headers))
            if api.first:
                status, headers = api.first.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
            elif method not in api.methods:
                self.send_error(405)
            else:
                api.asked.append(asked)
                self._answer(api.page(asked, method=method))

        def _answer(self, document: Any) -> None:
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.root = f"http://127.0.0.1:{server.server_port}/api"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield api.root
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
