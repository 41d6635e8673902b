"""A store over HTTP that remembers who asked and who pays, which moto's server does not tell."""

import re
from contextlib import AbstractContextManager
from urllib.parse import unquote, urlsplit

from tests.deploy.fake_http import JsonHandler, serving

_WHO = re.compile(r"Credential=([^/]+)/")
_LIST = '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>{}</ListBucketResult>'


#: When every object was written.
_WRITTEN = "2026-11-29T12:00:00.000Z"


class FakeStore:
    """Objects by path, and for each request who signed it and what the payer's header said."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: set[tuple[str, str]] = set()
        self.missing: tuple[int, str] = (404, "NoSuchKey")  # what is said of an object that is not there


class _Handler(JsonHandler):
    store: FakeStore

    def answer(self, verb: str) -> None:
        who = _WHO.search(self.headers.get("Authorization", ""))
        self.store.asked.add((who[1] if who else "nobody", self.headers.get("x-amz-request-payer", "")))
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if verb == "PUT":
            self.store.objects[path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.raw(b"", status=200, kind="text/plain")
        elif "list-type" in parts.query:
            prefix = re.search(r"prefix=([^&]*)", parts.query)
            begin = unquote(prefix[1]) if prefix else ""
            keys = [key.removeprefix(path.rstrip("/") + "/") for key in self.store.objects]
            found = [k for k in keys if re.fullmatch(re.escape(begin) + "[^/]+", k)]
            told = "".join(f"<Contents><Key>{k}</Key><LastModified>{_WRITTEN}</LastModified></Contents>" for k in found)
            self.raw(_LIST.format(told).encode(), status=200, kind="application/xml")
        elif path in self.store.objects:
            self.raw(self.store.objects[path], status=200, kind="application/json")
        else:
            status, code = self.store.missing
            self.raw(f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode(), status=status, kind="application/xml")


def serve(store: FakeStore) -> AbstractContextManager[str]:
    """The server's address, while it serves."""
    return serving(type("Handler", (_Handler,), {"store": store}))
