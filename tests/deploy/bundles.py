"""Small images, a registry on loopback, a checkout with a delivery: what bundles are made of in tests."""

import gzip
import hashlib
import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.deploy.environments import ROOT

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
#: The image that the shipped site file and the files rendered from it name.
SHIPPED = "9b2e4c7f1a6d8035e7c4b9f2d6a1830c5e7f9b2a4d6c8e1f3b5a7c9d0e2f4a68"


def key_pair(folder: Path, name: str = "site") -> tuple[Path, Path]:
    """Private and public key as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def small_image(folder: Path, *, text: str, architecture: str = "amd64", docker: bool = False, shared: bytes = b"") -> str:
    """An image of one file (and a layer that it shares), as skopeo's plain folder; its digest."""
    folder.mkdir(parents=True)
    layers = [_layer(folder, "hello.txt", text.encode())]
    if shared:
        layers.append(_layer(folder, "shared.bin", shared))
    kinds = [layer.pop("diff_id") for layer in layers]
    config = _blob(
        folder,
        json.dumps(
            {"architecture": architecture, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": kinds}}
        ).encode(),
    )
    kind = f"{DOCKER}.distribution.manifest.v2+json" if docker else f"{OCI}.manifest.v1+json"
    of_config = f"{DOCKER}.container.image.v1+json" if docker else f"{OCI}.config.v1+json"
    of_layer = f"{DOCKER}.image.rootfs.diff.tar.gzip" if docker else f"{OCI}.layer.v1.tar+gzip"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {"mediaType": of_config, **config},
            "layers": [{"mediaType": of_layer, **layer} for layer in layers],
        }
    ).encode()
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "version").write_text("Directory Transport Version: 1.1\n", encoding="utf-8")
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def _layer(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    packed = gzip.compress(plain.getvalue(), mtime=0)
    return {**_blob(folder, packed), "diff_id": f"sha256:{hashlib.sha256(plain.getvalue()).hexdigest()}"}


def _blob(folder: Path, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    (folder / digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


@contextmanager
def registry(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Debian's docker-registry on loopback; its address."""
    for program in ("docker-registry", "skopeo"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed: apt-get install docker-registry skopeo")
    port = port or _free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.json"
    stored = {"filesystem": {"rootdirectory": str(folder / "data")}, "maintenance": {"uploadpurging": {"enabled": False}}}
    config.write_text(
        json.dumps({"version": 0.1, "log": {"level": "error"}, "storage": stored, "http": {"addr": f"127.0.0.1:{port}"}})
    )
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["docker-registry", "serve", str(config)],  # noqa: S607
            stdout=log,
            stderr=log,
        ) as server,
    ):
        try:
            _answers(f"http://127.0.0.1:{port}/v2/")
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(address: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    pytest.fail(f"{address} does not answer")


def put(image: Path, place: str) -> None:
    """Push a plain folder of skopeo's under a tag."""
    words = ["skopeo", "copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false"]
    subprocess.run([*words, f"dir:{image}", f"docker://{place}:test"], check=True, capture_output=True)


def tiny_wheel(folder: Path, name: str = "carried") -> str:
    """A package of one module; its line in a lock."""
    import zipfile  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"{name}.py", "VALUE = 1\n")
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense: MIT\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def checkout(folder: Path, *, image: str) -> Path:
    """A checkout with the delivery of the site ``kubernetes``, whose files name ``image`` (``sha256:...``)."""
    for part in ("spark-operator", "conf", "docs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("pictures", "images"))
    for path in folder.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if SHIPPED in text:
            path.write_text(text.replace(SHIPPED, image.removeprefix("sha256:")), encoding="utf-8")
    (folder / "dist").mkdir()
    (folder / "dist" / "swath-0.0.0-py3-none-any.whl").write_bytes(b"a wheel of swath")
    jar = b"a jar"
    (folder / "jars").mkdir()
    (folder / "jars" / "one.jar").write_bytes(jar)
    (folder / "spark-operator" / "jars.sha256").write_text(f"{hashlib.sha256(jar).hexdigest()}  one.jar\n", encoding="utf-8")
    (folder / "requirements.lock").write_text(tiny_wheel(folder / "wheels"), encoding="utf-8")
    (folder / ".gitignore").write_text("dist\njars\nwheels\n", encoding="utf-8")
    author = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t"}
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "delivery"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True, env={**author, "PATH": "/usr/bin:/bin"})  # noqa: S607
    return folder
