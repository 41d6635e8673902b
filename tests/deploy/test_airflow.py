"""The DAG for Airflow in Airflow itself, against the fake EMR and the fake API server."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy import fake_emr, fake_kubernetes
from tests.deploy.environments import ROOT, environment

from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.handover import write_handover
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.names import run_id_of
from swath.deploy.spark_operator.application import spark_application

pytestmark = [pytest.mark.tools, pytest.mark.timeout(900)]
HERE = ROOT / "conf" / "orchestrators" / "airflow"
_DAG = """
from datetime import timedelta
from swath_airflow import swath_dag

dag = swath_dag({file!r}, site={site!r}, conf={conf!r}, swath={swath!r}, poll_s=1, retry_delay=timedelta(seconds=1))
"""


@dataclass(frozen=True, kw_only=True)
class Night:
    """One run of the DAG: what the engine says in turn, and what the run leaves."""

    name: str
    states: list[Any]
    quarantined: int | None  # of 10 scenes; None: no result
    green: bool


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """The shipped sites, with products in a folder that pods share."""
    for kind in ("jobs", "sites"):
        (tmp_path / "conf" / kind).mkdir(parents=True)
    for name in ("aws-region", "kubernetes"):
        site = yaml.safe_load((ROOT / "conf" / "sites" / f"{name}.yaml").read_text(encoding="utf-8"))
        products = tmp_path / "products"
        site["stores"]["products"] = {"kind": "folder", "uri": str(products), "shared": True, "claim": "swath-products"}
        (tmp_path / "conf" / "sites" / f"{name}.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
    job = (ROOT / "conf" / "jobs" / "ard-nightly.yaml").read_text(encoding="utf-8")
    (tmp_path / "conf" / "jobs" / "ard-nightly.yaml").write_text(job, encoding="utf-8")
    (tmp_path / "products" / "ard" / "reports").mkdir(parents=True)
    return tmp_path / "conf"


def _run_id(day: int) -> str:
    return run_id_of("ard-nightly", f"manual__2026-11-{day + 1:02d}T02:15:00+00:00")


def _leave_result(products: Path, *, day: int, site: str, quarantined: int) -> None:
    counts = {"scenes_in": 10, "made": 10 - quarantined, "skipped": 0, "quarantined": quarantined}
    result = {"run_id": _run_id(day), "site": site, "pipeline": "ard", "ended": datetime.now(UTC).isoformat(), **counts}
    (products / "ard" / "reports" / f"{_run_id(day)}.json").write_text(json.dumps(result), encoding="utf-8")


def _airflow(
    folder: Path, *, conf: Path, site: str, nights: list[Night], monkeypatch: pytest.MonkeyPatch, **connections: str
) -> dict[str, Any]:
    """All nights in one Airflow; what it tells of them."""
    monkeypatch.setenv("SWATH_CONF", str(conf))
    file = write_handover(load_job("ard-nightly"), site=load_site(site), folder=folder)
    dag = folder / "dags" / "nightly.py"
    dag.parent.mkdir()
    swath = str(Path(sys.executable).with_name("swath"))
    dag.write_text(_DAG.format(file=str(file), site=site, conf=str(conf), swath=swath), encoding="utf-8")
    for day, night in enumerate(nights):
        if night.quarantined is not None:
            _leave_result(folder / "products", day=day, site=site, quarantined=night.quarantined)
    python = environment("airflow")
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "COV"))},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dag.parent),
        "PYTHONPATH": str(HERE),
        **{f"AIRFLOW_CONN_{name.upper()}": value for name, value in connections.items()},
    }
    migrated = subprocess.run(
        [str(python.with_name("airflow")), "db", "migrate"], env=variables, capture_output=True, text=True, check=False
    )
    assert migrated.returncode == 0, migrated.stderr[-2000:]
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("airflow_run.py")), str(dag), str(len(nights))],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (folder / "airflow.log").write_text(done.stderr + done.stdout, encoding="utf-8")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _judge(told: dict[str, Any], nights: list[Night]) -> None:
    assert told["import_errors"] == {}
    assert told["parsed_cpu_s"] <= 2
    assert (told["catchup"], told["max_active_runs"]) == (False, 1)
    assert [run["run_id"] for run in told["runs"]] == [
        f"manual__2026-11-{day + 1:02d}T02:15:00+00:00" for day in range(len(nights))
    ]
    states = {night.name: run["state"] for night, run in zip(nights, told["runs"], strict=True)}
    assert states == {night.name: "success" if night.green else "failed" for night in nights}, told


def test_nights_of_emr(tmp_path: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = [
        Night(name="good", states=["SUBMITTED", "RUNNING", "COMPLETED"], quarantined=0, green=True),
        Night(name="failed", states=["RUNNING", "FAILED"], quarantined=None, green=False),
        Night(name="cancelled", states=["RUNNING", "CANCELLED"], quarantined=None, green=False),
        Night(name="all quarantined", states=["COMPLETED"], quarantined=10, green=False),
        Night(name="completed without a result", states=["COMPLETED"], quarantined=None, green=False),
    ]
    emr = fake_emr.FakeEmr(load_site("aws-region").cluster.virtual_cluster)
    emr.futures.extend(list(night.states) for night in nights)
    with fake_emr.serve(emr) as address:
        connection = {"conn_type": "aws", "login": "x", "password": "y", "extra": {"endpoint_url": address}}
        told = _airflow(
            tmp_path, conf=conf, site="aws-region", nights=nights, monkeypatch=monkeypatch, aws_default=json.dumps(connection)
        )
    _judge(told, nights)
    # a task that fails starts once more, with the token of the same run
    assert len(emr.runs) == len(nights)
    for day, request in enumerate(emr.requests):
        order = Order(job=load_job("ard-nightly"), site=load_site("aws-region"), run_id=_run_id(day))
        assert {**request, "virtualClusterId": emr.cluster} == start_job_run(order)


def _state(word: str, message: str = "") -> dict[str, Any]:
    return {"applicationState": {"state": word, "errorMessage": message}}


def test_nights_of_the_operator(tmp_path: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = [
        Night(name="good", states=[_state("SUBMITTED"), _state("RUNNING"), _state("COMPLETED")], quarantined=0, green=True),
        Night(name="failed", states=[_state("RUNNING"), _state("FAILING"), _state("FAILED")], quarantined=None, green=False),
        Night(name="driver gone", states=[_state("FAILED", "driver pod not found")], quarantined=None, green=False),
        Night(name="half quarantined", states=[_state("COMPLETED")], quarantined=5, green=False),
    ]
    cluster = fake_kubernetes.FakeCluster()
    cluster.futures.extend(list(night.states) for night in nights)
    with fake_kubernetes.serve(cluster) as address:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(_kubeconfig(address)), encoding="utf-8")
        connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(kubeconfig)}}
        told = _airflow(
            tmp_path,
            conf=conf,
            site="kubernetes",
            nights=nights,
            monkeypatch=monkeypatch,
            kubernetes_default=json.dumps(connection),
        )
    _judge(told, nights)
    for day in range(len(nights)):
        there = cluster.apps[_run_id(day)]
        made = spark_application(Order(job=load_job("ard-nightly"), site=load_site("kubernetes"), run_id=_run_id(day)))
        assert there["spec"] == made["spec"]
        assert there["metadata"]["annotations"] == made["metadata"]["annotations"]


def _kubeconfig(address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": address}}],
        "users": [{"name": "x", "user": {"token": "t"}}],
    }


_REFUSED = """
import sys
from datetime import timedelta
from swath_airflow import swath_dag

for words in ({"site": "kubernetes"}, {"site": "aws-region", "dagrun_timeout": timedelta(hours=1)}):
    try:
        swath_dag(sys.argv[1], conf=sys.argv[2], **words)
    except ValueError as error:
        print(error)
"""


def test_a_file_of_another_site_and_a_job_that_lasts_too_long_are_refused_when_the_dag_is_parsed(
    tmp_path: Path, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWATH_CONF", str(conf))
    file = write_handover(load_job("ard-nightly"), site=load_site("aws-region"), folder=tmp_path)
    words = [str(environment("airflow")), "-c", _REFUSED, str(file), str(conf)]
    variables = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "PYTHONPATH": str(HERE), "PATH": os.environ["PATH"]}
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    foreign, long = done.stdout.splitlines()[-2:]
    assert "is rendered for site aws-region, not for kubernetes: render it again" in foreign
    assert "the DAG's run may last 1:00:00: raise dagrun_timeout" in long
