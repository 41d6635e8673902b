import http.server
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.authorities import Authority, mount

from swath.deploy.render.order import Order
from swath.deploy.rendering import render
from swath.deploy.site.files import load_job, load_site, site_names
from swath.spark.start.java import find_java

ROOT = Path(__file__).resolve().parents[2]
Ordered = Callable[[str], Order]

_CANARIES = {
    "AWS_ACCESS_KEY_ID": "AKIACANARY0000000001",
    "AWS_SECRET_ACCESS_KEY": "canary-secret-key",
    "AWS_SESSION_TOKEN": "canary-session-token",
    "SWATH_POSTGRESQL_DSN": "postgresql://swath:canary-password@db/swath",
    "PGPASSWORD": "canary-pgpassword",
    "MLFLOW_TRACKING_TOKEN": "canary-mlflow-token",
    "HTTPS_PROXY": "http://user:canary-proxy-password@proxy:3128",
}


@pytest.mark.parametrize("site", ["aws-region", "eks-anywhere", "kubernetes", "laptop", "outposts-extended", "outposts-local"])
def test_no_secret_of_whoever_renders_gets_into_the_rendering(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _CANARIES.items():
        monkeypatch.setenv(name, value)
    text = render(Order(job=load_job("ard"), site=load_site(site), run_id="ard-1"))
    assert not [name for name, value in _CANARIES.items() if value in text]
    assert "canary" not in text.lower()


def test_every_shipped_site_speaks_tls() -> None:
    for name in site_names():
        site = load_site(name)
        assert not [s for s in site.stores.values() if s.insecure_http or s.endpoint.startswith("http://")]


def test_nobody_in_the_library_turns_verification_off() -> None:
    off = re.compile(
        r"verify\s*=\s*False|CERT_NONE|_create_unverified_context|GDAL_HTTP_UNSAFESSL.{0,6}YES|verify_ssl\s*=\s*False|assert_hostname\s*=\s*False"
    )
    guilty = [str(p) for p in (ROOT / "lib").rglob("*.py") if off.search(p.read_text(encoding="utf-8"))]
    assert guilty == []


@pytest.mark.parametrize("site", ["outposts-local", "eks-anywhere", "kubernetes"])
def test_only_the_driver_may_speak_to_the_api_server(site: str, order: Ordered) -> None:
    import yaml  # noqa: PLC0415 - only here

    spec = yaml.safe_load(render(order(site)))["spec"]
    assert spec["driver"]["template"]["spec"]["automountServiceAccountToken"] is True
    assert spec["executor"]["template"]["spec"]["automountServiceAccountToken"] is False


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority's certificate, and what a server of 127.0.0.1 needs."""
    folder = tmp_path_factory.mktemp("ca")
    made = Authority.new("site authority")
    mount(folder, [made])
    made.serve(folder / "server.pem")
    return folder


@pytest.fixture
def tls_server(authority: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


_PROBE = """
import java.net.HttpURLConnection;
import java.net.URI;
public class Probe {
    public static void main(String[] words) throws Exception {
        System.out.println(((HttpURLConnection) URI.create(words[0]).toURL().openConnection()).getResponseCode());
    }
}
"""


def _java(java: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(java / "bin" / "java"), *words], capture_output=True, text=True, check=False)


def test_the_jvm_trusts_the_sites_authority_by_the_rendered_options_and_only_by_them(
    authority: Path, tls_server: str, order: Ordered, tmp_path: Path
) -> None:
    java = find_java()
    if java is None or (not (java / "bin" / "javac").is_file() and shutil.which("javac") is None):
        pytest.skip("a Java compiler (JDK 17) is needed")
    store = authority / "truststore.p12"
    keytool = [
        str(java / "bin" / "keytool"),
        "-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE",
        "-J-Dkeystore.pkcs12.macAlgorithm=NONE",
    ]
    subprocess.run(
        [
            *keytool,
            "-importcert",
            "-noprompt",
            "-alias",
            "site",
            "-file",
            str(authority / "ca.pem"),
            "-keystore",
            str(store),
            "-storetype",
            "PKCS12",
            "-storepass",
            "unused",
        ],
        check=True,
        capture_output=True,
    )
    probe = tmp_path / "Probe.java"
    probe.write_text(_PROBE, encoding="utf-8")
    rendered = order("eks-anywhere").conf["spark.driver.extraJavaOptions"].split()
    trusting = [word.replace("/etc/swath/ca", str(authority)) for word in rendered if "trustStore" in word]
    assert len(trusting) == 2
    assert _java(java, *trusting, str(probe), tls_server).stdout.strip() == "501"
    assert "SSLHandshakeException" in _java(java, str(probe), tls_server).stderr


def test_python_trusts_the_sites_authority_by_the_rendered_variables(authority: Path, tls_server: str, order: Ordered) -> None:
    prefix = "spark.executorEnv."
    conf = order("eks-anywhere").conf
    trusting = {
        key.removeprefix(prefix): value.replace("/etc/swath/ca", str(authority))
        for key, value in conf.items()
        if key.startswith(prefix) and value.startswith("/etc/swath/ca")
    }
    ask = (
        "import sys, requests\n"
        "try: print(requests.get(sys.argv[1], timeout=5).status_code)\n"
        "except requests.exceptions.SSLError: print('refused')"
    )
    clean = {
        key: value
        for key, value in os.environ.items()
        if "CA_BUNDLE" not in key and "SSL_CERT" not in key and "proxy" not in key.lower()
    }
    for variables, answer in ((trusting, "501"), ({}, "refused")):
        done = subprocess.run(
            [sys.executable, "-c", ask, tls_server], env=clean | variables, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == answer
    assert json.dumps(trusting).count("ca.pem") == 7
