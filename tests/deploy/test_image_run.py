"""The on-premises image, built and run as a cluster runs it: not root, nothing writable, no network, a limit on memory.

Needs a container engine, and the public base images or their stand-ins (spark-operator/base-images.sh).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from swath.deploy.render.layout import ENTRY_POINT, UID
from swath.simulator.simulate import simulate

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]
ROOT: Final = Path(__file__).resolve().parents[2]
PLUG_INS: Final = ROOT / "tests" / "faults" / "plug_ins"
#: Of the Dockerfile, with the stand-ins.
BASES: Final = {"PYTHON_IMAGE": "localhost/swath-python:3.11", "MAVEN_IMAGE": "localhost/swath-maven:3"}
TAG: Final = "localhost/swath-test:deploy"
#: Room for the JVM, the workers and one child; less than the child's own limit.
CONTAINER_MB: Final = 2500
Contained = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def contained(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Contained:
    """Run something in the image."""
    context = tmp_path_factory.mktemp("context")
    for name in ("jobs", "conf", "spark-operator"):
        shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", context)
    uv = [str(Path(sys.executable).with_name("uv")), "build", "--quiet", "--offline", "--wheel", "--no-build-isolation"]
    source = tmp_path_factory.mktemp("source")
    for name in ("lib", "conf", "models"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("setup.py", "pyproject.toml", "requirements.in", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, source)
    subprocess.run([*uv, "--python", sys.executable, "--out-dir", str(context / "dist"), str(source)], check=True)
    build = [engine, "build", "--network", "host", "-f", "spark-operator/Dockerfile", "-t", TAG]
    if all(_there(engine, image) for image in BASES.values()):
        build += [word for name, image in BASES.items() for word in ("--build-arg", f"{name}={image}")]
    elif subprocess.run([engine, "pull", "python:3.11-slim-bookworm"], capture_output=True, check=False).returncode:
        pytest.skip("neither the public base images nor their stand-ins can be had (spark-operator/base-images.sh)")
    done = subprocess.run([*build, "."], cwd=context, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    locked = ("--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    limits = ("--memory", f"{CONTAINER_MB}m", "--memory-swap", f"{CONTAINER_MB}m", "--tmpfs", "/tmp", "--tmpfs", "/home/swath")

    def run(*words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [engine, "run", *locked, *limits, *options, TAG, *words], capture_output=True, text=True, check=False
        )

    return run


def _there(engine: str, image: str) -> bool:
    return subprocess.run([engine, "image", "inspect", image], capture_output=True, check=False).returncode == 0


def test_the_image_is_not_root_and_writes_nothing_into_itself(contained: Contained) -> None:
    assert contained("id", "-u").stdout.strip() == str(UID)
    assert contained("swath", "--version").stdout.startswith("swath")
    refused = contained("touch", "/opt/spark/work-dir/file")
    assert refused.returncode != 0
    assert "Read-only file system" in refused.stderr
    assert "CapEff:\t0000000000000000" in contained("cat", "/proc/self/status").stdout


def test_a_scene_that_outgrows_the_container_is_accounted_for_and_the_others_are_made(
    contained: Contained, tmp_path: Path
) -> None:
    scenes, out = tmp_path / "in", tmp_path / "out"
    simulate(kind="stac", folder=scenes, size=96, truth=False)
    (scenes / "hog.hostile").write_text("hog", encoding="utf-8")
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    for path in scenes.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    mounts = [f"{scenes}:/in:ro", f"{out}:/out", f"{PLUG_INS}:/plug-ins:ro"]
    variables = {"SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1", "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": "/plug-ins"}
    options = [word for mount in mounts for word in ("-v", mount)]
    options += [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    # Its own limit would end the child first: here the kernel must.
    words = ("toa", "--input", "/in", "--output", "/out", "--worker-memory-mb", "8192", "--run-id", "contained", "--json")
    done = contained("driver", "--master", "local[1,4]", ENTRY_POINT, *words, options=tuple(options))
    assert done.returncode == 3, (done.stdout + done.stderr)[-3000:]
    told = json.loads((out / "reports" / "contained.json").read_bytes())
    assert (told["scenes_in"], told["made"], told["quarantined"]) == (2, 1, 1)
    (refused,) = told["quarantine"]
    assert "hog.hostile" in json.dumps(refused)
    assert refused["error"] == "oom"
    owners = {path.stat().st_uid for path in out.rglob("*")}
    assert owners == {UID} or os.geteuid() != 0
