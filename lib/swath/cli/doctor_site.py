"""Every store, database and registry of a site, checked from here."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from swath.deploy.engine import engine_of
from swath.deploy.operate.reach import reach_site
from swath.deploy.site.files import load_site
from swath.deploy.site.ledger import LedgerKind, Lock
from swath.deploy.site.site import Site
from swath.doctor import check_writable
from swath.doctor_services import HealthFinding, database_finding, registry_finding, store_findings
from swath.settings import DSN, PGSTAC_DSN, Settings

#: Time to move a site to another release [days].
_WARNED_D = 180


def examine_site(name: str) -> tuple[HealthFinding, ...]:
    """Ask everything that runs at a site must reach.

    Args:
        name: Name or file of a site.

    Raises:
        ConfigError: There is no such site, or something in it is wrong.
    """
    site = load_site(name)
    reach_site(name)
    return (*_engine(site), *_stores(site), *_databases(site), *_models(site))


def _engine(site: Site, *, today: date | None = None) -> Iterator[HealthFinding]:
    """How long the engine is supported, where that is known."""
    found = engine_of(site).support_ends(site)
    if found is None:
        return
    what, end = found
    left = (end - (today or datetime.now(UTC).date())).days
    told = f"{what} until {end}, {left} days from now" if left >= 0 else f"{what} no longer: it ended on {end}"
    remedy = "" if left > _WARNED_D else "Move the site to a later release: docs/matrix.md has those that swath is tested with."
    yield HealthFinding(check="Engine", level="ok" if left > _WARNED_D else "warning", found=told, remedy=remedy)


def _stores(site: Site) -> Iterator[HealthFinding]:
    for name, store in sorted(site.stores.items()):
        label = f"Store {name}"
        if store.is_s3:
            yield from store_findings(store.uri, label=label, may_be_input=True)
            continue
        found = check_writable(Path(store.uri))
        level = "warning" if found.level == "failure" and store.shared else found.level
        yield HealthFinding(check=label, level=level, found=found.found, remedy=found.remedy)


def _databases(site: Site) -> Iterator[HealthFinding]:
    ledger, settings = site.ledger, Settings.of()
    if ledger.kind is LedgerKind.POSTGRESQL or ledger.lock is Lock.POSTGRESQL:
        locks = ledger.lock is Lock.POSTGRESQL
        yield database_finding(settings.postgresql_dsn, label="Ledger", variable=DSN, locks=locks)
    if site.catalogue.kind == "pgstac":
        yield database_finding(settings.pgstac_dsn, label="Catalogue", variable=PGSTAC_DSN, locks=False)


def _models(site: Site) -> Iterator[HealthFinding]:
    uri = site.resolve(site.models.uri)
    if uri.startswith(("http://", "https://")):
        yield registry_finding(uri)
    elif uri and "://" not in uri:
        there = Path(uri).exists()
        remedy = "" if there else "Mount it, or correct models.uri of the site."
        yield HealthFinding(
            check="Models", level="ok" if there else "failure", found=f"{uri} {'is' if there else 'is not'} there", remedy=remedy
        )
    elif uri:
        yield from store_findings(uri, label="Models", may_be_input=True)
