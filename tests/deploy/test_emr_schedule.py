"""A schedule at a site of EMR: the stack is what CloudFormation takes, and what it starts is a run as submit starts it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.deploy.fake_emr import FakeEmr, serve

from swath.deploy.emr_on_eks.launcher import EmrLauncher
from swath.deploy.emr_on_eks.limits import request_refusals
from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.emr_on_eks.schedule import schedule_stack
from swath.deploy.render.order import Order
from swath.deploy.rendering import render
from swath.deploy.site.files import load_job, load_site

SITES = ["aws-region", "outposts-extended"]
ACCOUNT = {"AWS::Partition": "aws", "AWS::AccountId": "111122223333"}
#: AWS's own example of an id, and a time.
EXECUTION, SCHEDULED = "d32c5kddcf5bb8c3", "2026-11-25T02:15:00Z"


def _stack(site: str) -> dict[str, Any]:
    return schedule_stack(load_job("ard-nightly"), site=load_site(site))


def _sub(value: Any) -> str:
    text = value["Fn::Sub"] if isinstance(value, dict) else value
    for name, stands_for in ACCOUNT.items():
        text = text.replace(f"${{{name}}}", stands_for)
    return str(text)


def _started(text: str) -> dict[str, Any]:
    """What the Scheduler hands to the service: its words replaced, the SDK's names back in those of the API."""
    filled = text.replace("<aws.scheduler.execution-id>", EXECUTION).replace("<aws.scheduler.scheduled-time>", SCHEDULED)
    request: dict[str, Any] = _small(json.loads(filled))
    return request


def _small(value: Any) -> Any:
    if isinstance(value, Mapping):
        # keys of Spark settings and classifications' properties are data, not members
        return {
            (k if "." in k or "-" in k else k[0].lower() + k[1:]): v if k == "Properties" else _small(v) for k, v in value.items()
        }
    return [_small(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("site", SITES)
def test_cfn_lint_finds_nothing(site: str, tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    path.write_text(render(Order(job=load_job("ard-nightly"), site=load_site(site), run_id="ard-nightly-1")), encoding="utf-8")
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    done = subprocess.run([lint, "--include-checks", "I", "--", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("site", SITES)
def test_the_role_may_do_one_thing(site: str) -> None:
    role, cluster = _stack(site)["Resources"]["Role"]["Properties"], load_site(site).cluster
    ((statement,),) = [policy["PolicyDocument"]["Statement"] for policy in role["Policies"]]
    assert statement["Action"] == "emr-containers:StartJobRun"
    arn = f"arn:aws:emr-containers:{cluster.region}:111122223333:/virtualclusters/{cluster.virtual_cluster}"
    assert _sub(statement["Resource"]) == arn
    assert statement["Condition"] == {"ArnEquals": {"emr-containers:ExecutionRoleArn": cluster.execution_role_arn}}
    assert "ManagedPolicyArns" not in role


@pytest.mark.parametrize("site", SITES)
def test_what_it_starts_is_what_submit_starts(site: str) -> None:
    target = _stack(site)["Resources"]["Schedule"]["Properties"]["Target"]
    request = _started(target["Input"])
    assert request_refusals(request) == ()
    ordered = start_job_run(Order(job=load_job("ard-nightly"), site=load_site(site), run_id=f"ard-nightly-{EXECUTION}"))
    del ordered["tags"]
    assert request == {**ordered, "clientToken": f"ard-nightly-{SCHEDULED}"}


def test_the_scheduler_starts_one_run_a_night_and_status_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule as moto's Scheduler keeps it; moto starts nothing, so the test does it, twice for one night."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    properties = _stack("aws-region")["Resources"]["Schedule"]["Properties"]
    target = {**properties["Target"], "Arn": _sub(properties["Target"]["Arn"]), "RoleArn": "arn:aws:iam::111122223333:role/x"}
    with mock_aws():
        scheduler = boto3.client("scheduler", region_name="eu-central-1")
        scheduler.create_schedule(**{**properties, "State": "ENABLED", "Target": target})
        kept = scheduler.get_schedule(Name="swath-aws-region-ard-nightly")
    assert (kept["ScheduleExpression"], kept["ScheduleExpressionTimezone"]) == ("cron(15 2 * * ? *)", "UTC")
    assert kept["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:emrcontainers:startJobRun"
    site = load_site("aws-region")
    emr = FakeEmr(site.cluster.virtual_cluster)
    with serve(emr) as address:
        client = boto3.client("emr-containers", region_name="eu-central-1", endpoint_url=address)
        for _attempt in range(2):
            client.start_job_run(**_started(kept["Target"]["Input"]))
        launcher = EmrLauncher(site, client=client)
        assert launcher.latest("ard-nightly") == f"ard-nightly-{EXECUTION}"
        assert launcher.latest("ard") is None
    assert len(emr.runs) == 1
