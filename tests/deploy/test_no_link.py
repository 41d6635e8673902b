"""A site without a link: whole runs with every way out closed, and nothing that even tries to leave."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.quick_jvm import quick_jvm

from swath.deploy.engine_command import engine_command, here, words_and_variables
from swath.deploy.parity import Runtime
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.spark_submit.local import entry_point

CLOSED = Path(__file__).with_name("closed_network.sh")


def _closed(*words: str, env: dict[str, str] | None = None) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run in the closed network; the packets that tried to leave."""
    done = subprocess.run(
        ["/usr/bin/unshare", "-rn", "/bin/sh", str(CLOSED), *words], env=env, capture_output=True, text=True, check=False
    )
    return done, int(done.stdout.strip().rsplit(" ", 1)[-1])


@pytest.fixture(scope="module")
def closed_network() -> None:
    """A skip where no network of its own can be made."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("unshare and ip (util-linux, iproute2) are needed")
    probe = subprocess.run(
        ["/usr/bin/unshare", "-rn", "/bin/sh", str(CLOSED), "true"], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"no network of its own can be made here: {probe.stderr.strip()}")


def test_the_closed_network_sees_who_tries_to_leave(closed_network: None) -> None:
    """The instrument itself: a test that could not fail would prove nothing."""
    ask = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('169.254.169.254', 80))"
    assert _closed(sys.executable, "-c", ask)[1] > 0
    assert _closed(sys.executable, "-c", "pass")[1] == 0


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.timeout(900)
def test_a_run_completes_with_every_way_out_closed_and_nothing_tries_to_leave(
    java: None, closed_network: None, tmp_path: Path
) -> None:
    from swath.simulator.simulate import simulate  # noqa: PLC0415 - a second of imports

    scene = simulate(kind="landsat9", folder=tmp_path / "scene", size=96, truth=False).delivery.parent
    site = load_site("eks-anywhere")
    assert site.link.value == "none"
    job = JobSpec(job="closed", pipeline="toa", inputs=("store://scenes",), output="store://products/toa")
    command = here(
        engine_command(Order(job=job, site=site, run_id="closed-1")),
        site=site,
        folders={"scenes": scene, "products": tmp_path},
        program=entry_point(),
    )
    runtime = Runtime.of_lock()
    words, variables = words_and_variables(command, submit=str(runtime.spark_home / "bin" / "spark-submit"))
    jars = ("--conf", f"spark.jars={','.join(map(str, runtime.jars))}") if runtime.jars else ()
    variables |= quick_jvm() | {
        "PYTHONPATH": ":".join(p for p in sys.path if p),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    done, sent = _closed(words[0], *jars, *words[1:], env=variables)
    assert done.returncode == 0, done.stdout[-3000:]
    result = json.loads((tmp_path / "toa" / "reports" / "closed-1.json").read_text(encoding="utf-8"))
    assert (result["made"], result["quarantined"]) == (1, 0)
    assert sent == 0
