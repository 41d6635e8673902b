"""A real S3 server for tests: moto's, over HTTP, which writes down what it is asked."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from tests.faults.outage_s3 import OutageS3, serving
from werkzeug.serving import make_server

from swath.readers.files import gdal_env
from swath.stores.patience import forget_outages
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store
from swath.stores.s3_client import s3_client


@dataclass(slots=True)
class Recorder:
    """A WSGI application that notes each request before moto answers it."""

    app: Any
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    #: Operation and body of each request to a service that names its operations in a header.
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", "")))
        self.headers.append({k: str(v) for k, v in environ.items() if k.startswith("HTTP_")})
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self.bodies.append((target, body))
            environ["wsgi.input"] = BytesIO(body)
        if environ["REQUEST_METHOD"] == "PUT" and self._ended(environ):
            # S3 answers so; moto fails with an error of its own.
            body = b"<Error><Code>NoSuchUpload</Code><Message>It has ended.</Message></Error>"
            start_response("404 Not Found", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return [body]
        return self.app(environ, start_response)

    @staticmethod
    def _ended(environ: dict[str, Any]) -> bool:
        upload = parse_qs(environ.get("QUERY_STRING", "")).get("uploadId", [""])[0]
        buckets = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.values()
        return bool(upload) and all(upload not in b.multiparts for b in buckets)


@dataclass(frozen=True, slots=True)
class Bucket:
    """An empty bucket on the server."""

    name: str
    endpoint: str
    client: Any
    recorder: Recorder

    def store(self, prefix: str = "out") -> S3Store:
        """A store in it."""
        made = open_store(f"s3://{self.name}/{prefix}")
        assert isinstance(made, S3Store)
        return made

    def objects(self) -> list[str]:
        """Of all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def uploads(self) -> list[str]:
        """Keys of multipart uploads that nobody ended."""
        return [u["Key"] for u in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])]

    def asked(self) -> Counter[str]:
        """How often each kind of request came since the last look."""
        kinds = Counter(_kind(*request) for request in self.recorder.seen)
        self.recorder.seen.clear()
        self.recorder.headers.clear()
        self.recorder.bodies.clear()
        return kinds


def _kind(method: str, path: str, query: str) -> str:
    names = {
        ("POST", "uploads"): "CreateMultipartUpload", ("POST", "uploadId"): "CompleteMultipartUpload",
        ("PUT", "uploadId"): "UploadPart", ("DELETE", "uploadId"): "AbortMultipartUpload", ("GET", "uploadId"): "ListParts",
        ("POST", "delete"): "DeleteObjects", ("GET", "list-type"): "ListObjectsV2",
    }  # fmt: skip
    told = next((name for (m, q), name in names.items() if m == method and f"&{q}" in f"&{query}"), "")
    return told or {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}.get(method, method)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The server leaves the parts of an aborted upload, which are files without a name, to the garbage collector."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed file <_io.BufferedRandom:ResourceWarning"))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, Recorder]]:
    recorder = Recorder(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, recorder, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", recorder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def bucket(s3_server: tuple[str, Recorder], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    endpoint, recorder = s3_server
    for key, value in {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("SWATH_STORES", raising=False)
    s3_client.cache_clear()
    # GDAL's sessions know whom they were made for, and tests change that.
    gdal_env._session.cache_clear()
    name = f"b-{uuid4().hex[:12]}"
    store = open_store(f"s3://{name}")
    assert isinstance(store, S3Store)
    store.client.create_bucket(Bucket=name)
    made = Bucket(name, endpoint, store.client, recorder)
    made.asked()
    yield made
    for key in made.objects():
        made.client.delete_object(Bucket=name, Key=key)
    s3_client.cache_clear()


@pytest.fixture(scope="session")
def outage() -> Iterator[tuple[OutageS3, str]]:
    """moto's server behind a switch, and its address."""
    made = OutageS3()
    with serving(made) as endpoint:
        yield made, endpoint


@pytest.fixture
def switch(outage: tuple[OutageS3, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[OutageS3]:
    """The switch; this process reaches that server, with a patience of 20 s and no tries of GDAL's own."""
    made, endpoint = outage
    for key, value in {
        "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "testing-ABCD", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        "SWATH_STORE_PATIENCE_S": "20", "GDAL_HTTP_MAX_RETRY": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("SWATH_STORES", raising=False)
    fresh()
    yield made
    made.fault = None
    fresh()


def fresh() -> None:
    """Forget clients, sessions and outages, as a new process does."""
    s3_client.cache_clear()
    gdal_env.forget_sessions()
    forget_outages()
