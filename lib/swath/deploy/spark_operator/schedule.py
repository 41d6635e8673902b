"""The ScheduledSparkApplication of a job that runs by the calendar."""

from swath.deploy.pods.labels import of_object
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest
from swath.deploy.render.refusal import refuse
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.deploy.spark_operator.application import API_VERSION, application_spec
from swath.deploy.spark_operator.webhook_rules import webhook_refusals
from swath.errors import ConfigError

_KEPT = 5
_RUN_ID = "SWATH_RUN_ID"
_APP_NAME = "sparkoperator.k8s.io/app-name"


def scheduled_spark_application(job: JobSpec, *, site: Site) -> Manifest:
    """The manifest of a schedule.

    Each run gets the name that the operator gives it (``<job>-<nanoseconds>``) as run id: a fixed run id would find
    the plan of the first night and never plan again. Kubernetes itself writes the name into the arguments.

    Raises:
        ConfigError: The job has no schedule, or is refused.
    """
    if job.schedule is None:
        msg = f"job {job.job} has no schedule"
        raise ConfigError(msg)
    template = application_spec(Order(job=job, site=site, run_id=job.job))
    template["arguments"] = _with_variable(template["arguments"])
    for role in ("driver", "executor"):
        template[role]["labels"].pop("swath-run")
    driver = template["driver"]["template"]["spec"]["containers"][0]
    driver["env"] = [{"name": _RUN_ID, "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{_APP_NAME}']"}}}]
    manifest: Manifest = {
        "apiVersion": API_VERSION,
        "kind": "ScheduledSparkApplication",
        "metadata": {
            "name": job.job,
            "namespace": site.cluster.namespace,
            "labels": of_object(job, site=site, run_id=None, component="schedule"),
        },
        "spec": {
            "schedule": job.schedule,
            "timeZone": "UTC",
            # omitted, nothing starts while an earlier run is in the history; Allow lets two drivers overlap
            "concurrencyPolicy": "Forbid",
            "successfulRunHistoryLimit": _KEPT,
            "failedRunHistoryLimit": _KEPT,
            "template": template,
        },
    }
    refuse(webhook_refusals(manifest), what=f"ScheduledSparkApplication {job.job}")
    return manifest


def _with_variable(arguments: list[str]) -> list[str]:
    at = arguments.index("--run-id") + 1
    return [*arguments[:at], f"$({_RUN_ID})", *arguments[at + 1 :]]
