"""The border: what a rendered job itself would send out, and the refusal when the site says that it stays."""

from collections.abc import Iterator, Mapping

from swath.deploy.site.border import Flow
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site
from swath.deploy.site.stores import StoreKind


def engine_sends(job: JobSpec, *, site: Site) -> Mapping[Flow, str]:
    """Flows that leave the site when the job runs there, and where they go. Nothing when the Region is inside."""
    if site.border.region_inside:
        return {}
    return dict(_sends(job, site))


def _sends(job: JobSpec, site: Site) -> Iterator[tuple[Flow, str]]:
    yield from site.kind.sends(site)
    if site.logging.cloudwatch_group:
        yield Flow.DRIVER_LOGS, f"CloudWatch log group {site.logging.cloudwatch_group}"
    elif site.logging.s3_uri:
        yield Flow.DRIVER_LOGS, site.logging.s3_uri
    if site.metrics.cloudwatch:
        yield Flow.METRICS, f"CloudWatch log group {site.metrics.cloudwatch}"
    if site.logging.event_log and _in_region(site.logging.event_log, site=site):
        yield Flow.EVENT_LOG, site.resolve(site.logging.event_log)
    if _in_region(job.output, site=site):
        where = site.resolve(job.output)
        for flow in (Flow.FOOTPRINTS, Flow.LINEAGE, Flow.METRICS):
            yield flow, f"the output itself, {where}"


def _in_region(uri: str, *, site: Site) -> bool:
    """The address is a bucket of the Region, or of no known owner (and is then treated as one)."""
    place = site.store_of(uri)
    if place is None:
        return site.resolve(uri).startswith(("s3://", "s3a://"))
    return place[1].kind is StoreKind.S3


def border_refusals(job: JobSpec, site: Site) -> Iterator[SiteRefusal]:
    """Flows that would leave although the site says they stay."""
    for flow, how in engine_sends(job, site=site).items():
        if not site.border.may_leave(flow):
            yield SiteRefusal(
                "border",
                f"{flow.value} would leave the site ({how}) and border.allow does not hold it",
                _REMEDIES.get(flow, _REMEDY),
            )


_REMEDY = "Allow it, or keep it inside"
_REMEDIES: Mapping[Flow, str] = {
    Flow.JOB_REQUEST: "Allow it, or use engine spark-operator, whose control plane is inside",
    Flow.ARGUMENTS: "Allow it, or use engine spark-operator, whose control plane is inside",
    Flow.DRIVER_LOGS: "Allow it, or leave cloudwatch_group and s3_uri out",
    Flow.METRICS: "Allow it, or leave metrics.cloudwatch out and put the output into a store of the site",
    Flow.EVENT_LOG: "Allow it, or put the event log into a store of the site",
}
