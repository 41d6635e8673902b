"""S3A settings, bucket by bucket: endpoint, addressing, credentials, proxy."""

from collections.abc import Iterator, Mapping

from swath.deploy.site.network import Proxy
from swath.deploy.site.no_proxy import goes_direct
from swath.deploy.site.site import Site
from swath.deploy.site.stores import AccessPoint, SiteStore, StoreKind
from swath.stores.s3a_patience import s3a_patience

_IMPLEMENTATION = "org.apache.hadoop.fs.s3a.S3AFileSystem"
_ANONYMOUS = "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"


def s3a(site: Site) -> Mapping[str, str]:
    """Hadoop settings of all buckets of ``site``; empty when it has none."""
    settings: dict[str, str] = {}
    for store in (s for s in site.stores.values() if s.is_s3):
        prefix = f"spark.hadoop.fs.s3a.bucket.{store.bucket}."
        settings.update({prefix + key: value for key, value in _bucket(store, site=site)})
    return settings


def s3_scheme(site: Site) -> Mapping[str, str]:
    """``s3://`` served by S3A, for engines that do not have it so by themselves; empty for a site without buckets."""
    return {"spark.hadoop.fs.s3.impl": _IMPLEMENTATION} if any(s.is_s3 for s in site.stores.values()) else {}


def _bucket(store: SiteStore, *, site: Site) -> Iterator[tuple[str, str]]:
    """Settings of one bucket, without their prefix."""
    if store.anonymous:
        yield "aws.credentials.provider", _ANONYMOUS
    elif site.identity is not None:
        yield "aws.credentials.provider", site.identity.provider
    if store.kind is StoreKind.S3:
        yield "endpoint.region", store.region
    if store.kind is StoreKind.S3_OUTPOSTS:
        yield "accesspoint.arn", store.access_point
        yield "endpoint.region", AccessPoint.parse(store.access_point).region
    if store.kind is StoreKind.S3_COMPATIBLE:
        yield "endpoint", store.endpoint
        yield "endpoint.region", store.region
        yield "path.style.access", str(store.addressing == "path").lower()
        yield "connection.ssl.enabled", str(store.endpoint.startswith("https://")).lower()
        yield "change.detection.mode", "none"
    if store.requester_pays:
        yield "requester.pays.enabled", "true"
    yield from s3a_patience(store.patience_s)
    if site.proxy is not None and not goes_direct(store_host(store), no_proxy=site.proxy.no_proxy):
        yield from _proxy(site.proxy)


def _proxy(proxy: Proxy) -> Iterator[tuple[str, str]]:
    """S3A reads neither the JVM's proxy settings nor the environment, and knows no exceptions: so by bucket."""
    yield "proxy.host", proxy.host
    yield "proxy.port", str(proxy.port)


def store_host(store: SiteStore) -> str:
    """The host that answers for a store."""
    if store.kind is StoreKind.S3_OUTPOSTS:
        return AccessPoint.parse(store.access_point).host
    if store.kind is StoreKind.S3_COMPATIBLE:
        return store.endpoint.split("://", 1)[1].rsplit(":", 1)[0]
    return f"{store.bucket}.s3.{store.region}.amazonaws.com"
