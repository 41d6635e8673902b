"""The Spark Operator as an engine: on any Kubernetes, EKS Anywhere among them."""

from collections.abc import Iterator, Mapping
from typing import Any

from swath.deploy.operate.run_status import Launcher
from swath.deploy.pods.kind import PodKind
from swath.deploy.pods.template import pod_template
from swath.deploy.render.command import EngineCommand
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest, Role, as_yaml
from swath.deploy.render.s3a import s3_scheme
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site
from swath.deploy.spark_operator.application import settings_of, spark_application
from swath.deploy.spark_operator.schedule import scheduled_spark_application


class SparkOperator(PodKind):
    """SparkApplication: see ``swath.deploy.engine.Engine`` for each method."""

    name = "spark-operator"
    ends_late_runs = True

    def conf(self, job: JobSpec, *, site: Site, run_id: str) -> Mapping[str, str]:
        """The image has Delta beside Spark's jars."""
        return {**super().conf(job, site=site, run_id=run_id), **s3_scheme(site)}

    def refuse(self, job: JobSpec, *, site: Site) -> Iterator[SiteRefusal]:
        """What pods cannot do, and a Spark that the image does not have."""
        yield from super().refuse(job, site=site)
        if not site.spark_version.startswith("4.0."):
            remedy = "Leave spark_version at that of the image: its lock has Spark 4.0"
            yield SiteRefusal("spark-version", f"the image has Spark 4.0, and spark_version is {site.spark_version}", remedy)

    def render(self, order: Order) -> str:
        """YAML."""
        return as_yaml(self.plain(order))

    def plain(self, order: Order) -> Mapping[str, Any]:
        """A SparkApplication, or the schedule of a job that has one."""
        return scheduled_spark_application(order.job, site=order.site) if order.job.schedule else self.hand_over(order)

    def hand_over(self, order: Order) -> Mapping[str, Any]:
        """The SparkApplication."""
        return spark_application(order)

    def launch(self, site: Site, *, order: Order | None = None) -> Launcher:
        """Applications of the namespace."""
        from swath.deploy.spark_operator.kube_api import KubeApi  # noqa: PLC0415 - each engine needs its client only
        from swath.deploy.spark_operator.launcher import OperatorLauncher  # noqa: PLC0415

        api = KubeApi.connect(namespace=site.cluster.namespace, context=site.cluster.context)
        return OperatorLauncher(api, manifest=spark_application(order) if order else None)

    def read_back(self, order: Order) -> EngineCommand:
        """From the SparkApplication."""
        manifest = spark_application(order)
        spec = manifest["spec"]
        conf = settings_of(spec, namespace=manifest["metadata"]["namespace"])
        return EngineCommand.of(spec["mainApplicationFile"], spec["arguments"], conf=conf)

    def pod_templates(self, site: Site) -> Mapping[Role, Manifest]:
        """Templates are in each application; these serve every job."""
        return {role: pod_template(site, role=role) for role in ("driver", "executor")}


ENGINE = SparkOperator()
