"""``swath plan``: what a run would make, its tasks, memory and time. Nothing is made."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from swath.cli.progress import telling
from swath.cli.run import RunOptions, request_of, run_options
from swath.report.text import size


@click.command("plan")
@run_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def plan_command(*, as_json: bool, **options: Any) -> None:
    """Say what `swath run` with the same arguments would make, without making it."""
    asked = RunOptions(**options)
    with telling() as told:
        told.say("reading the metadata and taking the digests of the inputs")
        found = _planned(asked)
    if as_json:
        click.echo(json.dumps(found))
        return
    _show(found)


def _planned(asked: RunOptions) -> dict[str, Any]:
    from pyspark.sql import functions as F  # noqa: PLC0415  a second of imports

    from swath.sinks.delta import Tables  # noqa: PLC0415
    from swath.spark.estimate import estimate, refuse_what_cannot_fit, totals  # noqa: PLC0415
    from swath.spark.plan import MAKE, load_or_make_plan  # noqa: PLC0415
    from swath.spark.session import build_session, stop_session  # noqa: PLC0415
    from swath.stores.registry import open_store  # noqa: PLC0415

    request = request_of(asked)
    spark = build_session(app="swath plan", master=asked.master)
    try:
        with tempfile.TemporaryDirectory() as aside:
            # The plan of a look must not become the plan of a run: everything is written aside, the ledger is read.
            ledger = Tables(spark, open_store(request.output))
            store = open_store(str(Path(aside)))
            rows = load_or_make_plan(spark, store, request=replace(request, output=aside), tables=ledger, remembering=False)
            counts = {r["status"]: r["count"] for r in rows.groupBy("status").count().collect()}
            estimates = [estimate(r, request) for r in rows.filter(F.col("status") == MAKE).limit(100_000).collect()]
            refused = rows.filter(F.col("error_class").isNotNull()).select("scene_id", "href", "message").limit(1000).collect()
            cores = spark.sparkContext.defaultParallelism
    finally:
        stop_session(spark)
    refuse_what_cannot_fit(estimates, request)
    return {
        "pipeline": request.pipeline["name"],
        "status": counts,
        **totals(estimates, cores=cores),
        "product_ids": [e.product_id for e in estimates],
        "refused": [{"scene_id": r["scene_id"] or r["href"], "message": r["message"]} for r in refused],
    }


def _show(found: dict[str, Any]) -> None:
    table = Table("", "", show_header=False)
    status = found["status"]
    table.add_row("to make", str(status.get("make", 0)))
    table.add_row("already there", str(status.get("made", 0)))
    table.add_row("given twice", str(status.get("duplicate", 0)))
    table.add_row("refused", str(status.get("refused", 0)))
    table.add_row("tasks", str(found["tasks"]))
    table.add_row("files", f"{found['assets']}, {size(found['bytes_at_most'])} before compression")
    table.add_row("memory of a worker", f"about {found['peak_mb_per_worker']} MiB")
    table.add_row("time", f"about {found['wall_s']} s ({found['cpu_s']} CPU s)")
    console = Console()
    console.print(table)
    for refusal in found["refused"]:
        console.print(f"would be quarantined: {refusal['scene_id']}: {refusal['message']}", markup=False, highlight=False)
