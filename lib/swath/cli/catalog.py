"""``swath catalog``: the served catalogue's schema, and what it still has to receive."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from swath.errors import AccountError, CatalogueError, ConfigError
from swath.sinks.served.target import CatalogueTarget
from swath.stores.base import Store
from swath.stores.registry import open_store
from swath.upkeep.finding import OutputFinding

if TYPE_CHECKING:
    from swath.sinks.served.delivery import DeliveryOutcome, ServedDifference

#: Sites give the second one, from a secret.
VARIABLES = ["SWATH_CATALOG", "SWATH_PGSTAC_DSN"]


def catalog_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which catalogue, and what its readers call the output."""
    return _CATALOG(_BASE(command))


def target_of(catalog: str, base: str) -> CatalogueTarget | None:
    """The catalogue that the options name, None without one.

    Raises:
        ConfigError: The connection string cannot be understood.
    """
    if not catalog:
        return None
    from swath.stores.database import Database  # noqa: PLC0415  psycopg only where a database is configured

    Database(catalog)
    return CatalogueTarget(dsn=catalog, base=base)


def _without_password(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Everybody on the machine can read a command line, and Spark shows its own in a web page."""
    if value and ctx.get_parameter_source(str(param.name)) is click.core.ParameterSource.COMMANDLINE:
        from swath.stores.database import Database  # noqa: PLC0415

        if Database(value).has_password:
            msg = f"--catalog holds a password, which a command line shows to all: use PGPASSWORD, PGPASSFILE or {VARIABLES[0]}"
            raise ConfigError(msg)
    return value


_CATALOG = click.option(
    "--catalog",
    envvar=VARIABLES,
    default="",
    callback=_without_password,
    metavar="postgresql://...",
    help="PostgreSQL with pgSTAC that receives the items (or SWATH_CATALOG).",
)
_BASE = click.option(
    "--catalog-base",
    envvar="SWATH_CATALOG_BASE",
    default="",
    metavar="URI",
    help="Address of the output for that catalogue's readers, such as https://data.example.org/out; its own URI by default.",
)


@click.group("catalog")
def catalog_group() -> None:
    """The served catalogue: PostgreSQL with pgSTAC. The static one in the output needs no care."""


@catalog_group.command("migrate")
@_CATALOG
@click.option("--ledger", is_flag=True, help="Create the schema of a ledger in PostgreSQL (SWATH_POSTGRESQL_DSN) instead.")
def migrate_command(*, catalog: str, ledger: bool) -> None:
    """Make the schema in the database, or bring it up to this swath's version: as a role of its own, not in runs."""
    if ledger:
        _migrate_ledger()
        return
    target = _required(catalog)
    from swath.sinks.served.pgstac import PgStac  # noqa: PLC0415  pypgstac only where a catalogue is configured
    from swath.stores.database import Database  # noqa: PLC0415

    database = Database(target.dsn)
    before, after = PgStac(database).migrate()
    click.echo(f"{database}: pgSTAC {after}" + ("" if before == after else f", before: {before or 'none'}"))


def _migrate_ledger() -> None:
    from swath.ledger.pg_tables import migrate_ledger  # noqa: PLC0415  Spark's types, a second of imports
    from swath.settings import LEDGER, Settings  # noqa: PLC0415
    from swath.stores.database import Database  # noqa: PLC0415

    database = Database(Settings.of().dsn_for(LEDGER))
    migrate_ledger(database)
    click.echo(f"{database}: the ledger's schema is there")


@catalog_group.command("replay")
@click.argument("output")
@catalog_options
@click.option("--all", "everything", is_flag=True, help="Deliver every item of the output, as a new catalogue needs it.")
def replay_command(*, output: str, catalog: str, catalog_base: str, everything: bool) -> None:
    """Tell the catalogue what it missed while it was down: the outbox of OUTPUT."""
    target = _required(catalog, catalog_base)
    from swath.sinks.served.delivery import delivery_to  # noqa: PLC0415

    delivery = delivery_to(target, open_store(output, create=False))
    if everything:
        delivery.note_all()
    delivered = delivery.deliver()
    click.echo(str(delivered))
    _see(delivered)


@catalog_group.command("compare")
@click.argument("output")
@catalog_options
@click.option("--fix", is_flag=True, help="Deliver what is missing or stale, and remove what no longer exists.")
def compare_command(*, output: str, catalog: str, catalog_base: str, fix: bool) -> None:
    """See whether the catalogue has all items of OUTPUT as they are now, and no others of it."""
    target = _required(catalog, catalog_base)
    found = reconcile_served(target, open_store(output, create=False), fix=fix, tell=click.echo)
    if found and not fix:
        msg = f"{output}: {len(found)} differences between output and served catalogue; --fix repairs them"
        raise AccountError(msg)


def reconcile_served(
    target: CatalogueTarget, store: Store, *, fix: bool, tell: Callable[[str], object]
) -> tuple[OutputFinding, ...]:
    """Compare an output with its served catalogue, both ways; with ``fix`` mend it.

    Args:
        target: The catalogue.
        store: The output.
        fix: Deliver what is missing or stale, and remove what no longer exists.
        tell: Hears of every difference.

    Returns:
        The differences; with ``fix`` none of them is left.

    Raises:
        CatalogueError: The database does not answer, or something was refused.
        ConfigError: The schema is not the client's, or the output is hardly the one that was meant.
    """
    from swath.sinks.served.delivery import delivery_to  # noqa: PLC0415

    delivery = delivery_to(target, store)
    found = delivery.compare()
    findings = tuple(_findings(found))
    for finding in findings:
        tell(str(finding))
    tell(f"served catalogue: {found.items} items, {len(findings)} differences")
    if fix and findings:
        delivered = delivery.mend(found)
        tell(f"{delivered}; {len(found.surplus)} taken out")
        _see(delivered)
    return findings


def _findings(found: "ServedDifference") -> Iterator[OutputFinding]:
    for entry in found.missing:
        yield OutputFinding(
            kind="not-served", path=entry.item, product_id=entry.product_id, expected="the item, served", got="none"
        )
    for entry in found.stale:
        yield OutputFinding(
            kind="stale-served", path=entry.item, product_id=entry.product_id, expected="the item as it is", got="an earlier one"
        )
    for collection, name in found.surplus:
        yield OutputFinding(kind="only-served", path=f"{collection}/{name}", product_id=name, expected="an item in the output")


def _see(delivered: "DeliveryOutcome") -> None:
    """Waiting entries end a command whose only task is to deliver them."""
    if delivered.unusable:
        raise ConfigError(delivered.problem)
    if delivered.pending:
        raise CatalogueError(delivered.problem)


def _required(catalog: str, base: str = "") -> CatalogueTarget:
    target = target_of(catalog, base)
    if target is None:
        msg = f"which catalogue? Give --catalog postgresql://USER@HOST:PORT/NAME, or set {VARIABLES[0]}"
        raise ConfigError(msg)
    return target
