"""``swath composite``: also the contract of jobs/composite.py."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from swath.cli.catalog import catalog_options, target_of
from swath.cli.output import session
from swath.cli.progress import telling
from swath.cli.run import finish
from swath.cli.run_request import LAPTOP, absolute, check_inputs, reach
from swath.cli.vouched import vouching_options
from swath.errors import ConfigError
from swath.readers.gate.terms import Terms
from swath.report.summary import RunSummary
from swath.runs.request import Limits
from swath.runs.run_id import run_id_of
from swath.runs.told import Told
from swath.shipped import find_composite
from swath.stack.file import read_recipe
from swath.stack.periods import periods_of
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from swath.composites.request import CompositeRequest
    from swath.spark.start.session import SparkSession

_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeOptions:
    """What the command line says."""

    pipeline: str
    inputs: tuple[str, ...]
    output: str
    period: str
    every: str | None = None
    aoi: str | None = None
    strict: bool = False
    site: str = LAPTOP
    settings: tuple[str, ...] = ()
    tile_size: int | None = None
    master: str | None = None
    run_id: str | None = None
    wave_products: int = 8
    worker_memory_mb: int = Limits().memory_mb
    strip_seconds: float = Limits().seconds
    level: str | None = None
    trust_checksums: bool = False
    catalog: str = field(default="", repr=False)
    catalog_base: str = ""


def request_of(options: CompositeOptions) -> "CompositeRequest":
    """Everything that can be checked without Spark is checked here.

    Raises:
        ConfigError: Something is wrong with the pipeline, the period, the area, the inputs or the output.
    """
    from swath.composites.area import area_of  # noqa: PLC0415  a second of imports
    from swath.composites.find import product_folder  # noqa: PLC0415
    from swath.composites.request import CompositeRequest  # noqa: PLC0415

    reach(options.site)
    run_id = run_id_of(options.run_id)
    if options.tile_size is not None and options.tile_size % _BLOCK:
        msg = f"a strip height of {options.tile_size} rows would cut a block; legal here: multiples of {_BLOCK}"
        raise ConfigError(msg)
    recipe = read_recipe(find_composite(options.pipeline), settings=options.settings)
    periods = periods_of(options.period, every=options.every)
    check_inputs(tuple(product_folder(given) for given in options.inputs))
    open_store(options.output)
    return CompositeRequest(
        run_id=run_id,
        recipe=recipe,
        inputs=tuple(absolute(i) for i in options.inputs),
        output=absolute(options.output),
        periods=periods,
        aoi=area_of(options.aoi) if options.aoi else None,
        strict=options.strict,
        site=options.site,
        strip_rows=options.tile_size,
        limits=Limits(memory_mb=options.worker_memory_mb, seconds=options.strip_seconds),
        terms=Terms(level=options.level or "", trust_checksums=options.trust_checksums),
        wave_products=options.wave_products,
        catalogue=target_of(options.catalog, options.catalog_base),
    )


def execute(options: CompositeOptions, *, told: Told, spark: "SparkSession | None" = None) -> RunSummary:
    """Perform what the command line asks for.

    Raises:
        SwathError: See ``request_of`` and ``CompositeRun.execute``.
    """
    request = request_of(options)
    from swath.composites.perform import perform  # noqa: PLC0415  a second of imports

    with session(request.recipe.name, options.master, output=request.output, given=spark) as own:
        return perform(own, request, told=told)


@click.command("composite")
@click.argument("pipeline")
@click.option("--input", "inputs", multiple=True, required=True, help="Output of swath, item, item collection, search, folder.")
@click.option("--output", required=True, help="Folder or s3:// prefix for products, tables and reports.")
@click.option("--period", required=True, metavar="FIRST/LAST", help="Such as 2024, 2024-01/2024-12, 2024-06-01/2024-06-30.")
@click.option("--every", metavar="10D|1M|1Y", help="Length of each composite's period; one composite when left out.")
@click.option("--aoi", metavar="GEOJSON|W,S,E,N", help="Tiles that touch this area; all where sources are when left out.")
@click.option("--strict", is_flag=True, help="Refuse a composite when a source cannot be used, instead of leaving it out.")
@click.option("--site", default="laptop", show_default=True, envvar="SWATH_SITE", help="Name or file of a site.")
@click.option("--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="Such as grid.tile_px=2048.")
@click.option("--tile-size", type=click.IntRange(min=1), help="Strip height in rows, a multiple of 512.")
@click.option("--master", help="Spark master; spark-submit's own, otherwise local[*,4].")
@click.option("--run-id", help="Name of the run; a known one continues its stored plan.")
@click.option(
    "--wave-products", type=click.IntRange(min=1), default=8, show_default=True, help="Composites that commit together."
)
@click.option(
    "--worker-memory-mb",
    envvar="SWATH_CHILD_MEMORY_MIB",
    type=click.IntRange(min=128),
    default=Limits().memory_mb,
    show_default=True,
    help="Memory limit of a worker's child.",
)
@click.option(
    "--strip-seconds", type=click.FloatRange(min=1), default=Limits().seconds, show_default=True, help="Time limit of one strip."
)
@vouching_options
@catalog_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, last.")
@click.option("--quarantine-ok", is_flag=True, help="Exit 0 although sources or composites were quarantined.")
def composite_command(*, as_json: bool, quarantine_ok: bool, **options: Any) -> None:
    """Make composites of PIPELINE (a name in conf/composites or a YAML file) from Level-2 products."""
    with telling() as told:
        summary = execute(CompositeOptions(**options), told=told)
    finish(summary, told=told, as_json=as_json, quarantine_ok=quarantine_ok)
