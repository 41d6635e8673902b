"""What a command line asks of a run, checked without Spark. It loads no more than it needs: ``swath plan`` is asked often."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from swath.cli.catalog import target_of
from swath.cli.raster_options import rasters_of
from swath.config import ReadyPipeline, load_pipeline, prepare, with_settings
from swath.errors import ConfigError
from swath.inference.lock import ModelLock
from swath.inference.model_store import worker_cache
from swath.inference.registry import Registry
from swath.pipeline_file import PipelineFile
from swath.readers.discover import discover
from swath.readers.gate.terms import Terms
from swath.readers.stac.search import is_search, parse_search
from swath.runs.request import INTERNAL_LIMIT, Limits, RunRequest
from swath.runs.run_id import run_id_of
from swath.stores.registry import bucket_of, folder_of, open_store

LAPTOP = "laptop"
#: What an input begins with that is a queue of deliveries: ``sqs+https://sqs.REGION.amazonaws.com/ACCOUNT/NAME``.
QUEUE = "sqs+"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line says of a run."""

    pipeline: str
    inputs: tuple[str, ...]
    output: str
    site: str = LAPTOP
    settings: tuple[str, ...] = ()
    limit: int | None = None
    tile_size: int | None = None
    master: str | None = None
    run_id: str | None = None
    wave_products: int | None = None
    worker_memory_mb: int = Limits().memory_mb
    strip_seconds: float = Limits().seconds
    level: str | None = None
    trust_checksums: bool = False
    lock: Path | None = None
    internal_limit: int = INTERNAL_LIMIT
    dem: str | None = None
    dem_datum: str | None = None
    dem_geoid: str = ""
    dem_sea_level: bool = False
    rasters: tuple[str, ...] = ()
    catalog: str = field(default="", repr=False)
    catalog_base: str = ""


def request_of(options: RunOptions, *, create: bool = True) -> RunRequest:
    """Everything that can be checked without Spark is checked here.

    Args:
        options: What the command line says.
        create: Make the output's folder where it is not there, and see that it can be written; off for questions.

    Raises:
        ConfigError: Something is wrong with the pipeline, its models, the inputs or the output.
    """
    reach(options.site)
    run_id = run_id_of(options.run_id)
    # What takes no time is checked before models, whose registry may have to be asked.
    asked = asked_pipeline(options)
    check_inputs(options.inputs)
    there = not bucket_of(options.output) and folder_of(options.output).exists()
    open_store(options.output, create=create or there)
    pipeline = ready_pipeline(options, asked=asked)
    return RunRequest(
        run_id=run_id,
        pipeline=pipeline.plain,
        models=pipeline.models,
        inputs=tuple(absolute(i) for i in options.inputs),
        output=absolute(options.output),
        site=options.site,
        strip_rows=options.tile_size,
        limit=options.limit,
        wave_products=options.wave_products,
        limits=Limits(memory_mb=options.worker_memory_mb, seconds=options.strip_seconds),
        terms=Terms(level=options.level or "", trust_checksums=options.trust_checksums),
        catalogue=target_of(options.catalog, options.catalog_base),
        internal_limit=options.internal_limit,
        models_lock=pipeline.lock.to_text() if pipeline.models else "",
        notes=pipeline.notes,
    )


def is_drain(options: RunOptions) -> bool:
    """Whether the input is a queue.

    Raises:
        ConfigError: Something else is among the inputs too.
    """
    queues = [i for i in options.inputs if i.startswith(QUEUE)]
    if queues and len(options.inputs) > 1:
        msg = f"{queues[0]}: a queue is the only input of its run; the others are for a job of their own"
        raise ConfigError(msg)
    return bool(queues)


def reach(site: str) -> None:
    """Let this process reach the stores of a site.

    Raises:
        ConfigError: There is no such site, or something in it is wrong.
    """
    if site != LAPTOP:
        from swath.deploy.operate.reach import reach_site  # noqa: PLC0415  a laptop's folders need no site

        reach_site(site)


def absolute(place: str) -> str:
    """A URI as it is; a path from the root."""
    return place if "://" in place else str(Path(place).absolute())


def check_inputs(inputs: tuple[str, ...]) -> None:
    """Refuse what nothing can be made of, before Spark starts; a search is read, not made: its answer belongs to the run.

    Raises:
        ConfigError: An input does not exist, holds no scene, or is no search that we can make.
    """
    searches = [i for i in inputs if is_search(i)]
    for href in searches:
        parse_search(href)
    others = tuple(i for i in inputs if i not in searches)
    if not searches and next(discover(others), None) is None and not any("://" in i for i in others):
        msg = f"no scenes in {', '.join(others)}"
        raise ConfigError(msg)
    if searches:
        next(discover(others), None)


def asked_pipeline(options: RunOptions) -> PipelineFile:
    """The pipeline file with the command line's settings.

    Raises:
        ConfigError: There is none, it is wrong, or a setting names nothing in it.
    """
    return with_settings(load_pipeline(options.pipeline), options.settings)


def ready_pipeline(options: RunOptions, *, asked: PipelineFile) -> ReadyPipeline:
    """A pipeline file with the command line's settings, checked, its models pinned.

    Raises:
        ConfigError: Something is wrong with it, with a model, or with the lock.
    """
    lock = ModelLock.read(options.lock) if options.lock is not None else None
    rasters = rasters_of(
        options.site, dem=options.dem, datum=options.dem_datum, geoid=options.dem_geoid, sea_level=options.dem_sea_level,
        others=options.rasters,
    )  # fmt: skip
    return prepare(asked, registry=replace(registry_of(options), lock=lock), rasters=rasters)


def registry_of(options: RunOptions) -> Registry:
    """The registry of a run: beside its output, unless the environment names another."""
    if bucket_of(options.output):
        return replace(Registry.beside(Path.cwd()), cache=worker_cache())
    return Registry.beside(folder_of(options.output))
