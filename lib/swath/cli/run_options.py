"""The options of a run on the command line."""

from collections.abc import Callable
from typing import Any

import click

from swath.cli.catalog import catalog_options
from swath.cli.internal_limit import internal_limit_option
from swath.cli.locked import lock_option
from swath.cli.raster_options import raster_options
from swath.cli.vouched import vouching_options
from swath.runs.request import Limits
from swath.wave_width import LEAST, MOST


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `run` and `plan` share."""
    command = raster_options(lock_option(internal_limit_option(vouching_options(catalog_options(command)))))
    for option in reversed(
        [
            click.argument("pipeline"),
            click.option(
                "--input", "inputs", multiple=True, required=True, help="Scene, list, STAC record, folder of these, queue."
            ),
            click.option("--output", required=True, help="Folder or s3:// prefix for products, tables and reports."),
            click.option("--site", default="laptop", show_default=True, envvar="SWATH_SITE", help="Name or file of a site."),
            click.option("--set", "settings", multiple=True, metavar="STEP.PARAM=VALUE", help="Set a step's parameter."),
            click.option("--limit", type=click.IntRange(min=1), help="Largest number of scenes to take."),
            click.option("--tile-size", type=click.IntRange(min=1), help="Strip height in rows at the reference resolution."),
            click.option("--master", help="Spark master; spark-submit's own, otherwise local[*,4]."),
            click.option("--run-id", help="Name of the run; a known one continues its stored plan."),
            click.option(
                "--wave-products",
                type=click.IntRange(min=1, max=MOST),
                help=f"Most products that commit together; by default 3 times the cores, {LEAST} to {MOST}.",
            ),
            click.option(
                "--worker-memory-mb",
                envvar="SWATH_CHILD_MEMORY_MIB",
                type=click.IntRange(min=128),
                default=Limits().memory_mb,
                show_default=True,
                help="Memory limit of a worker's child.",
            ),
            click.option(
                "--strip-seconds",
                type=click.FloatRange(min=1),
                default=Limits().seconds,
                show_default=True,
                help="Time limit of one strip.",
            ),
        ]
    ):
        command = option(command)
    return command
