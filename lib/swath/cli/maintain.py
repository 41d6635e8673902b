"""``swath maintain`` and ``hold``: what an output keeps, and for how long."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from swath.cli.catalog import catalog_options, target_of
from swath.cli.output import existing, json_option, locked, master_option, session
from swath.cli.progress import telling
from swath.errors import ConfigError
from swath.report.text import size
from swath.retention import KeepRules
from swath.runs.run_id import new_run_id
from swath.runs.told import Told

if TYPE_CHECKING:
    from swath.ledger.tables import Tables
    from swath.sinks.served.target import CatalogueTarget
    from swath.stores.base import Store
    from swath.upkeep.janitor import Cleaning, Retention
    from swath.upkeep.leavings import Leavings
    from swath.upkeep.removal import Removed, Unlist

_DAY_H = 24.0


def _how_long(command: Callable[..., Any]) -> Callable[..., Any]:
    hours = click.FloatRange(min=0)
    scratch = click.option("--scratch-hours", type=hours, default=24.0, show_default=True, help="Time to keep scratch.")
    unnamed = click.option(
        "--retention-days", type=hours, default=7.0, show_default=True,
        help="Time to keep files that no item names, and plans of runs that ended.",
    )  # fmt: skip
    tables = click.option(
        "--table-days", type=click.FloatRange(min=7), default=7.0, show_default=True,
        help="Time to keep older versions of tables.",
    )  # fmt: skip
    return scratch(unnamed(tables(command)))


def _kept(command: Callable[..., Any]) -> Callable[..., Any]:
    site = click.option("--site", metavar="NAME|FILE", help="Site whose `retention` holds.")
    pipelines = click.option("--pipeline", "pipelines", multiple=True, metavar="NAME|FILE", help="Pipeline likewise; repeatable.")
    rules = click.option(
        "--keep", "rules", multiple=True, metavar="NAME=RULE",
        help="Rule of a collection, or of reports, logs, metrics, receipts, quarantine, such as '400 days'; repeatable.",
    )  # fmt: skip
    return site(pipelines(rules(command)))


@click.command("maintain")
@click.argument("output")
@_how_long
@_kept
@click.option("--dry-run", is_flag=True, help="List what would be removed; remove nothing.")
@catalog_options
@json_option
@master_option
def maintain_command(*, output: str, as_json: bool, master: str | None, **asked: Any) -> None:
    """Remove from OUTPUT what is no longer needed or kept no longer, and tidy its tables. No run may be at work."""
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.upkeep.janitor import Retention  # noqa: PLC0415

    store, name, dry = existing(output), new_run_id(), asked["dry_run"]
    rules, forwarded = _rules(asked)
    hours = {"scratch_h": asked["scratch_hours"], "unnamed_h": asked["retention_days"] * _DAY_H}
    retention = Retention(**hours, table_h=asked["table_days"] * _DAY_H, versions=rules.products)
    target = target_of(asked["catalog"], asked["catalog_base"])
    with telling() as told, session("maintain", master, output=output) as spark, locked(store, run_id=name) as lock:
        tables = open_tables(spark, store, lock=lock)
        work = _Upkeep(tables=tables, store=store, rules=rules, forwarded=forwarded, run_id=name, dry=dry)
        removed, left, done = work.do(retention, unlist=_unlist(target, store))
        _tell(removed, left, done, told=told, verb="would remove" if dry else "removed")
    if as_json:
        click.echo(json.dumps({**done.plain(), "expired": asdict(removed), "leavings": asdict(left)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upkeep:
    """One execution."""

    tables: "Tables"
    store: "Store"
    rules: KeepRules
    forwarded: bool
    run_id: str
    dry: bool

    def do(self, retention: "Retention", *, unlist: "Unlist | None") -> "tuple[Removed, Leavings, Cleaning]":
        """Products first: what they leave is the janitor's."""
        from swath.upkeep.janitor import clean  # noqa: PLC0415
        from swath.upkeep.leavings import remove_leavings  # noqa: PLC0415
        from swath.upkeep.removal import remove_expired  # noqa: PLC0415

        removed = remove_expired(
            self.tables, self.store, rules=self.rules.products, run_id=self.run_id, dry=self.dry, unlist=unlist
        )
        cleaned = clean(self.tables, self.store, retention=retention, dry=self.dry)
        left = remove_leavings(self.tables, self.store, rules=self.rules, forwarded=self.forwarded, dry=self.dry)
        return removed, left, cleaned


def _rules(asked: dict[str, Any]) -> tuple[KeepRules, bool]:
    """The rules: of the command, then of the site, then of pipelines; and whether results leave the site.

    Raises:
        ConfigError: One of them is no rule.
    """
    try:
        rules = KeepRules.parse(dict(_pair(text) for text in asked["rules"]))
    except ValueError as error:
        msg = f"--keep: {error}"
        raise ConfigError(msg) from error
    forwarded = False
    if asked["site"]:
        from swath.deploy.site.files import load_site  # noqa: PLC0415  pydantic, only where a site is named

        site = load_site(asked["site"])
        rules, forwarded = rules.over(KeepRules.parse(site.retention)), bool(site.border.to)
    for name in asked["pipelines"]:
        from swath.config import load_pipeline  # noqa: PLC0415  as above

        rules = rules.over(KeepRules.parse(load_pipeline(name).retention))
    return rules, forwarded


def _pair(text: str) -> tuple[str, str]:
    name, equals, rule = text.partition("=")
    if not equals:
        msg = f"{text!r}: expected NAME=RULE, such as ard-landsat-oli='400 days'"
        raise ValueError(msg)
    return name.strip(), rule.strip()


def _unlist(target: "CatalogueTarget | None", store: "Store") -> "Unlist | None":
    if target is None:
        return None
    from swath.sinks.served.delivery import delivery_to  # noqa: PLC0415

    return delivery_to(target, store).remove


def _tell(removed: "Removed", left: "Leavings", done: "Cleaning", *, told: Told, verb: str) -> None:
    if removed.versions or removed.kept:
        begun = f", {removed.continued} of them begun before" if removed.continued else ""
        told.say(
            f"{verb} {len(removed.products)} products past their retention ({removed.versions} versions, {removed.files} files, "
            f"{size(removed.bytes)}{begun})"
        )
    if removed.unknown:
        there = ", ".join(removed.collections) or "none"
        told.say(f"retention names {', '.join(removed.unknown)}, of which there is no product; collections here: {there}")
    for kept in removed.kept:
        told.say(f"kept {kept.product_id}: {kept.reason}")
    parts = [f"{len(paths)} files of {kind}" for kind, paths in left.files.items() if paths]
    parts += [f"{left.quarantine} rows of the quarantine"] if left.quarantine else []
    if parts:
        told.say(f"{verb} {', '.join(parts)}: {size(left.bytes)}")
    for run_id in left.kept:
        told.say(f"kept the report of {run_id}: it was not forwarded")
    told.say(
        f"{verb} {len(done.scratch)} files of scratch, {len(done.unnamed)} files that no item names, "
        f"plans of {len(done.plans)} runs, {len(done.uploads)} uploads: {size(done.bytes)}; tidied {len(done.tables)} tables"
    )


@click.command("hold")
@click.argument("output")
@click.argument("what", required=False, metavar="[PRODUCT|SCENE|COLLECTION]")
@click.option("--reason", default="", help="Reason of the hold; required.")
@click.option("--release", "ends", is_flag=True, help="End the hold.")
def hold_command(*, output: str, what: str | None, reason: str, ends: bool) -> None:
    """Keep a product, a scene's products or a collection of OUTPUT, whatever its retention. Without one: list what is held."""
    from swath.runs.origin import submitter  # noqa: PLC0415
    from swath.upkeep.holds import hold, holds, release  # noqa: PLC0415

    store = existing(output)
    if what is None:
        for one in holds(store):
            click.echo(f"{one.what}  since {one.at}  by {one.by}: {one.reason}")
        return
    if ends:
        if not release(store, what):
            msg = f"{output} holds no {what}: swath hold {output} lists what it holds"
            raise ConfigError(msg)
        click.echo(f"released {what}", file=sys.stderr)
        return
    if not reason:
        msg = f"a hold on {what} needs --reason TEXT, by which it is decided later whether it may end"
        raise ConfigError(msg)
    made = hold(store, what, reason=reason, by=submitter())
    click.echo(f"held {made.what} since {made.at}", file=sys.stderr)
