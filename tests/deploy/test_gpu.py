"""Executors with GPUs: what every engine asks for, what is refused, and which ones a worker's child may use."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.deploy.crd_schema import crd_validator

from swath.deploy.emr_on_eks.limits import request_refusals
from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.engine_command import engine_command
from swath.deploy.render.order import Order
from swath.deploy.rendering import pod_templates
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.deploy.spark_operator.application import spark_application
from swath.errors import ConfigError

_ROOT = Path(__file__).resolve().parents[2]
_IMAGE = f"registry.example.org/swath-gpu@sha256:{'7' * 64}"
_GPU = {"image": _IMAGE, "most": 2, "nodes": {"selector": {"gpu": "yes"}, "tolerations": [{"key": "nvidia.com/gpu"}]}}


def _job(**resources: int) -> JobSpec:
    data = load_job("ard").model_dump(mode="json", exclude_unset=True)
    return JobSpec.model_validate({**data, "resources": resources})


def _order(site: Site, **resources: int) -> Order:
    return Order(job=_job(**resources), site=site, run_id="ard-1")


@pytest.mark.parametrize(("cores", "gpus", "share"), [(2, 1, "0.5"), (3, 1, "0.3333"), (2, 2, "1"), (1, 2, "2"), (3, 2, "0.5")])
def test_tasks_share_the_gpus_so_that_all_cores_work(cores: int, gpus: int, share: str, change: Callable[..., Site]) -> None:
    conf = _order(change("kubernetes", gpu=_GPU), executor_cores=cores, gpu=gpus).conf
    assert conf["spark.task.resource.gpu.amount"] == share
    assert conf["spark.executor.resource.gpu.amount"] == str(gpus)
    slots = int(gpus / float(share)) if float(share) >= 1 else gpus * int(1 / float(share))
    assert slots >= cores


def test_the_operator_gets_image_gpus_and_nodes(change: Callable[..., Site]) -> None:
    order = _order(change("kubernetes", gpu=_GPU), gpu=1)
    manifest = spark_application(order)
    assert list(crd_validator("SparkApplication").iter_errors(manifest)) == []
    executor, driver = manifest["spec"]["executor"], manifest["spec"]["driver"]
    assert executor["image"] == _IMAGE
    assert executor["gpu"] == {"name": "nvidia.com/gpu", "quantity": 1}
    assert executor["template"]["spec"]["nodeSelector"] == {"gpu": "yes"}
    assert not {"image", "gpu"} & driver.keys()
    assert engine_command(order).conf["spark.kubernetes.executor.container.image"] == _IMAGE


def test_emr_gets_image_gpus_and_a_template_of_their_own(change: Callable[..., Site]) -> None:
    site = change("aws-region", gpu=_GPU)
    order = _order(site, gpu=1)
    assert request_refusals(start_job_run(order)) == ()
    conf = engine_command(order).conf
    assert conf["spark.kubernetes.executor.container.image"] == _IMAGE
    assert conf["spark.kubernetes.executor.podTemplateFile"].endswith("/executor-gpu.yaml")
    assert pod_templates(site)["executor-gpu"]["spec"]["nodeSelector"] == {"gpu": "yes"}
    without = engine_command(_order(site)).conf
    assert without["spark.kubernetes.executor.podTemplateFile"].endswith("/executor.yaml")
    assert not [key for key in without if "gpu" in key]


def test_gpus_that_a_site_does_not_have_are_refused(change: Callable[..., Site]) -> None:
    with pytest.raises(ConfigError, match=r"\[gpus\] resources.gpu is 1 an executor, the site gives 0"):
        _order(load_site("kubernetes"), gpu=1)
    with pytest.raises(ConfigError, match=r"\[gpus\] resources.gpu is 3 an executor, the site gives 2"):
        _order(change("kubernetes", gpu=_GPU), gpu=3)
    with pytest.raises(ConfigError, match=r"\[gpus\] engine spark-submit offers no GPUs"):
        _order(load_site("laptop"), gpu=1)


@pytest.mark.parametrize(("told", "code", "said"), [("0\n1\n", 0, '{"name": "gpu", "addresses": ["0","1"]}\n'), ("", 1, "")])
def test_an_executor_tells_its_gpus(told: str, code: int, said: str, tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '{told}'\n".replace("\n1\n'", "\\n1\\n'").replace("0\n", "0\\n"), encoding="utf-8")
    program.chmod(0o755)
    script = str(_ROOT / "spark-operator" / "gpus.sh")
    done = subprocess.run([script], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, said)
