"""``swath ingest``: also the contract of jobs/ingest.py."""

import json
from typing import Any

import click

from swath.cli.internal_limit import internal_limit_option
from swath.cli.output import session
from swath.cli.progress import telling
from swath.cli.run import EXIT_QUARANTINED
from swath.cli.vouched import vouching_options
from swath.readers.gate.terms import Terms
from swath.report.summary import reason_of
from swath.report.text import plain
from swath.runs.request import Limits
from swath.runs.run_id import new_run_id


@click.command("ingest")
@click.option("--input", "inputs", multiple=True, required=True, help="Scene, list, STAC record or search, or folder of these.")
@click.option("--output", required=True, help="Folder or s3:// prefix with the tables.")
@click.option("--limit", type=click.IntRange(min=1), help="Largest number of scenes to take.")
@vouching_options
@internal_limit_option
@click.option("--master", help="Spark master.")
@click.option("--run-id", help="Name of the run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, last.")
@click.option("--quarantine-ok", is_flag=True, help="Exit 0 although scenes were quarantined.")
def ingest_command(
    *,
    inputs: tuple[str, ...],
    output: str,
    limit: int | None,
    master: str | None,
    run_id: str | None,
    as_json: bool,
    quarantine_ok: bool,
    **vouched: Any,
) -> None:
    """Discover scenes, read their metadata, take their digests, and add the new ones to the scenes table."""
    from swath.runs.ingest import IngestRequest  # noqa: PLC0415  a second of imports
    from swath.runs.ingest_job import ingest_job  # noqa: PLC0415

    terms = Terms(level=vouched["level"] or "", trust_checksums=vouched["trust_checksums"])
    request = IngestRequest(
        run_id=run_id or new_run_id(),
        inputs=inputs,
        limit=limit,
        limits=Limits(),
        terms=terms,
        internal_limit=vouched["internal_limit"],
    )
    with telling() as told:
        with session("ingest", master, output=output) as spark:
            done = ingest_job(spark, request, output=output, say=told.say, progress=told.stage)
        told.say(
            f"{done.found} scenes found = {done.added} added + {done.known} known + {done.duplicate} duplicate"
            f" + {len(done.refused)} quarantined"
        )
        for text in done.replaced:
            told.say(plain(text))
        for scene, error, message, _ in done.refused:
            told.say(f"quarantined {plain(scene)} ({error}): {plain(reason_of(message, scene_id=scene))}")
    if as_json:
        click.echo(json.dumps(done.plain()))
    raise SystemExit(EXIT_QUARANTINED if done.refused and not quarantine_ok else 0)
