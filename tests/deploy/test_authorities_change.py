"""A site's authority is replaced while runs go on: both are trusted, then the certificate changes, then the old one leaves."""

import os
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import rasterio
import requests
from botocore.exceptions import SSLError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from rasterio.errors import RasterioIOError
from tests.authorities import Authority, mount
from tests.faults.whole_product import MADE, Maker
from werkzeug.serving import make_server

from swath.config import load_pipeline, prepare
from swath.deploy.render.environment import environment
from swath.deploy.site.files import load_job, load_site
from swath.engine.child.parent import Child, Limits
from swath.errors import StoreRefusedError
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.readers.files.gdal_env import gdal_env
from swath.simulator.simulate import simulate
from swath.spark.start.jars import spark_home
from swath.spark.start.java import HOW_TO_GET, find_java
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store
from swath.stores.s3_client import s3_client

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed file <_io.BufferedRandom:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
OLD, NEW = Authority.new("old"), Authority.new("new")
PROBE = Path(__file__).with_name("Probe.java")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """moto's S3 over TLS.

    Args:
        folder: With the bundle, as pods have it mounted.
        context: Of the server; a certificate that is loaded into it holds for the next connection.
        endpoint: Address.
    """

    folder: Path
    context: ssl.SSLContext
    endpoint: str

    def trust(self, *authorities: Authority) -> None:
        mount(self.folder, authorities)

    def certify(self, authority: Authority) -> None:
        self.context.load_cert_chain(authority.serve(self.folder / "server.pem"))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0  # a session that is taken up again is not verified again
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    (tmp_path / "ca").mkdir()
    made = Store(folder=tmp_path / "ca", context=context, endpoint="")
    made.trust(OLD)
    made.certify(OLD)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site = load_site("eks-anywhere")
    assert site.trust is not None
    told = {
        name: value.replace(site.trust.folder, str(made.folder))
        for name, value in environment(load_job("ard"), site=site).items()
        if value.startswith(site.trust.folder)
    }
    endpoint = f"https://127.0.0.1:{server.server_port}"
    told |= {
        "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    s3_client.cache_clear()
    yield Store(folder=made.folder, context=context, endpoint=endpoint)
    server.shutdown()
    server.server_close()
    thread.join()
    s3_client.cache_clear()


@pytest.fixture
def bucket(store: Store) -> S3Store:
    made = open_store(f"s3://b-{uuid4().hex[:12]}")
    assert isinstance(made, S3Store)
    made.client.create_bucket(Bucket=made.bucket)
    return made


def _refusing(bucket: S3Store, store: Store) -> list[str]:
    """The libraries of this process that will not speak to the store."""
    path = f"{uuid4().hex}.tif"  # GDAL remembers what it asked about

    def by_gdal() -> None:
        with gdal_env(bucket.gdal_path(path)):
            rasterio.open(bucket.gdal_path(path))

    asks: dict[str, Callable[[], object]] = {
        "boto3": lambda: bucket.read(path), "GDAL": by_gdal, "requests": lambda: requests.get(store.endpoint, timeout=9),
    }  # fmt: skip
    refusing = []
    for name, ask in asks.items():
        try:
            ask()
        except (SSLError, StoreRefusedError, requests.exceptions.SSLError, RasterioIOError) as error:
            if "certificate" in str(error).lower():
                refusing.append(name)
            elif not re.search("404|does not exist", str(error)):
                raise
    return refusing


def test_libraries_of_a_running_process_take_up_a_new_authority_and_forget_the_old_one(store: Store, bucket: S3Store) -> None:
    assert _refusing(bucket, store) == []
    store.trust(OLD, NEW)
    assert _refusing(bucket, store) == []
    store.certify(NEW)
    assert _refusing(bucket, store) == []
    store.trust(NEW)
    assert _refusing(bucket, store) == []
    store.certify(OLD)
    assert _refusing(bucket, store) == ["boto3", "GDAL", "requests"]


def test_a_worker_goes_on_through_the_change(store: Store, bucket: S3Store, tmp_path: Path) -> None:
    delivery = simulate(kind="landsat9", folder=tmp_path / "in", size=96, truth=False).delivery
    for number in range(2):
        for file in delivery.rglob("*"):
            if file.is_file():
                bucket.write(f"{number}/{delivery.name}/{file.relative_to(delivery).as_posix()}", file.read_bytes())
    pipeline = canonical(dict(prepare(load_pipeline("toa"), registry=Registry.beside(tmp_path)).plain))

    def make(number: int) -> tuple[str, str]:
        output = f"{bucket.root}/out{number}"
        return Maker(child=child, pipeline=pipeline, output=output).make(f"{bucket.root}/{number}/{delivery.name}")

    with closing(Child(Limits())) as child:
        first = make(0)
        store.trust(OLD, NEW)
        store.certify(NEW)
        store.trust(NEW)
        second = make(1)
    assert first == second == (MADE, first[1])
    before, after = (sorted(p for p in bucket.list(f"out{number}") if p.endswith(".tif")) for number in range(2))
    assert len(before) > 5
    assert [bucket.read(p) for p in before] == [bucket.read(p) for p in after]


@pytest.fixture
def class_path(s3a_jars: tuple[Path, ...]) -> str:
    home = find_java()
    if home is None or not (home / "bin" / "javac").is_file():
        pytest.skip(HOW_TO_GET)
    return ":".join(map(str, [*sorted((spark_home() / "jars").glob("*.jar")), *s3a_jars]))


def _java(store: Store, class_path: str, *, trusted: list[Authority]) -> "subprocess.Popen[str]":
    """A JVM that asks by S3A, and trusts some authorities by the rendered options."""
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12  # noqa: PLC0415 - newer than the rest

    entries = [pkcs12.PKCS12Certificate(a.certificate, a.name.encode()) for a in trusted]
    file = store.folder / f"{len(trusted)}.p12"
    file.write_bytes(pkcs12.serialize_java_truststore(entries, NoEncryption()))
    settings = {
        "endpoint": store.endpoint, "endpoint.region": "us-east-1", "path.style.access": "true",
        "attempts.maximum": "1", "retry.limit": "1",
        "aws.credentials.provider": "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
    }  # fmt: skip
    options = [f"-Djavax.net.ssl.trustStore={file}", "-Djavax.net.ssl.trustStoreType=PKCS12", "-XX:TieredStopAtLevel=1"]
    words = [*options, "-cp", class_path, str(PROBE), *(f"fs.s3a.{key}={value}" for key, value in settings.items())]
    java = Path(str(find_java())) / "bin" / "java"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([str(java), *words], text=True, env=dict(os.environ), **pipes)  # type: ignore[call-overload,no-any-return]


def _told(jvm: "subprocess.Popen[str]") -> str:
    assert jvm.stdin is not None
    assert jvm.stdout is not None
    jvm.stdin.write("\n")
    jvm.stdin.flush()
    return jvm.stdout.readline().strip()


def test_an_open_file_system_of_s3a_keeps_the_authorities_that_it_started_with(store: Store, class_path: str) -> None:
    """So both are trusted for as long as a run may last before certificates change: the guide says it."""
    open_store("s3://scenes").client.create_bucket(Bucket="scenes")  # type: ignore[attr-defined]
    with _java(store, class_path, trusted=[OLD]) as early, _java(store, class_path, trusted=[OLD, NEW]) as late:
        assert [_told(early), _told(late)] == ["trusted trusted"] * 2
        shutil.copyfile(store.folder / "2.p12", store.folder / "1.p12")
        store.certify(NEW)
        assert _told(late) == "trusted trusted"
        # A new one reads the trust store again; but Hadoop opens one for each bucket, and keeps it.
        assert _told(early) == "SunCertPathBuilderException trusted"
        for jvm in (early, late):
            assert jvm.stdin is not None
            jvm.stdin.close()
