"""Refusals at render time: what a site or a service would turn down later, with the reason and the remedy."""

from collections.abc import Callable, Iterable, Iterator

from swath.deploy.render.border_refusals import border_refusals
from swath.deploy.render.cores import most_executors
from swath.deploy.render.environment import stores_of
from swath.deploy.render.refused import Refusal
from swath.deploy.site.cluster import Engine
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.ledger import LedgerKind, Lock
from swath.deploy.site.network import Link
from swath.deploy.site.no_proxy import goes_direct
from swath.deploy.site.site import Site
from swath.deploy.site.stores import StoreKind
from swath.errors import ConfigError

__all__ = ["Refusal", "refusals", "refuse"]


def refusals(job: JobSpec, *, site: Site) -> tuple[Refusal, ...]:
    """Everything that speaks against running ``job`` at ``site``, in a stable order.

    Raises:
        ConfigError: The job names a store that the site does not have.
    """
    for uri in (*job.inputs, job.output, site.logging.event_log, site.models.uri):
        site.resolve(uri)
    return tuple(refusal for check in _CHECKS for refusal in check(job, site))


def refuse(found: Iterable[Refusal], *, what: str) -> None:
    """Raise one error that lists all refusals; nothing when there are none.

    Raises:
        ConfigError: There is at least one.
    """
    lines = [f"[{r.code}] {r.reason}. {r.remedy}" for r in found]
    if lines:
        raise ConfigError("\n  ".join([f"{what} is refused:", *lines]))


def _link(job: JobSpec, site: Site) -> Iterator[Refusal]:
    """What needs the Region cannot run without a link."""
    if site.link is not Link.NONE:
        return
    for store in stores_of(job, site=site):
        if store.kind is StoreKind.S3_OUTPOSTS:
            yield Refusal(
                "outposts-without-link",
                f"{store.uri} is S3 on Outposts, whose authentication needs the Region, and the site's link is none",
                "Use an S3-compatible store of the site's own",
            )
        if store.kind is StoreKind.S3:
            yield Refusal(
                "region-without-link",
                f"{store.uri} is in the Region, and the site has `link: none`",
                "Copy the data to a store of the site",
            )
    if site.identity and site.identity.needs_region:
        yield Refusal(
            "identity-without-link",
            f"identity {site.identity.kind.value} gets its credentials from the Region and the site's link is none",
            "Use identity secret",
        )
    if site.metrics.cloudwatch:
        yield Refusal(
            "region-without-link",
            f"metrics.cloudwatch {site.metrics.cloudwatch} lies in the Region and the site's link is none",
            "Leave it out; swath forward and a Pushgateway of the site need no link",
        )
    if site.engine is Engine.EMR_ON_EKS:
        yield Refusal(
            "emr-without-link", "EMR on EKS is driven from the Region and the site's link is none", "Use engine spark-operator"
        )
    if site.engine is Engine.SPARK_SUBMIT and not site.cluster.jars:
        yield Refusal(
            "packages-without-link",
            "without cluster.jars spark-submit fetches Delta from the internet",
            "Name the jars in cluster.jars",
        )


def _paths(job: JobSpec, site: Site) -> Iterator[Refusal]:
    """A path of one pod is not a path of another."""
    if not site.on_kubernetes:
        return
    for what, uri in [*(("input", u) for u in job.inputs), ("output", job.output)]:
        where = site.resolve(uri)
        store = site.store_of(uri)
        local = where.startswith(("/", "file:")) or "://" not in where
        if local and not (store and store[1].shared and store[1].claim):
            yield Refusal(
                "local-path-on-cluster",
                f"{what} {where} is a path, and pods share no such folder",
                "Use an s3:// store, or a store of kind folder with shared: true and its claim",
            )


def _ledger(job: JobSpec, site: Site) -> Iterator[Refusal]:
    """Two drivers on one table lose data silently; so does a store that shows yesterday's list."""
    if site.ledger.kind is LedgerKind.POSTGRESQL:
        if site.on_kubernetes and not site.ledger.dsn:
            yield Refusal("ledger-without-database", "ledger postgresql has no dsn", "Set ledger.dsn to SECRET:KEY")
        return
    place = site.store_of(job.output)
    if place and place[1].consistency != "strong":
        yield Refusal(
            "ledger-consistency",
            f"a Delta ledger on {place[1].uri} ({place[1].consistency}), whose overwrites and lists lag, loses commits",
            "Set ledger.kind: postgresql, or choose a store with strong consistency for the output",
        )
    on_s3 = (place is not None and place[1].is_s3) or job.output.startswith(("s3://", "s3a://"))
    if site.ledger.lock is Lock.NONE or (site.ledger.lock is Lock.FILE and (on_s3 or site.on_kubernetes)):
        where = site.resolve(job.output)
        yield Refusal(
            "ledger-lock",
            f"a Delta ledger on {where} with lock {site.ledger.lock.value}: a second committing driver would lose data silently",
            "Set ledger.lock: postgresql" + ("" if on_s3 else ", or file on one machine"),
        )
    if site.ledger.lock is Lock.POSTGRESQL and site.on_kubernetes and not site.ledger.dsn:
        yield Refusal("lock-without-database", "ledger.lock postgresql has no dsn", "Set ledger.dsn to SECRET:KEY")
    if site.ledger.lock is Lock.POSTGRESQL and site.ledger.pooled:
        yield Refusal(
            "lock-through-pooler", "a pooler in transaction mode breaks advisory locks", "Give the ledger a direct connection"
        )


def _image(_job: JobSpec, site: Site) -> Iterator[Refusal]:
    """What runs is named by its content."""
    digest = site.image.rpartition("@sha256:")[2]
    if site.on_kubernetes and not (len(digest) == 64 and "@sha256:" in site.image and set(digest) <= set("0123456789abcdef")):
        yield Refusal(
            "image-digest",
            f"image {site.image!r} has no digest, so it may change between two runs",
            "Write registry/name@sha256:...",
        )
    label = site.cluster.release_label
    if site.on_emr and not _dated(label):
        yield Refusal(
            "release-label", f"release label {label!r} moves", "Write a dated label, for example emr-spark-8.0.0-20260421"
        )


def _dated(label: str) -> bool:
    tail = label.rpartition("-")[2]
    return tail.isdigit() and len(tail) == 8 and label.startswith("emr-")


def _sizes(job: JobSpec, site: Site) -> Iterator[Refusal]:
    """Pods that fit no node wait for ever."""
    need, most = job.resources, site.sizes
    if not site.on_kubernetes:
        return
    for role, container, limit in (
        ("driver", need.driver_container, most.driver),
        ("executor", need.executor_container, most.executor),
    ):
        if container > limit:
            yield Refusal(
                f"{role}-memory",
                f"the {role} needs {container.spark} and the site gives {limit.spark}",
                f"Lower resources of the job, or sizes.{role}",
            )
    if need.executor_cores > most.executor_cores:
        yield Refusal(
            "executor-cores",
            f"{need.executor_cores} cores an executor, the site gives {most.executor_cores}",
            "Ask for more executors with fewer cores",
        )
    wanted = most_executors(need, site=site)
    if wanted > most.executors:
        yield Refusal("executors", f"{wanted} executors, the site gives {most.executors}", "Ask for fewer")
    cores = wanted * need.executor_cores
    if most.cores is not None and cores > most.cores:
        yield Refusal(
            "cores",
            f"{wanted} executors of {need.executor_cores} cores are {cores} cores, the site's quota is {most.cores}",
            "Ask for fewer, or raise the quota and sizes.cores",
        )


def _engine(job: JobSpec, site: Site) -> Iterator[Refusal]:
    """What only one engine can do."""
    if job.schedule and site.engine is Engine.SPARK_SUBMIT:
        yield Refusal(
            "schedule", f"engine {site.engine.value} has no schedules", "Leave schedule out and start the job from your scheduler"
        )
    if site.on_kubernetes and site.trust and not site.trust.config_map:
        yield Refusal(
            "trust-without-config-map",
            "trust has no config_map, so pods have no authority to trust",
            "Name the ConfigMap with ca.pem and truststore.p12",
        )


def _network(_job: JobSpec, site: Site) -> Iterator[Refusal]:
    """Proxies in the way of the cluster itself, and addresses without encryption."""
    if site.on_kubernetes and site.proxy and not goes_direct("kubernetes.default.svc", no_proxy=site.proxy.no_proxy):
        yield Refusal(
            "no-proxy",
            "no_proxy does not hold .svc: the driver would look for the API server behind the proxy",
            "Add .svc, .cluster.local and the service range",
        )
    if site.models.uri.startswith("http://") and ".svc" not in site.models.uri and site.on_kubernetes:
        yield Refusal("registry-http", f"models.uri {site.models.uri} is not encrypted", "Use https")


_CHECKS: tuple[Callable[[JobSpec, Site], Iterator[Refusal]], ...] = (
    _link,
    _paths,
    _ledger,
    _image,
    _sizes,
    _engine,
    _network,
    border_refusals,
)
