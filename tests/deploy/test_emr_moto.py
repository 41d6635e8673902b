"""The launcher against moto's own EMR on EKS: a second implementation, of the older releases that it knows."""

from collections.abc import Callable

import boto3
import pytest
from moto import mock_aws

from swath.deploy.emr_on_eks.launcher import EmrLauncher
from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.operate.run_status import RunState
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_job
from swath.deploy.site.site import Site

RUN_ID = "ard-20261125t000000z-abcd"


def test_submit_status_and_cancel_work_with_motos_emr(monkeypatch: pytest.MonkeyPatch, change: Callable[..., Site]) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        boto3.client("eks", region_name="eu-central-1").create_cluster(
            name="c", roleArn="arn:aws:iam::111122223333:role/eks", resourcesVpcConfig={}
        )
        client = boto3.client("emr-containers", region_name="eu-central-1")
        provider = {"id": "c", "type": "EKS", "info": {"eksInfo": {"namespace": "swath"}}}
        cluster = client.create_virtual_cluster(name="v", containerProvider=provider)["id"]
        # moto knows no emr-spark-8.0.0 label
        site = change("aws-region", cluster__virtual_cluster=cluster, cluster__release_label="emr-6.15.0-20231109")
        launcher = EmrLauncher(site, client=client, request=start_job_run(Order(job=load_job("ard"), site=site, run_id=RUN_ID)))
        assert launcher.submit().created
        assert not launcher.submit().created
        assert launcher.status(RUN_ID).state in {RunState.WAITING, RunState.RUNNING}
        assert launcher.latest("ard") == RUN_ID
        assert launcher.cancel(RUN_ID).state is RunState.CANCELLED
