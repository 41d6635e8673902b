"""The CloudFormation stack of a job that runs by the calendar: EventBridge Scheduler starts its job runs."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from swath.deploy.emr_on_eks.cron_expression import cron_expression
from swath.deploy.emr_on_eks.limits import request_shape
from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.errors import ConfigError

#: What the Scheduler writes in place of it: 16 letters and digits, for one start.
EXECUTION = "<aws.scheduler.execution-id>"
#: The time that the calendar names, for example 2026-11-25T02:15:00Z: the same for each attempt to start this run.
SCHEDULED = "<aws.scheduler.scheduled-time>"
_STANDS_FOR_EXECUTION = "0123456789abcdef"
# A start that was missed for longer than this is left to the next one.
_LATE_S = 3600
_ATTEMPTS = 10


def schedule_stack(job: JobSpec, *, site: Site) -> Manifest:
    """The template: one schedule, and its role, which may start job runs of this virtual cluster and nothing else.

    Each run is named by the Scheduler's own id of the start: a fixed run id would find the plan of the first night and never
    plan again. The client token is the scheduled time, so a start that the Scheduler repeats makes no second run. The
    request has no tags: they would need a second action.

    Raises:
        ConfigError: The job has no schedule, the Scheduler cannot say it, or EMR would refuse the request.
    """
    if job.schedule is None:
        msg = f"job {job.job} has no schedule"
        raise ConfigError(msg)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Starts swath's job {job.job} at site {site.site} by the calendar",
        "Parameters": {
            "State": {
                "Type": "String",
                "Default": "ENABLED",
                "AllowedValues": ["ENABLED", "DISABLED"],
                "Description": "DISABLED suspends the schedule",
            }
        },
        "Resources": {"Role": _role(site), "Schedule": _schedule(job, site=site, expression=cron_expression(job.schedule))},
    }


def _role(site: Site) -> Manifest:
    cluster = site.cluster
    arn = (
        f"arn:${{AWS::Partition}}:emr-containers:{cluster.region}:${{AWS::AccountId}}:/virtualclusters/{cluster.virtual_cluster}"
    )
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "scheduler.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": "start",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "StartRuns",
                                "Effect": "Allow",
                                "Action": "emr-containers:StartJobRun",
                                "Resource": {"Fn::Sub": arn},
                                "Condition": {"ArnEquals": {"emr-containers:ExecutionRoleArn": cluster.execution_role_arn}},
                            }
                        ],
                    },
                }
            ],
        },
    }


def _schedule(job: JobSpec, *, site: Site, expression: str) -> Manifest:
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": f"swath-{site.site}-{job.job}",
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": {"Ref": "State"},
            "Target": {
                "Arn": {"Fn::Sub": "arn:${AWS::Partition}:scheduler:::aws-sdk:emrcontainers:startJobRun"},
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "Input": json.dumps(scheduled_input(job, site=site), separators=(",", ":")),
                "RetryPolicy": {"MaximumEventAgeInSeconds": _LATE_S, "MaximumRetryAttempts": _ATTEMPTS},
            },
        },
    }


def scheduled_input(job: JobSpec, *, site: Site) -> Any:
    """What the Scheduler hands to StartJobRun, members of structures with a capital first, as it wants them."""
    run_id = f"{job.job}-{_STANDS_FOR_EXECUTION}"
    request = start_job_run(Order(job=job, site=site, run_id=run_id))
    del request["tags"]
    named = json.loads(json.dumps(request).replace(run_id, f"{job.job}-{EXECUTION}"))
    named["clientToken"] = f"{job.job}-{SCHEDULED}"
    return _capitalised(request_shape(), named)


def _capitalised(shape: Shape, value: Any) -> Any:
    """``value`` with the names of the SDK for Java: members begin with a capital, keys of maps stay as they are."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name[0].upper() + name[1:]: _capitalised(shape.members[name], inner) for name, inner in value.items()}
    if isinstance(shape, ListShape):
        return [_capitalised(shape.member, inner) for inner in value]
    if isinstance(shape, MapShape):
        return {key: _capitalised(shape.value, inner) for key, inner in value.items()}
    return value
