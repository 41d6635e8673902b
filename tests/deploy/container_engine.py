"""A container engine for tests: one that answers, and that can start a container here."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

#: A program that needs no library: an image of it alone shows whether a container starts (apt-get install busybox-static).
_BUSYBOX = Path("/bin/busybox")
_PROBE = "localhost/swath-test:probe"


@pytest.fixture(scope="module")
def podman_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings of podman where limits cannot be raised and control groups are of both kinds."""
    conf = tmp_path_factory.mktemp("podman") / "containers.conf"
    runtime = '[engine]\nruntime="runc"\n' if shutil.which("runc") else ""
    conf.write_text(f'[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n{runtime}', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        if "CONTAINERS_CONF" not in os.environ:
            patch.setenv("CONTAINERS_CONF", str(conf))
        yield


@pytest.fixture(scope="module")
def podman(podman_settings: None) -> str:
    """Podman, or a skip."""
    found = shutil.which("podman")
    if not found or subprocess.run([found, "info"], capture_output=True, check=False).returncode:
        pytest.skip("podman does not answer: apt-get install podman runc busybox-static")
    return found


@pytest.fixture(scope="module")
def engine(podman_settings: None) -> str:
    """Docker or podman, whichever answers and can start a container, or a skip with what it said."""
    refused = "no container engine answers"
    for name in ("docker", "podman"):
        found = shutil.which(name)
        if not found or subprocess.run([found, "info"], capture_output=True, check=False).returncode:
            continue
        why = _cannot_start(found)
        if not why:
            return found
        refused = f"{name} cannot start a container here: {why}"
    pytest.skip(f"{refused}: the image cannot be run here")


def _cannot_start(engine: str) -> str:
    """Why a container does not start; empty when one does, or there is nothing to try it with."""
    if not _BUSYBOX.is_file():
        return ""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as image:
        image.add(_BUSYBOX.resolve(), "bin/busybox")
    made = subprocess.run([engine, "import", "-", _PROBE], input=packed.getvalue(), capture_output=True, check=False)
    words = [engine, "run", "--rm", "--network", "none", _PROBE, "/bin/busybox", "true"]
    done = made if made.returncode else subprocess.run(words, capture_output=True, check=False)
    subprocess.run([engine, "rmi", "--force", _PROBE], capture_output=True, check=False)
    return done.stderr.decode(errors="replace").strip()[-300:] if done.returncode else ""
