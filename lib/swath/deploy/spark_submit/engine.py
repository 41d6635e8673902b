"""spark-submit as an engine: in the foreground, where driver and executors see the same folders."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from swath.deploy.operate.run_status import Launcher
from swath.deploy.render.command import EngineCommand, Foreground
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest, Role
from swath.deploy.render.s3a import s3_scheme
from swath.deploy.site.border import Flow
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.network import RegionLink
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site
from swath.deploy.spark_submit.command import spark_submit
from swath.deploy.spark_submit.local import local_submit
from swath.errors import ConfigError
from swath.spark.start.jars import DELTA_PACKAGE
from swath.spark.start.s3a_jars import S3A_EXCLUDED, S3A_PACKAGES


class SparkSubmit:
    """A command: see ``swath.deploy.engine.Engine`` for each method."""

    name = "spark-submit"
    shares_folders = True
    # whoever waits for the command does
    ends_late_runs = True

    def lacks(self, _site: Site) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def master(self, site: Site) -> str:
        """The site's."""
        return site.cluster.master

    def conf(self, _job: JobSpec, *, site: Site, run_id: str) -> Mapping[str, str]:  # noqa: ARG002 - of every engine
        """The master, and jars, which are named or fetched."""
        return {"spark.master": site.cluster.master, **s3_scheme(site), **_jars(site)}

    def variables(self, _site: Site) -> Mapping[str, str]:
        """Those of the caller suffice."""
        return {}

    def sends(self, _site: Site) -> Iterator[tuple[Flow, str]]:
        """Nothing."""
        return iter(())

    def refuse(self, job: JobSpec, *, site: Site) -> Iterator[SiteRefusal]:
        """Jars that cannot be fetched, and calendars."""
        if site.link is RegionLink.NONE and not site.cluster.jars:
            reason = "without cluster.jars spark-submit fetches Delta from the internet"
            yield SiteRefusal("packages-without-link", reason, "Name the jars in cluster.jars")
        if job.resources.gpu:
            remedy = "Use an engine with pods, or the resource settings of your own cluster"
            yield SiteRefusal("gpus", f"engine {self.name} offers no GPUs, but resources.gpu is {job.resources.gpu}", remedy)
        if job.schedule:
            remedy = "Leave schedule out and start the job from your scheduler"
            yield SiteRefusal("schedule", f"engine {self.name} has no schedules", remedy)

    def render(self, order: Order) -> str:
        """A command for a shell."""
        return spark_submit(order).text

    def plain(self, order: Order) -> Mapping[str, Any] | str:
        """The command."""
        return self.render(order)

    def hand_over(self, order: Order) -> Mapping[str, Any]:
        """Nothing can be started for others.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"site {order.site.site} runs by spark-submit in the foreground: an orchestrator calls `swath submit`")

    def launch(self, site: Site, *, order: Order | None = None) -> Launcher:  # noqa: ARG002 - of every engine
        """Nobody could be asked.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"site {site.site} runs by spark-submit in the foreground: there is no engine to ask. See OUT/reports")

    def read_back(self, order: Order) -> EngineCommand:
        """From the command."""
        command = spark_submit(order)
        made = EngineCommand.of(command.program, command.arguments, conf=command.conf)
        return replace(made, driver=command.environment)

    def support_ends(self, _site: Site) -> tuple[str, date] | None:
        """Spark is the machine's own."""
        return None

    def in_foreground(self, order: Order) -> Foreground | None:
        """The command with this machine's Spark."""
        return local_submit(order)

    def pod_templates(self, _site: Site) -> Mapping[Role, Manifest]:
        """Nothing is a pod."""
        return {}


def _jars(site: Site) -> Mapping[str, str]:
    if site.cluster.jars:
        return {"spark.jars": ",".join(site.cluster.jars)}
    if not any(s.is_s3 for s in site.stores.values()):
        return {"spark.jars.packages": DELTA_PACKAGE}
    packages, excluded = ",".join((DELTA_PACKAGE, *S3A_PACKAGES)), ",".join(S3A_EXCLUDED)
    return {"spark.jars.packages": packages, "spark.jars.excludes": excluded}


ENGINE = SparkSubmit()
