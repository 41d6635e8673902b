"""The StartJobRun request of a run."""

import re
from collections.abc import Mapping
from typing import Any

from swath.deploy.emr_on_eks.limits import request_refusals
from swath.deploy.emr_on_eks.states import START_TIMEOUT_S
from swath.deploy.render.layout import ENTRY_POINT, POD_TEMPLATES
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest
from swath.deploy.render.refusal import refuse
from swath.deploy.site.site import Site

# EMR makes these itself: its own namespace, accounts and pull policy.
_EMRS_OWN = frozenset(
    {
        "spark.kubernetes.namespace",
        "spark.kubernetes.container.image.pullPolicy",
        "spark.kubernetes.authenticate.driver.serviceAccountName",
        "spark.kubernetes.authenticate.executor.serviceAccountName",
    }
)
_PLAIN = re.compile(r"[\w.,:/=@+-]+")
#: Many, and with plain values: variables, and labels of pods.
_TO_COMMAND_LINE = (
    "spark.executorEnv.",
    "spark.kubernetes.driverEnv.",
    "spark.kubernetes.driver.label.",
    "spark.kubernetes.executor.label.",
)


def start_job_run(order: Order) -> Manifest:
    """The request that runs ``order`` once.

    The client token is the run's name, so a repeated request makes no second job. One attempt: EMR would start a whole
    driver again even after an error in the configuration; the launcher knows better.

    Raises:
        ConfigError: EMR would refuse the request, now or later.
    """
    site = order.site
    parameters, defaults = _split(_settings(order))
    request: Manifest = {
        "name": order.name,
        "virtualClusterId": site.cluster.virtual_cluster,
        "clientToken": order.name,
        "executionRoleArn": site.cluster.execution_role_arn,
        "releaseLabel": site.cluster.release_label,
        "jobDriver": {
            "sparkSubmitJobDriver": {
                "entryPoint": ENTRY_POINT,
                "entryPointArguments": list(order.arguments),
                "sparkSubmitParameters": " ".join(f"--conf {key}={value}" for key, value in parameters.items()),
            }
        },
        "configurationOverrides": {
            "applicationConfiguration": [
                {"classification": "spark-defaults", "properties": defaults},
                {"classification": "emr-containers-defaults", "properties": {"job-start-timeout": str(START_TIMEOUT_S)}},
            ],
            "monitoringConfiguration": _monitoring(site, job=order.job.job),
        },
        "retryPolicyConfiguration": {"maxAttempts": 1},
        "tags": {**order.job.labels, "swath-job": order.job.job, "swath-run": order.run_id, "swath-site": site.site},
    }
    refuse(request_refusals(request), what=f"StartJobRun {order.name}")
    return request


def _settings(order: Order) -> dict[str, str]:
    """The one configuration, less what is EMR's own, with the pod templates."""
    conf = {key: value for key, value in order.conf.items() if key not in _EMRS_OWN}
    folder = template_folder(order.site)
    executor = "executor-gpu" if order.job.resources.gpu else "executor"
    return conf | {
        f"spark.kubernetes.{role}.podTemplateFile": f"{folder}/{template}.yaml"
        for role, template in (("driver", "driver"), ("executor", executor))
    }


def template_folder(site: Site) -> str:
    """Location of the pod templates of ``site``."""
    where = f"local://{POD_TEMPLATES}" if site.cluster.pod_templates == "image" else site.cluster.pod_templates.rstrip("/")
    return f"{where}/{site.site}"


def _split(conf: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Settings for the command line, and for ``spark-defaults``, which takes 100 at most.

    Variables and labels with a plain value go to the command line; values with blanks and quotes are safe in the map only.
    """
    plain = {key: value for key, value in conf.items() if key.startswith(_TO_COMMAND_LINE) and _PLAIN.fullmatch(value)}
    return plain, {key: value for key, value in conf.items() if key not in plain}


def _monitoring(site: Site, *, job: str) -> Manifest:
    """Where logs go. AWS keeps no copy, and the event log is the site's own."""
    monitoring: dict[str, Any] = {"persistentAppUI": "DISABLED", "managedLogs": {"allowAWSToRetainLogs": "DISABLED"}}
    if site.logging.cloudwatch_group:
        monitoring["cloudWatchMonitoringConfiguration"] = {
            "logGroupName": site.logging.cloudwatch_group,
            "logStreamNamePrefix": job,
        }
    if site.logging.s3_uri:
        monitoring["s3MonitoringConfiguration"] = {"logUri": f"{site.logging.s3_uri.rstrip('/')}/"}
    if site.logging.cloudwatch_group or site.logging.s3_uri:
        monitoring["containerLogRotationConfiguration"] = {"rotationSize": "100MB", "maxFilesToKeep": 10}
    return monitoring


def settings_of(request: Mapping[str, Any]) -> dict[str, str]:
    """All Spark settings of a request: the way back, for parity."""
    driver = request["jobDriver"]["sparkSubmitJobDriver"]
    words = [word.split("=", 1) for word in driver["sparkSubmitParameters"].split() if word != "--conf"]
    listed = request["configurationOverrides"]["applicationConfiguration"]
    defaults = next(c["properties"] for c in listed if c["classification"] == "spark-defaults")
    return dict(sorted({**defaults, **dict(words)}.items()))
