"""Spark's own history server, as a site with an event log gets it, shows a run of swath."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.test_examples import kept
from tests.quick_jvm import quick_jvm

from swath.deploy.render.order import Order
from swath.deploy.render.plain import as_yaml
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.site import Site
from swath.deploy.spark_operator.history_server import history_server
from swath.errors import ConfigError
from swath.simulator.simulate import simulate
from swath.spark.start.jars import spark_home
from swath.spark.start.java import find_java

_ROOT = Path(__file__).resolve().parents[2]
_MONITORING = _ROOT / "spark-operator" / "monitoring"
_EVENTS = {"event_log": "store://products/spark-events"}
#: Spark itself wants a few seconds to start; on a busy machine many more [s].
_LONGEST_S = 600.0
#: It looks every 5 s; the rest is for a busy machine [s].
_SOON_S = 10.0


def _site(change: Callable[..., Site]) -> Site:
    return change("kubernetes", logging=_EVENTS)


def test_the_file_is_that_of_a_site_with_an_event_log(change: Callable[..., Site]) -> None:
    text = "---\n".join(as_yaml(made) for made in history_server(_site(change)))
    assert kept(_MONITORING / "history-server.yaml", text) == text, f"SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"


def test_its_pod_is_as_locked_as_a_driver_and_reads_with_the_same_identity(change: Callable[..., Site]) -> None:
    site = _site(change)
    _, deployment, service, network = history_server(site)
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert {"name": "aws", "secret": {"secretName": "swath-s3"}} in pod["volumes"]
    assert container["image"] == site.image
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert {"protocol": "TCP", "port": 9000} in network["spec"]["egress"][1]["ports"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_a_site_without_an_event_log_has_no_server(change: Callable[..., Site]) -> None:
    with pytest.raises(ConfigError, match=r"site kubernetes keeps no event log: set logging\.event_log"):
        history_server(load_site("kubernetes"))
    with pytest.raises(ConfigError, match="engine spark-submit has no pods"):
        history_server(change("laptop", logging=_EVENTS))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _served(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=10) as answer:
        return json.load(answer)


@contextmanager
def _server(site: Site, *, events: Path, folder: Path) -> Iterator[int]:
    """The container's own command and settings, but for place and port."""
    config, deployment, *_ = history_server(site)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    port, conf = _free_port(), folder / "history.conf"
    lines = [line for line in config["data"]["history.conf"].splitlines() if "logDirectory" not in line and "ui.port" not in line]
    lines += [f"spark.history.fs.logDirectory file://{events}", f"spark.history.ui.port {port}", "spark.ui.port 0"]
    conf.write_text("\n".join(lines), encoding="utf-8")
    words = [str(spark_home() / "bin" / "spark-class"), container["args"][1], "--properties-file", str(conf)]
    variables = {each["name"]: each["value"] for each in container["env"] if each["name"].startswith("SPARK_")}
    environment = {**os.environ, **quick_jvm(), **variables, "JAVA_HOME": str(find_java()), "SPARK_LOCAL_IP": "127.0.0.1"}
    with (folder / "server.log").open("wb") as log, subprocess.Popen(words, env=environment, stdout=log, stderr=log) as server:
        try:
            yield port
        finally:
            server.kill()


def _run(site: Site, *, scenes: Path, events: Path, output: Path) -> None:
    """A run with the settings of the event log that the site's jobs have."""
    conf = Order(job=load_job("ard"), site=site, run_id="ard-1").conf
    told = {key: value for key, value in conf.items() if key.startswith("spark.eventLog.")} | {
        "spark.eventLog.dir": f"file://{events}"
    }
    pairs = [word for key, value in told.items() for word in ("--conf", f"{key}={value}")]
    words = [
        str(spark_home() / "bin" / "spark-submit"),
        *pairs,
        str(_ROOT / "jobs" / "process.py"),
        "toa",
        "--input",
        str(scenes),
    ]
    variables = {"JAVA_HOME": str(find_java()), "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    done = subprocess.run(
        [*words, "--output", str(output), "--master", "local[1]"],
        env={**os.environ, **quick_jvm(), **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.long
def test_a_run_is_shown_soon_after_its_start(change: Callable[..., Site], tmp_path: Path) -> None:
    """Its settings alone decide: rolled and compressed logs are read, and looked for every five seconds."""
    site, events = _site(change), tmp_path / "events"
    events.mkdir()
    simulate(kind="landsat9", folder=tmp_path / "scene", size=64, truth=False)
    with _server(site, events=events, folder=tmp_path) as port:
        _answering(port)
        assert _served(port, "applications") == []
        _run(site, scenes=tmp_path / "scene", events=events, output=tmp_path / "out")
        ended, until = time.monotonic(), time.monotonic() + _LONGEST_S
        while not (shown := _served(port, "applications")) and time.monotonic() < until:
            time.sleep(0.2)
        waited = time.monotonic() - ended
        (application,) = shown
        jobs = _served(port, f"applications/{application['id']}/jobs")
    assert jobs
    assert all(job["status"] == "SUCCEEDED" for job in jobs)
    assert waited < _SOON_S, f"shown {waited:.1f} s after the run's end"
    names = [path.name for path in events.rglob("events_*")]
    assert names
    assert all(name.endswith(".zstd") for name in names)


def _answering(port: int) -> None:
    until = time.monotonic() + _LONGEST_S
    while True:
        try:
            _served(port, "version")
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def test_fluent_bit_reads_the_pods_of_swath_and_gives_up_no_line() -> None:
    made = {each["kind"]: each for each in yaml.safe_load_all((_MONITORING / "fluent-bit.yaml").read_text(encoding="utf-8"))}
    conf = yaml.safe_load(made["ConfigMap"]["data"]["fluent-bit.yaml"])["pipeline"]
    (tail,), (output,) = conf["inputs"], conf["outputs"]
    assert tail["path"].endswith("/*_swath_*.log")
    assert (output["retry_limit"], output["tls"]) == ("no_limits", True)
    pod = made["DaemonSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    names = {variable["name"] for variable in container["env"]}
    assert {output[key].strip("${}") for key in ("host", "port")} == names
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert any(tail["db"].startswith(f"{place}/") for place in mounts)
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
    assert "@sha256:" in container["image"]
    assert made["ClusterRoleBinding"]["roleRef"]["name"] == made["ClusterRole"]["metadata"]["name"]
    assert {verb for rule in made["ClusterRole"]["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
