"""The arguments of ``jobs/process.py``: the command line of ``swath run``, the same at every site."""

from collections.abc import Iterator

from swath.deploy.render.cores import most_cores
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.inputs import DEM, RasterSource
from swath.wave_width import wave_width


def arguments(job: JobSpec, *, site: Site, run_id: str) -> tuple[str, ...]:
    """Arguments of one run.

    ``--quarantine-ok``: clusters take any exit code but 0 for a failed job and run it again. ``--run-id``: a restart
    reads the stored plan and never plans again. What happened is in OUT/reports/<run_id>.json.

    Raises:
        ConfigError: The site has no store that the job names.
    """
    return tuple(_words(job, site=site, run_id=run_id))


def _words(job: JobSpec, *, site: Site, run_id: str) -> Iterator[str]:
    yield job.pipeline
    for uri in job.inputs:
        yield from ("--input", site.resolve(uri))
    yield from ("--output", site.resolve(job.output))
    yield from ("--site", site.site)
    yield from ("--run-id", run_id)
    yield "--quarantine-ok"
    yield "--json"
    yield from ("--worker-memory-mb", str(job.resources.child.mib))
    if job.limit is not None:
        yield from ("--limit", str(job.limit))
    if job.tile_size is not None:
        yield from ("--tile-size", str(job.tile_size))
    width = _wave_products(job, site=site)
    if width is not None:
        yield from ("--wave-products", str(width))
    if job.level is not None:
        yield from ("--level", job.level)
    if job.trust_checksums:
        yield "--trust-checksums"
    for name, source in sorted(site.raster_sources().items()):
        yield from _raster_words(name, source)
    for step, pin in sorted(job.models.items()):
        yield from ("--set", f"{step}.model={pin}")
    for key, value in sorted(job.settings.items()):
        yield from ("--set", f"{key}={str(value).lower() if isinstance(value, bool) else value}")


def _raster_words(name: str, source: RasterSource) -> Iterator[str]:
    """A pod does not have the site's file: what it says of rasters travels as arguments."""
    if name != DEM:
        yield from ("--raster", f"{name}={source.path}")
        return
    yield from ("--dem", source.path, "--dem-datum", source.datum)
    if source.geoid:
        yield from ("--dem-geoid", source.geoid)
    if source.sea_level:
        yield "--dem-sea-level"


def _wave_products(job: JobSpec, *, site: Site) -> int | None:
    """The job's own, or the width that fits the cluster; None on one machine, which knows its own cores."""
    cores = most_cores(job.resources, site=site)
    return job.wave_products or (None if cores is None else wave_width(cores))


def output_of(job: JobSpec, *, site: Site) -> str:
    """Where the run writes."""
    return site.resolve(job.output)
