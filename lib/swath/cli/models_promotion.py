"""``swath models promote``, ``rollback`` and ``promotions``: which version an alias means, and since when."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swath.cli.columns import form_option, show
from swath.cli.models_options import FORCE, OUTPUT, SAMPLES, tell
from swath.inference.promotion import promotions_of, roll_back
from swath.inference.registry import Registry

_COLUMNS = ("at", "name", "version", "alias", "basis", "before", "difference", "by", "reason", "digest")
_ALIAS = click.option("--alias", default="production", show_default=True, help="Alias to give to this version.")


@click.command("promote")
@click.argument("name")
@click.argument("version")
@_ALIAS
@SAMPLES
@click.option(
    "--worse-by", type=click.FloatRange(min=0), default=0.01, show_default=True, help="Largest allowed fall of macro F1."
)
@click.option(
    "--recall-worse-by",
    type=click.FloatRange(min=0),
    default=0.03,
    show_default=True,
    help="Largest allowed fall of any class's recall.",
)
@click.option(
    "--calibration-worse-by",
    type=click.FloatRange(min=0),
    default=0.02,
    show_default=True,
    help="Largest allowed rise of the calibration error.",
)
@FORCE
@OUTPUT
def promote_command(  # noqa: PLR0913  the options of a command
    *, name: str, version: str, alias: str, samples: Path | None, worse_by: float, recall_worse_by: float,
    calibration_worse_by: float, forced: str, output: Path,
) -> None:  # fmt: skip
    """Point an alias of NAME at VERSION, if it is no worse than the version that has the alias.

    Both are judged on frozen samples, which neither has learned. Runs that are planned from now on use VERSION; the version
    before keeps the alias `previous`.
    """
    from swath.training.candidate import ModelCandidate, give_alias  # noqa: PLC0415  rasterio and pandas: only where models are judged
    from swath.training.gate import Bounds  # noqa: PLC0415  as above

    bounds = Bounds(macro_f1=worse_by, recall=recall_worse_by, calibration=calibration_worse_by)
    candidate = ModelCandidate(name=name, version=version, alias=alias, samples=samples, bounds=bounds, forced=forced)
    tell(give_alias(Registry.beside(output), candidate, say=click.echo))


@click.command("rollback")
@click.argument("name")
@click.option("--alias", default="production", show_default=True, help="Alias to roll back.")
@click.option("--because", "reason", default="no reason given", help="Reason; recorded.")
@OUTPUT
def rollback_command(*, name: str, alias: str, reason: str, output: Path) -> None:
    """Give an alias of NAME back to the version that had it before."""
    tell(roll_back(Registry.beside(output), name, alias=alias, reason=reason))


@click.command("promotions")
@click.argument("name", default="")
@OUTPUT
@form_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the numbers of each comparison.")
def promotions_command(*, name: str, output: Path, form: str | None, as_json: bool) -> None:
    """List who moved an alias of NAME, or of any model, when, why and on which numbers; the oldest first."""
    rows = promotions_of(Registry.beside(output), name)
    if as_json:
        click.echo(json.dumps([{**r, "at": r["at"].isoformat(), "numbers": json.loads(r["numbers"])} for r in rows]))
        return
    show(_COLUMNS, [tuple(_cell(r, c) for c in _COLUMNS) for r in rows], form=form)


def _cell(row: Mapping[str, Any], column: str) -> str:
    if column == "difference":
        found = json.loads(row["numbers"]).get("macro_f1_difference")
        return "" if found is None else f"{found:+.4f}"
    value = row[column]
    return value.isoformat(timespec="seconds") if column == "at" else str(value)[:12] if column == "digest" else str(value)
