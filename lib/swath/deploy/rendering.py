"""What an engine is given, as plain data and as text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.emr_on_eks.schedule import schedule_stack
from swath.deploy.render.border_refusals import engine_sends
from swath.deploy.render.order import Order
from swath.deploy.render.pod_template import Manifest, Role, pod_template
from swath.deploy.render.spark_submit import spark_submit
from swath.deploy.site.border import Crossing, crossings
from swath.deploy.site.cluster import Engine
from swath.deploy.site.site import Site
from swath.deploy.spark_operator.application import spark_application
from swath.deploy.spark_operator.schedule import scheduled_spark_application

_ROLES: tuple[Role, ...] = ("driver", "executor")


def render(order: Order) -> str:
    """The text that the site's engine takes: YAML, JSON, or a shell command.

    Raises:
        ConfigError: The engine would refuse it.
    """
    if order.site.engine is Engine.SPARK_SUBMIT:
        return spark_submit(order).text
    if order.site.engine is Engine.EMR_ON_EKS:
        asked = schedule_stack(order.job, site=order.site) if order.job.schedule else start_job_run(order)
        return json.dumps(asked, indent=2) + "\n"
    if order.job.schedule:
        return as_yaml(scheduled_spark_application(order.job, site=order.site))
    return as_yaml(spark_application(order))


def as_yaml(data: Mapping[str, Any]) -> str:
    """YAML without anchors, keys in their order."""
    return yaml.dump(dict(data), Dumper=_NoAnchors, sort_keys=False, width=160, allow_unicode=True)


class _NoAnchors(yaml.SafeDumper):
    """Equal parts are written twice: anchors are hard to read."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of the base class
        """Always."""
        return True


def pod_templates(site: Site) -> dict[Role, Manifest]:
    """Templates that serve every job of a site: for the image of EMR on EKS, or for a prefix in S3."""
    return {role: pod_template(site, role=role) for role in _ROLES}


def write_pod_templates(site: Site, *, folder: Path) -> tuple[Path, ...]:
    """Write ``driver.yaml`` and ``executor.yaml`` into ``folder/<site>``."""
    place = folder / site.site
    place.mkdir(parents=True, exist_ok=True)
    paths = {role: place / f"{role}.yaml" for role in _ROLES}
    for role, template in pod_templates(site).items():
        paths[role].write_text(as_yaml(template), encoding="utf-8")
    return tuple(paths.values())


def border_table(order: Order) -> tuple[Crossing, ...]:
    """What of a run may leave its site."""
    sends = engine_sends(order.job, site=order.site)
    return tuple(crossings(order.site.border, engine_sends=sends, engine=order.site.engine.value))
