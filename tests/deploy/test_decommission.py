"""The preStop hook of executors: Spark names /opt/decom.sh, and no image of Spark's from PyPI has one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.quick_jvm import quick_jvm

from swath.deploy.render.spark_conf import spark_conf
from swath.deploy.site.files import load_job, load_site

HOOK = Path(__file__).resolve().parents[2] / "spark-operator" / "decom.sh"
_STAND_IN = (
    "import signal, sys, time\nsignal.signal(signal.SIGPWR, lambda *_: sys.exit(0))\nprint('up', flush=True)\ntime.sleep(60)\n"
)


def _proc(folder: Path, *pids: int) -> Path:
    """A /proc with these processes alone: on a machine of tests others run executors too."""
    folder.mkdir()
    for pid in pids:
        (folder / str(pid)).symlink_to(f"/proc/{pid}")
    return folder


def _hook(proc: Path, *, timeout: float) -> int:
    return subprocess.run(
        ["/bin/sh", str(HOOK)], env={**os.environ, "SWATH_PROC": str(proc)}, timeout=timeout, check=False
    ).returncode


def _process(program: str, *words: str) -> subprocess.Popen[str]:
    """A stand-in whose command line begins with ``program``."""
    return subprocess.Popen([program, "-c", _STAND_IN, *words], executable=sys.executable, stdout=subprocess.PIPE, text=True)


def test_the_hook_asks_the_executor_alone_and_waits_for_its_end(tmp_path: Path) -> None:
    words = ("-cp", "x", "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend", "--cores", "2")
    with (
        _process("tini", "-s", "--", "/opt/java/bin/java", *words) as tini,
        _process("/opt/java/bin/java", *words) as executor,
        _process("/opt/java/bin/java", "Other") as other,
    ):
        for process in (tini, executor, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
        proc = _proc(tmp_path / "proc", tini.pid, executor.pid, other.pid)
        with subprocess.Popen(["/bin/sh", str(HOOK)], env={**os.environ, "SWATH_PROC": str(proc)}) as hook:
            assert executor.wait(10) == 0
            assert hook.wait(10) == 0
        assert (tini.poll(), other.poll()) == (None, None)
        tini.kill()
        other.kill()


def test_a_container_without_an_executor_is_let_go_at_once(tmp_path: Path) -> None:
    assert _hook(_proc(tmp_path / "proc", os.getpid()), timeout=10) == 0


@pytest.mark.long
@pytest.mark.spark
@pytest.mark.timeout(400)
def test_a_real_executor_ends_its_task_and_takes_no_other(java: None, tmp_path: Path) -> None:
    """The hook in the middle of a task, with the settings that are rendered."""
    conf = spark_conf(load_job("ard"), site=load_site("kubernetes"), run_id="ard-1")
    settings = [f"{key}={value}" for key, value in conf.items() if "decommission" in key]
    script = str(Path(__file__).with_name("drained_executor.py"))
    done = subprocess.run(
        [sys.executable, script, str(tmp_path), str(HOOK), *settings],
        env={**os.environ, **quick_jvm()}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["code"] == 0
    assert sorted(number for number, *_ in told["tasks"]) == list(range(6))
    # no task was begun twice: the one that was at work when the hook came has ended
    assert told["begun"] == 6
    here = [(begun, ended) for _, executor, begun, ended in told["tasks"] if executor == told["drained"]]
    assert any(begun < told["at"] < ended for begun, ended in here)
    assert all(begun < told["at"] + 1.0 for begun, _ in here)
