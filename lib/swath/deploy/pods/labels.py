"""The labels that Kubernetes recommends for every object (https://kubernetes.io/docs/reference/labels-annotations-taints/).

A selector never has more of them than the name: ``matchLabels`` of a Deployment cannot be changed once it is there, and the
other labels change with each delivery.

Labels of pods that are the same for all runs are in their templates, the others in Spark's settings.
"""

from collections.abc import Mapping
from typing import Final, Literal

from swath.deploy.render.plain import Role
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site

NAME: Final = "app.kubernetes.io/name"
_INSTANCE: Final = "app.kubernetes.io/instance"
_VERSION: Final = "app.kubernetes.io/version"
_HEX: Final = 12

Component = Literal["driver", "executor", "run", "schedule", "history-server"]


def fixed(component: Component, *, name: str = "swath") -> dict[str, str]:
    """What is the same for every run: the name of the application, what the object is within it, and by what it is made."""
    return {
        NAME: name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "swath",
        "app.kubernetes.io/managed-by": "swath",
    }


def of_instance(instance: str, *, image: str) -> dict[str, str]:
    """Which one it is, and its version: the first hex digits of the image's digest, since that is what runs.

    Args:
        instance: The run; the job of a schedule, whose runs get their names later.
        image: Image by digest.
    """
    return {_INSTANCE: instance, _VERSION: image.rpartition("@sha256:")[2][:_HEX]}


def of_pod(job: JobSpec, *, site: Site, run_id: str, role: Role) -> Mapping[str, str]:
    """Labels of a pod beside those of its template: the job's own, which may say what it is a part of, and the run's."""
    gpu = site.gpu if role != "driver" and job.resources.gpu else None
    return {
        **job.labels,
        **of_instance(run_id, image=gpu.image if gpu else site.image),
        **asked_by(job, site=site, run_id=run_id),
    }


def of_object(job: JobSpec, *, site: Site, run_id: str | None, component: Component) -> dict[str, str]:
    """Labels of what an engine is given: a run, or the schedule of a job when ``run_id`` is None."""
    own = fixed(component) | (dict(job.labels) if run_id else {})
    return {**own, **of_instance(run_id or job.job, image=site.image), **asked_by(job, site=site, run_id=run_id)}


def asked_by(job: JobSpec, *, site: Site, run_id: str | None) -> dict[str, str]:
    """The labels by which swath itself finds runs."""
    return {"swath-job": job.job, **({"swath-run": run_id} if run_id else {}), "swath-site": site.site}
