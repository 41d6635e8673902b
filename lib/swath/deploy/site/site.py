"""Where jobs run: one file of values a site, and nothing else differs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from swath.deploy.site.border import Border
from swath.deploy.site.cluster import Cluster, Logging, SiteMetrics
from swath.deploy.site.engine_kind import EngineKind
from swath.deploy.site.engines import check_engine, engine_kind
from swath.deploy.site.fields import JobName
from swath.deploy.site.identity import SiteIdentity
from swath.deploy.site.ledger import SiteCatalogue, SiteLedger, SiteRegistry
from swath.deploy.site.network import Proxy, RegionLink, SiteSearch, Trust
from swath.deploy.site.placement import DynamicAllocation, Gpu, Placement, Scratch, Sizes
from swath.deploy.site.rasters import Dem
from swath.deploy.site.stores import SiteStore
from swath.deploy.site.strict import Strict, checked
from swath.errors import ConfigError
from swath.inputs import DEM, RasterSource
from swath.retention import KeepRules

_SCHEME = "store://"


def _retention(rules: Mapping[str, str]) -> Mapping[str, str]:
    KeepRules.parse(rules)
    return rules


class Site(Strict):
    """A place where jobs run.

    Args:
        site: Name.
        summary: Human-readable summary.
        engine: Name of the engine that starts drivers: see ``swath.deploy.engine``.
        image: Image by digest, ``registry/name@sha256:...``; empty for ``spark-submit``.
        spark_version: Spark version of the image.
        cluster: Address of the engine.
        stores: Stores by name; jobs write ``store://NAME/path``.
        ledger: The account.
        catalogue: Catalogue that users search.
        models: Registry where model versions are looked up.
        identity: Identity of the pods; none for folders.
        placement: Nodes that pods may use.
        sizes: The most a pod may take.
        gpu: GPUs; none by default.
        dynamic_allocation: Executors by need.
        scratch: Local disk.
        proxy: The way out, if there is one.
        search: Hosts and sizes that searches may reach.
        trust: The site's own certificate authority.
        link: The line to the Region.
        border: Flows that may leave the site.
        logging: Destination of logs.
        metrics: Destination of metrics.
        dem: The elevation; none without one.
        rasters: Places of other rasters that steps ask for, by name.
        price_file: Prices for the cost of a run, a path in the image.
        retention: How long products of a collection, and what runs leave beside them, are kept: see ``swath.retention``.
    """

    site: JobName
    summary: str = ""
    engine: Annotated[str, AfterValidator(checked(check_engine))]
    image: str = ""
    spark_version: Annotated[str, Field(pattern=r"^(4\.0|3\.5)\.\d+$")] = "4.0.5"
    cluster: Cluster = Cluster()
    stores: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], SiteStore]
    ledger: SiteLedger = SiteLedger()
    catalogue: SiteCatalogue = SiteCatalogue()
    models: SiteRegistry = SiteRegistry()
    identity: SiteIdentity | None = None
    placement: Placement = Placement()
    sizes: Sizes = Sizes()
    gpu: Gpu | None = None
    dynamic_allocation: DynamicAllocation = DynamicAllocation()
    scratch: Scratch = Scratch()
    proxy: Proxy | None = None
    search: SiteSearch = SiteSearch()
    trust: Trust | None = None
    link: RegionLink
    border: Border = Border()
    logging: Logging = Logging()
    metrics: SiteMetrics = SiteMetrics()
    dem: Dem | None = None
    rasters: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], str] = {}
    price_file: str = ""
    retention: Annotated[Mapping[str, str], AfterValidator(_retention)] = {}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Each engine has fields that it cannot do without."""
        for lack in self.kind.lacks(self):
            raise ValueError(lack)
        if self.metrics.cloudwatch and not (self.metrics.region or self.cluster.region):
            msg = "metrics.cloudwatch needs metrics.region: the cluster has none"
            raise ValueError(msg)
        if self.border.to.startswith(_SCHEME) and self.store_of(self.border.to) is None:
            msg = f"border.to {self.border.to}: the site has no such store; it has {', '.join(sorted(self.stores))}"
            raise ValueError(msg)
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the site's values, in hex: what its name and its summary are, and how the file is written, is not in it."""
        values = self.model_dump(mode="json", exclude={"site", "summary"})
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @property
    def kind(self) -> EngineKind:
        """The engine, by its name."""
        return engine_kind(self.engine)

    def store_of(self, uri: str) -> tuple[str, SiteStore] | None:
        """Name and value of the store that ``uri`` is in, the longest match; None for an address outside all stores."""
        if uri.startswith(_SCHEME):
            name = uri.removeprefix(_SCHEME).split("/", 1)[0]
            return (name, self.stores[name]) if name in self.stores else None
        inside = [(n, s) for n, s in self.stores.items() if f"{uri}/".startswith(f"{s.uri.rstrip('/')}/")]
        return max(inside, key=lambda pair: len(pair[1].uri), default=None)

    def raster_sources(self) -> dict[str, RasterSource]:
        """Rasters by name, ``store://`` resolved.

        Raises:
            ConfigError: The site has no store that one of them names.
        """
        found = {name: RasterSource(path=self.resolve(path)) for name, path in self.rasters.items()}
        if self.dem is not None:
            found[DEM] = self.dem.source(path=self.resolve(self.dem.path), geoid=self.resolve(self.dem.geoid))
        return found

    def resolve(self, uri: str) -> str:
        """The address behind ``store://NAME/path``; other addresses as they are.

        Raises:
            ConfigError: The site has no store of that name.
        """
        if not uri.startswith(_SCHEME):
            return uri
        name, _, path = uri.removeprefix(_SCHEME).partition("/")
        if name not in self.stores:
            msg = f"{uri}: site {self.site} has no store {name!r}; it has {', '.join(sorted(self.stores))}"
            raise ConfigError(msg)
        return f"{self.stores[name].uri.rstrip('/')}/{path}".rstrip("/")
