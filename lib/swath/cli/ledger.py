"""``swath retry`` and ``reproduce``: what the ledger is good for."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swath.cli.catalog import catalog_options, target_of
from swath.cli.columns import show
from swath.cli.internal_limit import internal_limit_option
from swath.cli.output import existing, json_option, master_option, session
from swath.cli.progress import telling
from swath.cli.run import exit_code
from swath.errors import AccountError, ConfigError
from swath.report.text import lines
from swath.runs.request import Limits
from swath.runs.run_id import new_run_id
from swath.runs.told import Told
from swath.stores.base import Store
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from swath.report.summary import RunSummary
    from swath.runs.reproduce import Reproduction
    from swath.spark.start.session import SparkSession


def _limits(command: Callable[..., Any]) -> Callable[..., Any]:
    memory = click.option(
        "--worker-memory-mb", type=click.IntRange(min=128), default=Limits().memory_mb, show_default=True,
        help="Memory limit of a worker's child.",
    )  # fmt: skip
    seconds = click.option(
        "--strip-seconds",
        type=click.FloatRange(min=1),
        default=Limits().seconds,
        show_default=True,
        help="Time limit of one strip.",
    )
    return memory(seconds(command))


@click.command("retry")
@click.argument("output")
@click.option("--error", "errors", multiple=True, metavar="CLASS", help="Only scenes of this error class; repeatable.")
@click.option("--pipeline", help="Only scenes of this pipeline.")
@click.option("--run-id", help="Name of the run.")
@click.option("--quarantine-ok", is_flag=True, help="Exit 0 although scenes were quarantined again.")
@_limits
@internal_limit_option
@catalog_options
@json_option
@master_option
def retry_command(*, output: str, quarantine_ok: bool, as_json: bool, master: str | None, **asked: Any) -> None:
    """Process the quarantined scenes and composites of OUTPUT again, with the parameters of their first run."""
    store = existing(output)
    limits = Limits(memory_mb=asked["worker_memory_mb"], seconds=asked["strip_seconds"])
    catalogue = target_of(asked["catalog"], asked["catalog_base"])
    which = {"errors": asked["errors"], "pipeline": asked["pipeline"], "run_id": asked["run_id"] or new_run_id()}
    changed = {"limits": limits, "catalogue": catalogue, "internal_limit": asked["internal_limit"]}
    with telling() as told, session("retry", master, output=output) as spark:
        summaries = retry(spark, store, **which, **changed, told=told)
        for summary in summaries:
            for line in lines(summary):
                told.say(line)
        if not summaries:
            told.say("no quarantined scene matches")
    if as_json:
        click.echo(json.dumps({"runs": [json.loads(s.to_json()) for s in summaries]}))
    raise SystemExit(max((exit_code(s, quarantine_ok=quarantine_ok) for s in summaries), default=0))


def retry(
    spark: "SparkSession",
    store: Store,
    *,
    errors: tuple[str, ...] = (),
    pipeline: str | None = None,
    run_id: str,
    told: Told,
    **changed: Any,
) -> "list[RunSummary]":
    """Run every retry that fits; a summary each.

    Args:
        spark: The session.
        store: The output.
        errors: Classes of errors; all without one.
        pipeline: Name of the pipeline; None for any.
        run_id: Id of the first retry.
        told: Hears of the progress.
        changed: Fields of the requests that are the retry's own.

    Raises:
        SwathError: See ``Run.execute``.
    """
    from swath.composites.perform import perform as perform_composites  # noqa: PLC0415
    from swath.composites.retry import find_composite_retries  # noqa: PLC0415
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.runs.perform import perform  # noqa: PLC0415
    from swath.runs.retry import failed, find_retries, wanted  # noqa: PLC0415

    tables = open_tables(spark, store)
    rows = failed(tables, rows=wanted(tables, error_classes=errors, pipeline=pipeline))
    scenes = [replace(r.request, **changed) for r in find_retries(rows, store, run_id=run_id)]
    of_scenes_alone = {"internal_limit"}
    changed = {name: value for name, value in changed.items() if name not in of_scenes_alone}
    composites = [replace(r, **changed) for r in find_composite_retries(rows, store, run_id=run_id, after=len(scenes))]
    made = [perform(spark, r, told=told) for r in scenes]
    return made + [perform_composites(spark, r, told=told) for r in composites]


@click.command("reproduce")
@click.argument("item")
@click.option("--into", type=click.Path(file_okay=False), help="Keep what is made in this folder.")
@_limits
@json_option
@master_option
def reproduce_command(
    *, item: str, into: str | None, worker_memory_mb: int, strip_seconds: float, as_json: bool, master: str | None
) -> None:
    """Make the product of ITEM (its JSON file in an output) again from its record, and compare the checksums."""
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.ledger.provenance import provenance_of, split_item  # noqa: PLC0415
    from swath.runs.reproduce import reproduce  # noqa: PLC0415

    output, path = split_item(item if "://" in item else str(Path(item).absolute()))
    store = existing(output)
    limits = Limits(memory_mb=worker_memory_mb, seconds=strip_seconds)
    with telling() as told, session("reproduce", master, output=output) as spark, tempfile.TemporaryDirectory() as aside:
        found = provenance_of(open_tables(spark, store), store, item=path)
        told.say(f"making {found.product['product_id']} again from {found.href}")
        done = reproduce(spark, found, into=_fresh(into or aside), limits=limits, progress=told.stage)
    if as_json:
        click.echo(json.dumps(done.plain()))
    else:
        _show_reproduction(done)
    if not done.same:
        msg = f"{done.product_id} was not reproduced: {sum(a.verdict != 'same' for a in done.assets)} assets differ"
        raise AccountError(msg)


def _fresh(folder: str) -> Store:
    store = open_store(str(Path(folder).absolute()))
    if next(store.list(""), None) is not None:
        msg = f"{folder} is not empty: a product is made again into a folder of its own; choose another --into"
        raise ConfigError(msg)
    return store


def _show_reproduction(done: "Reproduction") -> None:
    rows = [(asset.name, asset.verdict, asset.then[:16], asset.now[:16]) for asset in done.assets]
    show(("asset", "verdict", "sha256 then", "sha256 now"), rows, form=None)
