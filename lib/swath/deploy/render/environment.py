"""Environment of drivers and executors: the same on both, or something works on one and fails on the other."""

import json
from collections.abc import Mapping

from swath.deploy.site.identity import PROFILE_MOUNT, IdentityKind
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.network import Proxy, Trust
from swath.deploy.site.site import Site
from swath.deploy.site.stores import SiteStore, StoreKind
from swath.metrics.settings import Destinations
from swath.settings import (
    CREDENTIAL_FROM,
    DATABASE_S,
    DATABASE_WAIT,
    PAGES,
    PAGES_GIB,
    SEARCH_GIB,
    SEARCH_PAGES,
    SITE_DIGEST,
    STORE_S,
)
from swath.spark.start.settings import WORKER_ENVIRONMENT

# Nothing contacts the internet without being configured to.
QUIET: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PROJ_NETWORK": "OFF",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}


def environment(job: JobSpec, *, site: Site) -> Mapping[str, str]:
    """Variables for the driver and for every executor, in a stable order. Never a secret."""
    variables = {
        **WORKER_ENVIRONMENT,
        **QUIET,
        **_ours(site),
        **_identity(site),
        **store_variables(stores_of(job, site=site)),
        **(_trust(site.trust) if site.trust else {}),
        **(_proxy(site.proxy) if site.proxy else {}),
        **site.kind.variables(site),
    }
    return dict(sorted(variables.items()))


def _ours(site: Site) -> dict[str, str]:
    """What swath itself reads."""
    named = {"SWATH_LINK": site.link.value, SITE_DIGEST: site.digest, **ledger_variables(site)}
    if site.models.uri:
        # a store holds exported models; everything else is a server or a folder of MLflow's
        name = "SWATH_MODELS" if site.models.uri.startswith("store://") else "MLFLOW_TRACKING_URI"
        named[name] = site.resolve(site.models.uri)
    named |= _admission(site)
    if site.catalogue.base:
        named["SWATH_CATALOG_BASE"] = site.catalogue.base
    if site.price_file:
        named["SWATH_PRICE_FILE"] = site.price_file
    metrics = Destinations(
        namespace=site.metrics.namespace,
        group=site.metrics.cloudwatch,
        region=(site.metrics.region or site.cluster.region) if site.metrics.cloudwatch else "",
        profile=site.metrics.profile,
        pushgateway=site.metrics.pushgateway,
    ).to_json()
    return named | ({"SWATH_METRICS": metrics} if metrics else {}) | search_variables(site)


def _admission(site: Site) -> dict[str, str]:
    """What the site demands of every model."""
    models = site.models
    told = {
        "SWATH_MODEL_LICENCES": ",".join(models.licences),
        "SWATH_MODEL_DEMANDS": ",".join(models.demands),
        "SWATH_MODEL_KEYS": ",".join(models.keys),
        "SWATH_MODEL_REVOKED": models.revoked,
    }
    return {name: value for name, value in told.items() if value}


def search_variables(site: Site) -> dict[str, str]:
    """Hosts that searches and assets may be fetched from, and how long a search's answer may be where that is not usual."""
    search = site.search
    said = {"SWATH_HOSTS": ",".join(search.hosts)} if search.hosts else {}
    said |= {SEARCH_PAGES: str(search.pages)} if search.pages != PAGES else {}
    return said | ({SEARCH_GIB: f"{search.gib:g}"} if search.gib != PAGES_GIB else {})


def ledger_variables(site: Site) -> dict[str, str]:
    """Where the ledger of a site's outputs is, and what keeps a second driver from it; the connection string is a secret."""
    named = {"SWATH_LEDGER": site.ledger.kind.value, "SWATH_LOCK": site.ledger.lock.value}
    named |= {CREDENTIAL_FROM: site.ledger.password_from} if site.ledger.password_from else {}
    return named | ({DATABASE_WAIT: str(site.ledger.wait_s)} if site.ledger.wait_s != DATABASE_S else {})


def _identity(site: Site) -> dict[str, str]:
    """Which sources of credentials may be asked. Without this, a missing token falls through to the node's role."""
    if site.identity is None:
        # a person's own machine: their credentials, by their own means
        return {}
    kind = site.identity.kind
    if kind is IdentityKind.NODE_ROLE:
        return {"AWS_STS_REGIONAL_ENDPOINTS": "regional"}
    variables = {"AWS_EC2_METADATA_DISABLED": "true", "CPL_AWS_AUTODETECT_EC2": "NO", "AWS_STS_REGIONAL_ENDPOINTS": "regional"}
    if kind is IdentityKind.SECRET:
        variables["AWS_SHARED_CREDENTIALS_FILE"] = f"{PROFILE_MOUNT}/credentials"
        variables["AWS_CONFIG_FILE"] = f"{PROFILE_MOUNT}/config"
    if kind is IdentityKind.ROLES_ANYWHERE:
        variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:9911/credentials"
    return variables


def stores_of(job: JobSpec, *, site: Site) -> tuple[SiteStore, ...]:
    """The object stores that a job touches, each once: inputs, output, models."""
    named = [site.store_of(uri) for uri in (*job.inputs, job.output, site.models.uri)]
    found = {pair[0]: pair[1] for pair in named if pair is not None and pair[1].is_s3}
    return tuple(found[name] for name in sorted(found))


def store_variables(stores: tuple[SiteStore, ...]) -> dict[str, str]:
    """How Python and GDAL reach the stores; ``SWATH_STORES`` has them by bucket, as JSON."""
    if not stores:
        return {}
    buckets = {s.bucket: _as_json(s) for s in stores}
    variables = {"SWATH_STORES": json.dumps(buckets, separators=(",", ":"), sort_keys=True)}
    regions = {s.region for s in stores if s.region}
    if len(regions) == 1:
        variables["AWS_REGION"] = variables["AWS_DEFAULT_REGION"] = next(iter(regions))
    endpoints = {(s.endpoint, s.addressing) for s in stores}
    if len(endpoints) == 1 and stores[0].kind is StoreKind.S3_COMPATIBLE:
        variables |= _one_endpoint(stores[0])
    return variables


def _as_json(store: SiteStore) -> dict[str, str | bool | int]:
    """A store without what is empty."""
    fields: dict[str, str | bool | int] = {
        "kind": store.kind.value,
        "region": store.region,
        "endpoint": store.endpoint,
        "addressing": store.addressing if store.kind is StoreKind.S3_COMPATIBLE else "",
        "access_point": store.access_point,
        "consistency": store.consistency,
        "requester_pays": store.requester_pays,
        "profile": store.profile,
        "anonymous": store.anonymous,
        "patience_s": store.patience_s if store.patience_s != STORE_S else 0,
    }
    return {key: value for key, value in fields.items() if value}


def _one_endpoint(store: SiteStore) -> dict[str, str]:
    """Every S3 store is behind one endpoint: libraries may know it by their own variables."""
    return {
        "AWS_ENDPOINT_URL_S3": store.endpoint,
        "AWS_S3_ENDPOINT": store.endpoint.split("://", 1)[1],
        "AWS_HTTPS": "YES" if store.endpoint.startswith("https://") else "NO",
        "AWS_VIRTUAL_HOSTING": "FALSE" if store.addressing == "path" else "TRUE",
        # older stores refuse the checksums that newer SDKs add unasked
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }


def _trust(trust: Trust) -> dict[str, str]:
    """One authority for every library that has a variable of its own (rasterio's wheels point GDAL at certifi)."""
    names = (
        "GDAL_CURL_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "PROJ_CURL_CA_BUNDLE",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "PGSSLROOTCERT",
    )
    return {**dict.fromkeys(names, trust.bundle), "PGSSLMODE": "verify-full"}


def _proxy(proxy: Proxy) -> dict[str, str]:
    """Both spellings: curl reads http_proxy in small letters only."""
    no_proxy = ",".join(proxy.no_proxy)
    pairs = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url, "NO_PROXY": no_proxy}
    return pairs | {key.lower(): value for key, value in pairs.items()}
