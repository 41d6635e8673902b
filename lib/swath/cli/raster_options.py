"""Options that name the rasters of a site, shared by the commands that make products."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args

import click

from swath.errors import ConfigError
from swath.inputs import DEM, Datum, RasterSource
from swath.names import NAME_RULE, name_problem

_LAPTOP = "laptop"
_DATUMS = [datum for datum in get_args(Datum) if datum != "none"]


def raster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--dem``, ``--dem-datum``, ``--dem-geoid``, ``--dem-sea-level`` and ``--raster``."""
    for option in reversed(
        [
            click.option("--dem", help="Elevation: a raster, a VRT, a folder or s3:// prefix of tiles, or a STAC collection."),
            click.option("--dem-datum", type=click.Choice(_DATUMS), help="Datum of the elevation's heights."),
            click.option("--dem-geoid", default="", help="Raster of the geoid above the ellipsoid; PROJ's own by default."),
            click.option("--dem-sea-level", is_flag=True, help="Treat places without a tile as sea."),
            click.option("--raster", "rasters", multiple=True, metavar="NAME=PATH", help="Another raster that steps need."),
        ]
    ):
        command = option(command)
    return command


def rasters_of(
    site: str, *, dem: str | None, datum: str | None, geoid: str, sea_level: bool, others: tuple[str, ...]
) -> dict[str, RasterSource]:
    """Rasters by name: those of the site, and those of the command line before them.

    Args:
        site: Name or file of the site.
        dem: Place of the elevation; None for the site's.
        datum: Datum of the heights.
        geoid: Raster of the geoid.
        sea_level: Whether places without a tile are sea.
        others: ``NAME=PATH`` of other rasters.

    Raises:
        ConfigError: A datum is missing, a raster has no name, or the site's file is wrong.
    """
    found = _of_site(site)
    if dem is not None:
        if datum is None:
            why = "heights above a geoid are tens of metres off those above the ellipsoid"
            msg = f"--dem {dem}: give --dem-datum ({', '.join(_DATUMS)}): {why}"
            raise ConfigError(msg)
        found[DEM] = RasterSource.from_plain(
            {"path": _absolute(dem), "datum": datum, "geoid": _absolute(geoid), "sea_level": sea_level}
        )
    elif datum or geoid or sea_level:
        msg = "--dem-datum, --dem-geoid and --dem-sea-level say how to read an elevation: give --dem too"
        raise ConfigError(msg)
    found |= dict(_named(text) for text in others)
    _check(found.values())
    return found


def _of_site(site: str) -> dict[str, RasterSource]:
    if site == _LAPTOP:
        return {}
    from swath.deploy.site.files import load_site  # noqa: PLC0415  folders need no site

    return load_site(site).raster_sources()


def _check(sources: Iterable[RasterSource]) -> None:
    """Refuse what is not there before anything runs."""
    for source in sources:
        from swath.readers.elevation.model import elevation_of, open_tiles  # noqa: PLC0415  most runs have no raster

        _ = open_tiles(source.path) if source.datum == "none" else elevation_of(source)


def _named(text: str) -> tuple[str, RasterSource]:
    name, equals, path = text.partition("=")
    problem = name_problem(name)
    if not equals or not path or problem or name == DEM:
        why = "give --dem for the elevation" if name == DEM else f"NAME is {NAME_RULE}"
        msg = f"--raster {text}: expected NAME=PATH; {why}"
        raise ConfigError(msg)
    return name, RasterSource(path=_absolute(path))


def _absolute(path: str) -> str:
    """Workers have another working folder."""
    return path if "://" in path or not path else str(Path(path).absolute())
