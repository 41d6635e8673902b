"""``swath check``: what a pipeline promises, seen on a scene."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.cli.progress import telling
from swath.cli.run import EXIT_QUARANTINED
from swath.cli.run_request import RunOptions, asked_pipeline, ready_pipeline
from swath.errors import ConfigError, SceneError
from swath.readers.discover import discover
from swath.runs.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath.runs.seams import SeamCheck

EXIT_SEAM = 1


@click.group("check")
def check_group() -> None:
    """Checks of a pipeline on scenes: seams."""


@check_group.command("seams")
@click.argument("pipeline")
@click.option("--input", "inputs", multiple=True, required=True, help="Scene, list, STAC record, or folder of these.")
@click.option("--set", "settings", multiple=True, metavar="STEP.PARAM=VALUE", help="Set a step's parameter.")
@click.option("--limit", type=click.IntRange(min=1), help="Largest number of scenes to check.")
@click.option(
    "--tile-size", "heights", type=click.IntRange(min=1), multiple=True,
    help="Strip height to compare, twice or more; by default a run's own and another legal one.",
)  # fmt: skip
@click.option("--output", default="", help="Output whose models/ holds the registry when MLFLOW_TRACKING_URI names none.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, last.")
def seams_command(
    *,
    pipeline: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    limit: int | None,
    heights: tuple[int, ...],
    output: str,
    as_json: bool,
) -> None:
    """Make PIPELINE of each scene in two tilings or more, without Spark, and tell the first pixel of each asset that differs.

    Exit: 0 no pixel differs, 1 one does, 2 nothing was compared, 3 a scene is unusable.
    """
    if len(heights) == 1:
        msg = f"--tile-size {heights[0]} alone cannot be compared: expected two heights or more, or none"
        raise ConfigError(msg)
    refused: list[SceneError] = []
    with telling() as told, tempfile.TemporaryDirectory(prefix="swath-seams-") as folder:
        # Without an output, what is pinned goes where everything else goes.
        home = output or folder
        options = RunOptions(pipeline=pipeline, inputs=inputs, output=home, settings=settings, limit=limit)
        checks = []
        for check in _checks(options, folder=Path(folder), heights=heights, refused=refused):
            _tell(check, told)
            checks.append(check)
        for error in refused:
            told.say(f"refused: {error}")
    if as_json:
        told_refused = [{"scene_id": e.scene_id, "error": e.error_class, "message": str(e)} for e in refused]
        click.echo(json.dumps({"pipeline": pipeline, "scenes": [c.plain() for c in checks], "refused": told_refused}))
    if any(c.seams for c in checks):
        raise SystemExit(EXIT_SEAM)
    if refused:
        raise SystemExit(EXIT_QUARANTINED)
    if not any(c.compared for c in checks):
        sizes = "; ".join(f"{c.scene_id}: {c.tilings[0].told}" for c in checks) or "no scene was read"
        msg = f"nothing was compared: every cut that was asked for gives the same pieces ({sizes}); expected a larger scene"
        raise ConfigError(msg)


def _checks(options: RunOptions, *, folder: Path, heights: tuple[int, ...], refused: list[SceneError]) -> "Iterator[SeamCheck]":
    """Check scene after scene, each in a folder that goes when it is done; unusable scenes are put aside."""
    from swath.runs.seams import check_seams  # noqa: PLC0415  loads the engine

    ready = ready_pipeline(options, asked=asked_pipeline(options))
    for number, href in enumerate(discover(options.inputs, scratch=str(folder))):
        if number == options.limit:
            return
        with tempfile.TemporaryDirectory(dir=folder) as room:
            try:
                check = check_seams(href, ready.plain, models=ready.models, folder=Path(room), heights=heights)
            except SceneError as error:
                refused.append(error)
                continue
        yield check


def _tell(check: "SeamCheck", told: Told) -> None:
    cuts = " and ".join(t.told for t in check.tilings)
    if not check.compared:
        told.say(f"{check.scene_id}: can be cut in one way only, {cuts}: nothing was compared")
        return
    verdict = f"{len(check.seams)} depend on the cut" if check.seams else "equal"
    told.say(f"{check.scene_id}: {check.assets} assets in {cuts}: {verdict}")
    for seam in check.seams:
        told.say(f"{check.scene_id}: {seam}")
