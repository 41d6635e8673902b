"""The engine that the guide shows, plugged in as a package would be: site, rendering, refusals and launcher work by it."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from swath.cli.main import cli
from swath.deploy.engine import engine_of
from swath.deploy.engine_command import engine_command
from swath.deploy.render.order import Order
from swath.deploy.site import engines
from swath.deploy.site.files import load_job, load_site
from swath.errors import ConfigError

_ROOT = Path(__file__).resolve().parents[2]
_IMPORTS = """
import os, shlex, signal, subprocess
from dataclasses import dataclass
from pathlib import Path

from swath.deploy.operate.run_status import RunState, RunStatus, Submission
from swath.deploy.spark_submit.engine import SparkSubmit
from swath.deploy.spark_submit.local import local_submit
"""
_SITE = """
site: batch-site
engine: batch
link: always
cluster: {{master: "local[1]"}}
stores:
  scenes: {{kind: folder, uri: {folder}/scenes}}
  products: {{kind: folder, uri: {folder}/products}}
ledger: {{kind: delta, lock: file}}
"""
_JOB = "job: tiny\npipeline: toa\ninputs: [store://scenes]\noutput: store://products\n"
_LONGEST_S = 240.0


def _of_guide() -> str:
    guide = (_ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(class Batch\(.*?)```", guide, flags=re.DOTALL)
    return f"{_IMPORTS}\n\n{code}\n\nENGINE = Batch()\n"


def _plug_in(folder: Path, *, target: str, name: str = "batch") -> None:
    record = folder / "batch_engine-1.0.dist-info"
    record.mkdir()
    (folder / "batch_engine.py").write_text(_of_guide(), encoding="utf-8")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: batch-engine\nVersion: 1.0\n", encoding="utf-8")
    (record / "entry_points.txt").write_text(f"[swath.engines]\n{name} = {target}\n", encoding="utf-8")


@pytest.fixture
def fresh_engines() -> Iterator[None]:
    engines._targets.cache_clear()
    yield
    engines._targets.cache_clear()


@pytest.fixture
def site(tmp_path: Path, fresh_engines: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    del fresh_engines
    _plug_in(tmp_path, target="batch_engine:ENGINE")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "sites").mkdir(parents=True)
    (tmp_path / "conf" / "pipelines").symlink_to(_ROOT / "conf" / "pipelines")
    monkeypatch.setenv("SWATH_CONF", str(tmp_path / "conf"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = tmp_path / "conf" / "sites" / "batch-site.yaml"
    path.write_text(_SITE.format(folder=tmp_path), encoding="utf-8")
    (tmp_path / "job.yaml").write_text(_JOB, encoding="utf-8")
    return path


def _order(site: Path) -> Order:
    return Order(job=load_job(str(site.parents[2] / "job.yaml")), site=load_site(str(site)), run_id="tiny-1")


def test_a_plugged_in_engine_renders_and_reads_back(site: Path) -> None:
    order = _order(site)
    script = engine_of(order.site).render(order)
    assert script.startswith("#!/bin/sh\nexport ")
    assert all(word in script for word in order.arguments)
    assert engine_command(order).arguments == order.arguments


def test_a_run_by_a_plugged_in_engine_comes_to_its_end(site: Path) -> None:
    """No scene is there: the run itself says so, and the engine's word and exit code come through ``status``."""
    run = CliRunner().invoke(cli, ["submit", "job.yaml", "--site", str(site), "--run-id", "tiny-1"])
    assert run.exit_code == 0, run.output
    assert "tiny-1" in run.output
    again = CliRunner().invoke(cli, ["submit", "job.yaml", "--site", str(site), "--run-id", "tiny-1"])
    assert "already exists" in again.output
    launcher, until = engine_of(load_site(str(site))).launch(load_site(str(site))), time.monotonic() + _LONGEST_S
    while not (status := launcher.status("tiny-1")).state.final and time.monotonic() < until:
        time.sleep(0.2)
    log = "\n".join(launcher.logs("tiny-1"))
    assert status.engine_state == "exit code 2", log
    assert "scenes" in log
    assert launcher.latest("tiny") == "tiny-1"


@pytest.mark.usefixtures("fresh_engines")
@pytest.mark.parametrize(
    ("target", "name", "told"),
    [
        ("batch_engine:ENGINE", "spark-operator", "takes the name of swath's own engine 'spark-operator'"),
        ("batch_engine:MISSING", "batch", "engine 'batch' cannot be loaded from 'batch_engine:MISSING'"),
        ("batch_engine:Path", "batch", "batch_engine:Path is not an engine: it lacks conf"),
    ],
)
def test_a_wrong_plug_in_is_refused(target: str, name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _plug_in(tmp_path, target=target, name=name)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=re.escape(told)):
        engines.engine_kind("batch")


def test_an_unknown_engine_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(_SITE.format(folder=tmp_path).replace("batch\n", "spark-sumbit\n"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"engine: there is no engine 'spark-sumbit'.*spark-submit"):
        load_site(str(tmp_path / "s.yaml"))
