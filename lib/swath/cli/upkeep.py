"""``swath reconcile`` and ``export``: an output in order."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.cli.catalog import catalog_options, reconcile_served, target_of
from swath.cli.output import existing, json_option, locked, master_option, session
from swath.cli.progress import telling
from swath.errors import AccountError, ConfigError
from swath.runs.run_id import new_run_id
from swath.runs.told import Told
from swath.settings import Settings
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from swath.stores.base import Store
    from swath.stores.lock import CommitLock
    from swath.upkeep.finding import OutputFinding
    from swath.upkeep.reconcile import OutputComparison

#: Findings that are reported one by one.
_TOLD = 1000


@click.command("reconcile")
@click.argument("output")
@click.option("--fix", is_flag=True, help="Repair what can be repaired. Removes no file.")
@click.option("--rebuild", "again", is_flag=True, help="Rebuild a lost ledger from items, files and reports.")
@click.option("--run-id", help="Name of the repair in the ledger.")
@catalog_options
@json_option
@master_option
def reconcile_command(
    *, output: str, fix: bool, again: bool, run_id: str | None, catalog: str, catalog_base: str, as_json: bool, master: str | None
) -> None:
    """Compare ledger, files and catalogue of OUTPUT both ways; with --catalog also the served one."""
    if again:
        _rebuild(output, run_id=run_id or new_run_id(), as_json=as_json, master=master)
        return
    store, name, target = existing(output), run_id or new_run_id(), target_of(catalog, catalog_base)
    with telling() as told, locked(store, run_id=name) as lock:
        found = _compared(store, lock=lock, master=master)
        _tell(found, told)
        left = [f for f in found.findings if f.kind != "orphan-file"]
        if fix and found.findings:
            left = _mended(found, store, run_id=name, lock=lock, master=master, told=told)
        served = reconcile_served(target, store, fix=fix, tell=told.say) if target is not None else ()
        left += () if fix else served
    if as_json:
        plain = [f.plain() for f in (*found.findings, *served)]
        click.echo(json.dumps({"products": found.products, "files": found.files, "findings": plain, "left": len(left)}))
    if left:
        msg = f"{output}: {len(left)} differences between ledger, files and catalogue; --fix repairs what can be repaired"
        raise AccountError(msg)


def _compared(store: "Store", *, lock: "CommitLock", master: str | None) -> "OutputComparison":
    """What is there; by Spark only where the ledger is large."""
    from swath.ledger.delta import NeedsSparkError  # noqa: PLC0415
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.upkeep.reconcile import compare  # noqa: PLC0415

    try:
        return compare(open_tables(None, store, lock=lock), store)
    except NeedsSparkError:
        with session("reconcile", master, output=store.root) as spark:
            return compare(open_tables(spark, store, lock=lock), store)


def _mended(
    found: "OutputComparison", store: "Store", *, run_id: str, lock: "CommitLock", master: str | None, told: Told
) -> "list[OutputFinding]":
    """Mend, and say so; what is left."""
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.upkeep.finding import UNRECORDED  # noqa: PLC0415
    from swath.upkeep.mend import mend  # noqa: PLC0415
    from swath.upkeep.rebuild import ToldRuns, record_runs, told_runs  # noqa: PLC0415
    from swath.upkeep.removed_files import restore_removed  # noqa: PLC0415

    # a ledger of yesterday, restored, knows neither the products of today nor the runs that made them
    lacking = any(f.kind in UNRECORDED for f in found.findings)
    before = told_runs(store) if lacking else ToldRuns()
    with session("reconcile", master, output=store.root) as spark:
        tables = open_tables(spark, store, lock=lock)
        restore_removed(tables, store, run_id=run_id)
        mended = mend(spark, tables, store, found=found, run_id=run_id, site=Settings.of().site, made_by=before.made_by)
        runs = record_runs(tables, before, run_id=run_id) if lacking else ()
    told.say(
        f"repaired: {len(mended.adopted)} products and {len(runs)} runs recorded, {len(mended.sent_back)} sent back "
        f"(swath retry), {len(mended.catalogue)} catalogue files rewritten"
    )
    return [f for f in mended.left if f.kind != "orphan-file"]


def _rebuild(output: str, *, run_id: str, as_json: bool, master: str | None) -> None:
    """Make a lost ledger again.

    Raises:
        ConfigError: There is a ledger, or no product.
        AccountError: Some products have no row, because their files are not what their items say.
    """
    from swath.ledger.open import has_ledger, open_tables  # noqa: PLC0415
    from swath.upkeep.rebuild import rebuild, refuse_what_is_there  # noqa: PLC0415

    store = open_store(output if "://" in output else str(Path(output).absolute()), create=False)
    refuse_what_is_there(store, ledger=has_ledger(store))
    with telling() as told, session("rebuild", master, output=output) as spark, locked(store, run_id=run_id) as lock:
        done = rebuild(spark, open_tables(spark, store, lock=lock), store, run_id=run_id, site=Settings.of().site)
        gone = f"; {done.removed} versions stay removed" if done.removed else ""
        told.say(f"rebuilt: {len(done.mended.adopted)} products and {len(done.runs)} runs recorded{gone}")
        for line in (*done.unread, *map(str, done.mended.left)):
            told.say(line)
    if as_json:
        left = [f.plain() for f in done.mended.left]
        click.echo(
            json.dumps(
                {
                    "products": len(done.mended.adopted), "runs": list(done.runs), "removed": done.removed,
                    "unread": list(done.unread), "left": left,
                }
            )
        )  # fmt: skip
    broken = [f for f in done.mended.left if f.kind != "orphan-file"]
    if broken:
        msg = f"{output}: {len(broken)} products are not recorded: their files are not what their items say"
        raise AccountError(msg)


def _tell(found: "OutputComparison", told: Told) -> None:
    told.say(f"{found.products} products in the ledger, {found.files} files, {len(found.findings)} findings")
    for finding in found.findings[:_TOLD]:
        told.say(str(finding))


@click.command("export")
@click.argument("output")
@click.option("--to", "into", required=True, help="Where the Delta tables are or will be: a folder or s3://bucket/prefix.")
@json_option
@master_option
def export_command(*, output: str, into: str, as_json: bool, master: str | None) -> None:
    """Repeat in Delta tables what happened in OUTPUT's ledger in PostgreSQL since the last time."""
    from swath.ledger.delta import DeltaTables  # noqa: PLC0415
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.ledger.pg_tables import PgTables  # noqa: PLC0415

    store, name = existing(output), new_run_id()
    there = open_store(into if "://" in into else str(Path(into).absolute()))
    with telling() as told, session("export", master, output=there.root) as spark, locked(there, run_id=name) as lock:
        tables = open_tables(spark, store)
        if not isinstance(tables, PgTables):
            msg = f"the ledger of {output} is in Delta already: see {store.root}/tables"
            raise ConfigError(msg)
        changes = tables.export(DeltaTables(spark, there, lock=lock), target=there.root)
        told.say(f"{changes} changes repeated in {there.root}/tables")
    if as_json:
        click.echo(json.dumps({"changes": changes, "tables": f"{there.root}/tables"}))
