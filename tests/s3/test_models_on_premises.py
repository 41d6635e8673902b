"""A site by itself: its own MLflow server with artifacts on its own S3, and no connection to any other machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.tiny_model import RECIPE, samples

from swath.inference.registry import Registry
from swath.training.draw import Drawn
from swath.training.train import Trained, train

FREEZING = replace(RECIPE, frozen=0.4)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Refuse every connection of this process that leaves the machine; those that were tried."""
    tried: list[Any] = []
    connect = socket.socket.connect

    def here_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            tried.append(address)
            msg = f"no link outwards: {address}"
            raise OSError(msg)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", here_only)
    return tried


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def server(bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """``mlflow server`` with a database file, artifacts in the bucket; it reaches this machine alone, too."""
    port = _free_port()
    # What is no address of this machine goes to a proxy that is none.
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = {
        **os.environ, **closed, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
        "MLFLOW_S3_ENDPOINT_URL": bucket.endpoint, "MLFLOW_DISABLE_TELEMETRY": "true",
    }  # fmt: skip
    words = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}",
        "--artifacts-destination", f"s3://{bucket.name}/artifacts", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(address, process=process)
            monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
            # Both servers share this machine with a session of Spark: a slow answer is no registry that is away.
            monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
            for name in [n for n in os.environ if n.startswith("SWATH_MODEL")]:
                monkeypatch.delenv(name)
            yield address
        finally:
            # Its workers belong to its group.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=60)


def _wait(address: str, *, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 150
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"{address}/health", timeout=5):  # noqa: S310  an address of this test
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"mlflow server did not start, exit code {process.poll()}")


def trained(level: float, *, seed: int, home: Path) -> Trained:
    drawn = Drawn(samples=samples({"low": level, "high": 0.43}, seed=seed, polygons=20, pixels=20), refused={})
    return train(drawn, recipe=FREEZING, registry=Registry.beside(home), alias="production")


@pytest.mark.long
@pytest.mark.usefixtures("alone", "server")
def test_training_the_gate_and_promotion_need_no_other_machine(bucket: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first, worse = trained(0.1, seed=0, home=out), trained(0.41, seed=1, home=out)
    assert (first.not_promoted, first.model.aliases) == ("", ("production",))
    assert "is not promoted" in worse.not_promoted
    assert [k for k in bucket.objects() if k.startswith("artifacts/") and k.endswith("/model/forest.npz")] != []
