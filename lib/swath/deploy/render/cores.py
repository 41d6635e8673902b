"""How many cores a run has when all its executors are there."""

from swath.deploy.site.job_spec import Resources
from swath.deploy.site.site import Site
from swath.spark.start.settings import on_one_machine


def most_executors(resources: Resources, *, site: Site) -> int:
    """Executors that a run has at most."""
    return site.dynamic_allocation.max if site.dynamic_allocation.enabled else resources.executors


def most_cores(resources: Resources, *, site: Site) -> int | None:
    """Executor cores that a run has at most; None on one machine, which knows its own."""
    if on_one_machine(site.kind.master(site)):
        return None
    return most_executors(resources, site=site) * resources.executor_cores
