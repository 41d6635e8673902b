"""Registries that are none, are down, hang, or refuse us: told in time, with the address that was tried."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic

import pytest

from swath.errors import ConfigError
from swath.inference.address import AbsentError, RegistryAwayError
from swath.inference.registry import Registry
from swath.inference.tracking import client_of

#: The whole wait, MLflow's own imports included [s].
BOUND_S = 15.0


def _resolve(uri: str, tmp_path: Path) -> float:
    import mlflow  # noqa: F401, PLC0415  its import is the price of every command, not a wait for the registry

    since = monotonic()
    try:
        Registry.beside(tmp_path, uri=uri).resolve("landcover@production")
    finally:
        waited = monotonic() - since
    return waited


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("htp://registry:5000", r"'htp://registry:5000' is not the address of a model registry; did you mean 'http'\?; expected"),
        ("https//registry", r"is not the address of a model registry; expected http\(s\)://SERVER, sqlite:///FILE"),
        ("sqlit:///models.db", "did you mean 'sqlite'"),
        ("http://", "is not the address of a model registry"),
        ("nonsense", "'nonsense' is not the address of a model registry"),
        ("http://user:word@registry:port/x", "cannot be used|cannot answer|is not the address"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(tmp_path: Path, uri: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        _resolve(uri, tmp_path)
    assert "word@" not in str(told.value)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigError, match=r"file/x/mlflow.db cannot be made: .*; choose a folder that can be written"):
        client_of(f"sqlite:///{tmp_path / 'file' / 'x' / 'mlflow.db'}")


def test_a_file_that_was_never_made_has_no_models_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match="nothing is registered there yet; `swath models register` does"):
        _resolve(f"sqlite:///{tmp_path / 'x' / 'mlflow.db'}", tmp_path)
    assert not (tmp_path / "x").exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database, but long enough to be looked at as one")
    with pytest.raises(ConfigError, match=r"mlflow.db cannot be used .*not a database"):
        _resolve(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path)


def test_a_port_where_nothing_listens_is_told_in_time(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    since = monotonic()
    with pytest.raises(RegistryAwayError, match=rf"http://127.0.0.1:{port} cannot answer \(landcover@production\).*; start it"):
        _resolve(f"http://127.0.0.1:{port}", tmp_path)
    assert monotonic() - since < BOUND_S


def test_a_server_that_takes_connections_and_never_answers_is_told_in_time(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)
        since = monotonic()
        with pytest.raises(RegistryAwayError, match=r"the model registry http://127.0.0.1:\d+ (gave no|cannot) answer"):
            _resolve(f"http://127.0.0.1:{deaf.getsockname()[1]}", tmp_path)
    assert monotonic() - since < BOUND_S


class _Refusing(BaseHTTPRequestHandler):
    status = 500

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"You are not authenticated, or the server is broken")

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what it expects."""


@pytest.fixture
def refusing(request: pytest.FixtureRequest) -> Iterator[str]:
    kind = type("Refusing", (_Refusing,), {"status": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("refusing", "said"),
    [(401, r"refuses the request .*set MLFLOW_TRACKING_TOKEN"), (403, "refuses the request"), (500, "cannot answer")],
    indirect=["refusing"],
)
def test_what_a_server_answers_instead_is_told_with_its_address(refusing: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"the model registry {refusing} {said}"):
        _resolve(refusing, tmp_path)
