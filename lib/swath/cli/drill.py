"""``swath drill``: parts of an output are lost, on a copy, and made again."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.cli.output import existing, json_option, master_option, session
from swath.cli.progress import telling
from swath.errors import AccountError, ConfigError
from swath.report.text import size
from swath.runs.run_id import new_run_id
from swath.runs.told import Told
from swath.settings import Settings
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from swath.upkeep.drill import Loss


@click.command("drill")
@click.argument("output")
@click.option("--copy", "to", required=True, help="Empty folder, or s3://bucket/prefix, for the copy; it stays.")
@json_option
@master_option
def drill_command(*, output: str, to: str, as_json: bool, master: str | None) -> None:
    """Copy OUTPUT; on the copy lose ledger, catalogue and the newest run's rows, make them again and compare.

    OUTPUT itself is only read. Ends with 4 when something did not come back as it was.
    """
    from swath.ledger.open import open_tables  # noqa: PLC0415
    from swath.ledger.pg_tables import PgTables  # noqa: PLC0415
    from swath.upkeep.drill import NAMED, NOT_BACK, copy_output, drill  # noqa: PLC0415

    store, copy = existing(output), open_store(to if "://" in to else str(Path(to).absolute()))
    if f"{copy.root.rstrip('/')}/".startswith(f"{store.root.rstrip('/')}/"):
        msg = f"{to} is in {output}: a drill deletes in the copy, which must be somewhere else"
        raise ConfigError(msg)
    losses: list[Loss] = []
    with telling() as told, session("drill", master, output=copy.root) as spark:
        tables, copied = open_tables(spark, store), open_tables(spark, copy)
        told.say(f"copied {size(copy_output(store, copy))} to {to}")
        try:
            for loss in drill(spark, tables, store, copy=copy, copied=copied, run_id=new_run_id(), site=Settings.of().site):
                _tell(loss, told)
                losses.append(loss)
        finally:
            if isinstance(copied, PgTables):
                copied.forget()
        told.say(
            f"compared all but the columns {', '.join(NAMED)}; the next run brings back what it needs of {', '.join(NOT_BACK)}"
        )
    if as_json:
        click.echo(json.dumps({"losses": [asdict(loss) for loss in losses], "named": list(NAMED), "not_back": list(NOT_BACK)}))
    wrong = sum(len(loss.differences) for loss in losses)
    if wrong:
        msg = f"{output}: {wrong} things did not come back as they were; the copy in {to} has them"
        raise AccountError(msg)


def _tell(loss: "Loss", told: Told) -> None:
    verdict = "as before" if not loss.differences else f"{len(loss.differences)} differences"
    told.say(f"lost {loss.kind}: {loss.products} products back after {loss.seconds:.1f} s, {verdict}")
    for difference in loss.differences:
        told.say(f"  {difference}")
