"""EMR on EKS as an engine: EMR's own Spark, Delta and S3 connector, driven from the Region."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from swath.deploy.emr_on_eks.releases import release_of
from swath.deploy.operate.run_status import Launcher
from swath.deploy.pods.kind import PodKind
from swath.deploy.pods.template import pod_template
from swath.deploy.render.command import EngineCommand
from swath.deploy.render.layout import EMR_DELTA_JARS, HOME
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest, Role
from swath.deploy.site.border import Flow
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.network import RegionLink
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site

_NEEDED = ("virtual_cluster", "region", "release_label", "execution_role_arn")
# EMR mounts places of its own at /tmp, /mnt and its home
_WRITABLE = {"home": HOME}


class EmrOnEks(PodKind):
    """StartJobRun: see ``swath.deploy.engine.Engine`` for each method."""

    name = "emr-on-eks"
    # a request has no field for it
    ends_late_runs = False

    def lacks(self, site: Site) -> Iterator[str]:
        """The virtual cluster, and what every pod needs."""
        missing = [name for name in _NEEDED if not getattr(site.cluster, name)]
        if missing:
            yield f"engine {self.name} needs cluster.{', cluster.'.join(missing)}"
        yield from super().lacks(site)

    def conf(self, job: JobSpec, *, site: Site, run_id: str) -> Mapping[str, str]:
        """Delta of EMR; it maps s3:// to S3A by itself."""
        return {**super().conf(job, site=site, run_id=run_id), "spark.jars": ",".join(EMR_DELTA_JARS)}

    def sends(self, site: Site) -> Iterator[tuple[Flow, str]]:
        """The request and its answer."""
        region = site.cluster.region
        yield Flow.JOB_REQUEST, f"StartJobRun, to {region}"
        yield Flow.ARGUMENTS, f"StartJobRun, to {region}"
        yield Flow.ERROR_TEXTS, f"stateDetails of the job run, to {region}"

    def refuse(self, job: JobSpec, *, site: Site) -> Iterator[SiteRefusal]:
        """A site without a link, and a release that moves."""
        if site.link is RegionLink.NONE:
            reason = "EMR on EKS is driven from the Region and the site's link is none"
            yield SiteRefusal("emr-without-link", reason, "Use engine spark-operator")
        yield from super().refuse(job, site=site)
        label = site.cluster.release_label
        if not _dated(label):
            remedy = "Write a dated label, for example emr-spark-8.0.0-20260421"
            yield SiteRefusal("release-label", f"release label {label!r} moves", remedy)
        release = release_of(label)
        if release is not None and site.spark_version != release.spark:
            reason = f"{label} has Spark {release.spark}, and spark_version is {site.spark_version}"
            yield SiteRefusal("spark-version", reason, f"Set spark_version: {release.spark}")

    def support_ends(self, site: Site) -> tuple[str, date] | None:
        """That of the release."""
        release = release_of(site.cluster.release_label)
        return None if release is None else (f"AWS supports {release.name} (Spark {release.spark})", release.ends)

    def render(self, order: Order) -> str:
        """JSON."""
        return json.dumps(self.plain(order), indent=2) + "\n"

    def plain(self, order: Order) -> Mapping[str, Any]:
        """A StartJobRun request, or the stack with a job's schedule."""
        from swath.deploy.emr_on_eks.schedule import schedule_stack  # noqa: PLC0415 - each engine needs its client only

        return schedule_stack(order.job, site=order.site) if order.job.schedule else self.hand_over(order)

    def hand_over(self, order: Order) -> Mapping[str, Any]:
        """The StartJobRun request."""
        from swath.deploy.emr_on_eks.request import start_job_run  # noqa: PLC0415

        return start_job_run(order)

    def launch(self, site: Site, *, order: Order | None = None) -> Launcher:
        """Job runs of the virtual cluster."""
        from swath.deploy.emr_on_eks.launcher import EmrLauncher, connect  # noqa: PLC0415
        from swath.deploy.emr_on_eks.request import start_job_run  # noqa: PLC0415

        client = connect("emr-containers", region=site.cluster.region)
        return EmrLauncher(site, client=client, request=start_job_run(order) if order else None)

    def read_back(self, order: Order) -> EngineCommand:
        """From the StartJobRun request."""
        from swath.deploy.emr_on_eks.request import settings_of  # noqa: PLC0415

        request = self.hand_over(order)
        driver = request["jobDriver"]["sparkSubmitJobDriver"]
        return EngineCommand.of(driver["entryPoint"], driver["entryPointArguments"], conf=settings_of(request))

    def pod_templates(self, site: Site) -> Mapping[Role, Manifest]:
        """For the image of EMR, or for a prefix in S3."""
        roles: tuple[Role, ...] = ("driver", "executor", "executor-gpu") if site.gpu else ("driver", "executor")
        return {role: pod_template(site, role=role, writable=_WRITABLE) for role in roles}


def _dated(label: str) -> bool:
    tail = label.rpartition("-")[2]
    return tail.isdigit() and len(tail) == 8 and label.startswith("emr-")


ENGINE = EmrOnEks()
