"""The doctor names what is wrong with a store, a database or a registry, each cause with its own remedy."""

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from click.testing import CliRunner
from tests.faults.outage_s3 import RESET, Fault, OutageS3

from swath import doctor_services
from swath.cli.inspect import doctor_command
from swath.doctor_services import database_finding, registry_finding, store_findings
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store


@pytest.fixture
def place(switch: OutageS3, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(doctor_services, "_PATIENCE_S", 0.3)
    store = open_store(f"s3://doctor-{uuid4().hex[:12]}/out")
    assert isinstance(store, S3Store)
    store.client.create_bucket(Bucket=store.bucket)
    return store.root


@pytest.mark.parametrize(
    ("fault", "found", "remedy"),
    [
        (Fault(code="SlowDown"), r"was away for 0 s \(PutObject of", "a busy store needs fewer requests"),
        (Fault(code=RESET), r"was away for 0 s \(PutObject of", "can be reached from here"),
        (Fault(code="RequestTimeTooSkewed", ahead_s=-5000), r"this machine's clock is 500\d s ahead of the store's", "(NTP)"),
        (Fault(code="AccessDenied"), r"s3:PutObject is refused to access key \.\.\.ABCD \(from env\)", "Grant the action"),
        (Fault(code="NoSuchBucket"), r"does not exist at http://127", "Check the bucket's name"),
        (Fault(code="ExpiredToken"), "the credentials have expired", "can be reached from here"),
    ],
)
def test_each_cause_has_its_own_line(place: str, switch: OutageS3, fault: Fault, found: str, remedy: str) -> None:
    switch.fault = Fault(code=fault.code, ahead_s=fault.ahead_s)
    (finding,) = store_findings(place)
    assert finding.level == "failure"
    assert re.search(found, finding.found)
    assert remedy in finding.remedy


def test_a_store_of_inputs_may_refuse_to_be_written(place: str, switch: OutageS3) -> None:
    switch.away("AccessDenied", asked=lambda e: e["REQUEST_METHOD"] == "PUT")
    (finding,) = store_findings(place, label="Store raw", may_be_input=True)
    assert (finding.check, finding.level) == ("Store raw: read", "warning")
    assert "can be listed, not written (s3://" in finding.found


@pytest.fixture
def registry() -> Iterator[str]:
    """What answers as MLflow's server does when it is asked for its health."""

    class Healthy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: Any) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Healthy)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_registry_is_asked_for_its_health(registry: str) -> None:
    assert registry_finding(registry).level == "ok"
    assert (registry_finding(f"{registry}/below").level, registry_finding("http://127.0.0.1:1").level) == ("failure", "failure")


def test_a_database_that_does_not_answer_is_told() -> None:
    finding = database_finding("postgresql://swath:hunter2@127.0.0.1:1/x", label="Ledger", variable="V", locks=True)
    assert finding.level == "failure"
    assert "PostgreSQL (host=127.0.0.1" in finding.found
    assert "hunter2" not in finding.found
    assert "server runs" in finding.remedy
    assert database_finding("", label="Ledger", variable="SWATH_X", locks=True).remedy == "Set SWATH_X here to have it checked."


def test_a_site_is_asked_for_everything_that_it_names(
    place: str, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outage: tuple[OutageS3, str]
) -> None:
    monkeypatch.setenv("SWATH_POSTGRESQL_DSN", "postgresql://swath@127.0.0.1:1/x")
    monkeypatch.delenv("SWATH_LINK", raising=False)
    store = {"kind": "s3-compatible", "uri": place, "endpoint": outage[1], "region": "external", "addressing": "path"}
    site = {
        "site": "bench", "engine": "spark-submit", "link": "none",
        "stores": {"products": {**store, "insecure_http": True}, "local": {"kind": "folder", "uri": str(tmp_path)}},
        "ledger": {"kind": "postgresql", "lock": "postgresql"}, "models": {"uri": registry},
    }  # fmt: skip
    file = tmp_path / "bench.yaml"
    file.write_text(yaml.safe_dump(site), encoding="utf-8")
    done = CliRunner().invoke(doctor_command, ["--site", str(file)])
    lines = [line for line in done.output.splitlines() if not line.startswith("    ")]
    assert [line for line in lines if "Store products: write, read, delete: yes" in line], done.output
    assert [line for line in lines if line.startswith(f"ok       Store local: {tmp_path}")]
    assert [line for line in lines if line.startswith("FAILURE  Ledger: PostgreSQL (host=127.0.0.1")]
    assert [line for line in lines if line.startswith(f"ok       Models: {registry} answers")]
    assert done.exit_code == 2
