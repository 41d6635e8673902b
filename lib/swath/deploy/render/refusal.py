"""Refusals at render time: what a site or a service would turn down later, with the reason and the remedy."""

from collections.abc import Callable, Iterable, Iterator

from swath.deploy.render.border_refusals import border_refusals
from swath.deploy.render.environment import stores_of
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.ledger import LedgerKind, Lock
from swath.deploy.site.network import RegionLink
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site
from swath.deploy.site.stores import StoreKind
from swath.errors import ConfigError

__all__ = ["SiteRefusal", "refusals", "refuse"]


def refusals(job: JobSpec, *, site: Site) -> tuple[SiteRefusal, ...]:
    """Everything that speaks against running ``job`` at ``site``, in a stable order.

    Raises:
        ConfigError: The job names a store that the site does not have.
    """
    for uri in (*job.inputs, job.output, site.logging.event_log, site.models.uri):
        site.resolve(uri)
    return tuple(refusal for check in _CHECKS for refusal in check(job, site))


def refuse(found: Iterable[SiteRefusal], *, what: str) -> None:
    """Raise one error that lists all refusals; nothing when there are none.

    Raises:
        ConfigError: There is at least one.
    """
    lines = [f"[{r.code}] {r.reason}. {r.remedy}" for r in found]
    if lines:
        raise ConfigError("\n  ".join([f"{what} is refused:", *lines]))


def _link(job: JobSpec, site: Site) -> Iterator[SiteRefusal]:
    """What needs the Region cannot run without a link."""
    if site.link is not RegionLink.NONE:
        return
    for store in stores_of(job, site=site):
        if store.kind is StoreKind.S3_OUTPOSTS:
            yield SiteRefusal(
                "outposts-without-link",
                f"{store.uri} is S3 on Outposts, whose authentication needs the Region, and the site's link is none",
                "Use an S3-compatible store of the site's own",
            )
        if store.kind is StoreKind.S3:
            yield SiteRefusal(
                "region-without-link",
                f"{store.uri} is in the Region, and the site has `link: none`",
                "Copy the data to a store of the site",
            )
    if site.identity and site.identity.needs_region:
        yield SiteRefusal(
            "identity-without-link",
            f"identity {site.identity.kind.value} gets its credentials from the Region and the site's link is none",
            "Use identity secret",
        )
    if site.metrics.cloudwatch:
        yield SiteRefusal(
            "region-without-link",
            f"metrics.cloudwatch {site.metrics.cloudwatch} is in the Region and the site's link is none",
            "Leave it out; swath forward and a Pushgateway of the site need no link",
        )


def _ledger(job: JobSpec, site: Site) -> Iterator[SiteRefusal]:
    """Two drivers on one table lose data silently; so does a store that shows yesterday's list."""
    if site.ledger.kind is LedgerKind.POSTGRESQL:
        return
    place = site.store_of(job.output)
    if place and place[1].consistency != "strong":
        yield SiteRefusal(
            "ledger-consistency",
            f"a Delta ledger on {place[1].uri} ({place[1].consistency}), whose overwrites and lists lag, loses commits",
            "Set ledger.kind: postgresql, or choose a store with strong consistency for the output",
        )
    on_s3 = (place is not None and place[1].is_s3) or job.output.startswith(("s3://", "s3a://"))
    if site.ledger.lock is Lock.NONE or (site.ledger.lock is Lock.FILE and (on_s3 or not site.kind.shares_folders)):
        where = site.resolve(job.output)
        yield SiteRefusal(
            "ledger-lock",
            f"a Delta ledger on {where} with lock {site.ledger.lock.value}: a second committing driver would lose data silently",
            "Set ledger.lock: postgresql" + ("" if on_s3 else ", or file on one machine"),
        )
    if site.ledger.lock is Lock.POSTGRESQL and site.ledger.pooled:
        yield SiteRefusal(
            "lock-through-pooler", "a pooler in transaction mode breaks advisory locks", "Give the ledger a direct connection"
        )


def _engines_own(job: JobSpec, site: Site) -> Iterator[SiteRefusal]:
    """What the engine itself would turn down."""
    return site.kind.refuse(job, site=site)


_CHECKS: tuple[Callable[[JobSpec, Site], Iterator[SiteRefusal]], ...] = (_link, _ledger, _engines_own, border_refusals)
