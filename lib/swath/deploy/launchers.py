"""The launcher of a site's engine."""

from swath.deploy.operate.run_status import Launcher
from swath.deploy.render.order import Order
from swath.deploy.site.cluster import Engine
from swath.deploy.site.site import Site
from swath.errors import ConfigError


def launcher_for(site: Site, *, order: Order | None = None) -> Launcher:
    """Connect to the engine of ``site``.

    Args:
        site: Where.
        order: The run to submit; None for asking only.

    Raises:
        ConfigError: The engine starts nothing that could be asked about later, or refuses the order.
        LaunchError: There are no credentials.
    """
    if site.engine is Engine.SPARK_OPERATOR:
        from swath.deploy.spark_operator.application import spark_application  # noqa: PLC0415 - each engine needs its client only
        from swath.deploy.spark_operator.kube_api import KubeApi  # noqa: PLC0415
        from swath.deploy.spark_operator.launcher import OperatorLauncher  # noqa: PLC0415

        api = KubeApi.connect(namespace=site.cluster.namespace, context=site.cluster.context)
        return OperatorLauncher(api, manifest=spark_application(order) if order else None)
    if site.engine is Engine.EMR_ON_EKS:
        from swath.deploy.emr_on_eks.launcher import EmrLauncher, connect  # noqa: PLC0415
        from swath.deploy.emr_on_eks.request import start_job_run  # noqa: PLC0415

        client = connect("emr-containers", region=site.cluster.region)
        return EmrLauncher(site, client=client, request=start_job_run(order) if order else None)
    raise ConfigError(f"site {site.site} runs by spark-submit in the foreground: there is no engine to ask. See OUT/reports")
