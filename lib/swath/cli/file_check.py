"""What is wrong with a file of a user: each kind has a check of its own."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click
import yaml

from swath.errors import ConfigError
from swath.settings import Settings


def problems_of(file: Path) -> list[str]:
    """What is wrong with ``file``; empty when nothing is.

    Raises:
        ConfigError: It cannot be read as what it is, or one thing is so wrong that the rest is not looked at.
    """
    check: Callable[[Path], list[str]] = _CHECKS.get(file.suffix.lower(), _stac)
    return check(file)


def _yaml(file: Path) -> list[str]:
    keys = _keys(file)
    if keys & {"site", "job"}:
        from swath.deploy.site.files import validate  # noqa: PLC0415  what most files are not

        validate(file)
    elif "features" in keys:
        from swath.training.recipe import TrainingRecipe  # noqa: PLC0415  the same

        TrainingRecipe.read(file)
    elif keys & {"core_hour", "currency"}:
        from swath.runs.prices import read_prices  # noqa: PLC0415  the same

        read_prices(file)
    elif "composite" in keys:
        from swath.stack.file import read_recipe  # noqa: PLC0415  the same

        read_recipe(file)
    else:
        from swath.config import check, load_pipeline  # noqa: PLC0415  the same

        check(load_pipeline(str(file)))
    return []


def _keys(file: Path) -> set[str]:
    """Top-level keys; none of what is no YAML, which the check of pipelines then says."""
    try:
        loaded: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return set()
    return {str(key) for key in loaded} if isinstance(loaded, Mapping) else set()


def _python(file: Path) -> list[str]:
    from swath.steps.file import problems_of_file  # noqa: PLC0415  needs NumPy

    return problems_of_file(file)


def _raster(file: Path) -> list[str]:
    from swath.sinks.cog.validate import problems_of as problems_of_raster  # noqa: PLC0415  needs GDAL

    return problems_of_raster(file)


def _stac(file: Path) -> list[str]:
    try:
        loaded = json.loads(file.read_bytes())
    except ValueError as error:
        kinds = "YAML (.yaml: pipeline, composite, job, site, recipe), Python (.py: steps), a COG (.tif) or STAC (JSON)"
        return [f"expected {kinds}; got what is not JSON: {error}"]
    from swath.sinks.stac.validate import StacValidator  # noqa: PLC0415  an extra of the package

    validator = StacValidator(Settings.of().stac_schemas)
    try:
        found = validator.validate(loaded)
    except ConfigError as error:
        return [str(error)]
    for schema in found.unchecked:
        click.echo(f"{file}: not checked against {schema}: no schema at hand (SWATH_STAC_SCHEMAS names a folder)")
    return [f"{f.where}: {f.message} ({f.schema})" for f in found.findings]


_CHECKS: Final[Mapping[str, Callable[[Path], list[str]]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".py": _python,
    ".tif": _raster,
    ".tiff": _raster,
}
