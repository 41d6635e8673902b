"""What pods cannot do, or could not be placed with."""

from collections.abc import Iterator

from swath.deploy.render.cores import most_executors
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.ledger import LedgerKind, Lock
from swath.deploy.site.no_proxy import goes_direct
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site


def lacking(site: Site) -> Iterator[str]:
    """What a site with pods cannot do without."""
    if not site.image:
        yield f"engine {site.engine} needs image, by digest"
    if site.identity is None and any(s.is_s3 for s in site.stores.values()):
        yield "identity is needed: without it pods fall through to the node's role"


def pod_refusals(job: JobSpec, *, site: Site) -> Iterator[SiteRefusal]:
    """Everything that speaks against running ``job`` in pods of ``site``."""
    yield from _paths(job, site)
    yield from _database(site)
    yield from _image(site)
    yield from _sizes(job, site)
    yield from _network(site)


def _paths(job: JobSpec, site: Site) -> Iterator[SiteRefusal]:
    """A path of one pod is not a path of another."""
    for what, uri in [*(("input", u) for u in job.inputs), ("output", job.output)]:
        where = site.resolve(uri)
        store = site.store_of(uri)
        local = where.startswith(("/", "file:")) or "://" not in where
        if local and not (store and store[1].shared and store[1].claim):
            yield SiteRefusal(
                "local-path-on-cluster",
                f"{what} {where} is a path, and pods share no such folder",
                "Use an s3:// store, or a store of kind folder with shared: true and its claim",
            )


def _database(site: Site) -> Iterator[SiteRefusal]:
    """A pod has no variables of the caller: the connection string is a secret of its namespace."""
    if site.ledger.dsn:
        return
    remedy = "Set ledger.dsn to SECRET:KEY"
    if site.ledger.kind is LedgerKind.POSTGRESQL:
        yield SiteRefusal("ledger-without-database", "ledger postgresql has no dsn", remedy)
    elif site.ledger.lock is Lock.POSTGRESQL:
        yield SiteRefusal("lock-without-database", "ledger.lock postgresql has no dsn", remedy)


def _image(site: Site) -> Iterator[SiteRefusal]:
    """What runs is named by its content."""
    digest = site.image.rpartition("@sha256:")[2]
    if not (len(digest) == 64 and "@sha256:" in site.image and set(digest) <= set("0123456789abcdef")):
        yield SiteRefusal(
            "image-digest",
            f"image {site.image!r} has no digest, so it may change between two runs",
            "Write registry/name@sha256:...",
        )


def _sizes(job: JobSpec, site: Site) -> Iterator[SiteRefusal]:
    """Pods that fit no node wait for ever."""
    need, most = job.resources, site.sizes
    for role, container, limit in (
        ("driver", need.driver_container, most.driver),
        ("executor", need.executor_container, most.executor),
    ):
        if container > limit:
            yield SiteRefusal(
                f"{role}-memory",
                f"the {role} needs {container.spark} and the site gives {limit.spark}",
                f"Lower resources of the job, or sizes.{role}",
            )
    if need.executor_cores > most.executor_cores:
        yield SiteRefusal(
            "executor-cores",
            f"{need.executor_cores} cores an executor, the site gives {most.executor_cores}",
            "Ask for more executors with fewer cores",
        )
    yield from _gpus(need.gpu, site)
    yield from _quota(job, site)


def _gpus(asked: int, site: Site) -> Iterator[SiteRefusal]:
    """GPUs that the site does not have."""
    most = site.gpu.most if site.gpu else 0
    if asked > most:
        yield SiteRefusal(
            "gpus",
            f"resources.gpu is {asked} an executor, the site gives {most}",
            "Ask for fewer, or say gpu: {image, nodes, most} in the site file",
        )


def _quota(job: JobSpec, site: Site) -> Iterator[SiteRefusal]:
    """All executors together."""
    need, most = job.resources, site.sizes
    wanted = most_executors(need, site=site)
    if wanted > most.executors:
        yield SiteRefusal("executors", f"{wanted} executors, the site gives {most.executors}", "Ask for fewer")
    cores = wanted * need.executor_cores
    if most.cores is not None and cores > most.cores:
        yield SiteRefusal(
            "cores",
            f"{wanted} executors of {need.executor_cores} cores are {cores} cores, the site's quota is {most.cores}",
            "Ask for fewer, or raise the quota and sizes.cores",
        )


def _network(site: Site) -> Iterator[SiteRefusal]:
    """An authority that pods can mount, proxies in the way of the cluster itself, and addresses without encryption."""
    if site.trust and not site.trust.config_map:
        yield SiteRefusal(
            "trust-without-config-map",
            "trust has no config_map, so pods have no authority to trust",
            "Name the ConfigMap with ca.pem and truststore.p12",
        )
    if site.proxy and not goes_direct("kubernetes.default.svc", no_proxy=site.proxy.no_proxy):
        yield SiteRefusal(
            "no-proxy",
            "no_proxy does not hold .svc: the driver would look for the API server behind the proxy",
            "Add .svc, .cluster.local and the service range",
        )
    if site.models.uri.startswith("http://") and ".svc" not in site.models.uri:
        yield SiteRefusal("registry-http", f"models.uri {site.models.uri} is not encrypted", "Use https")
