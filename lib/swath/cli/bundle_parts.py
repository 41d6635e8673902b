"""Options of ``swath bundle make``: what a bundle is made of."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from swath.deploy.bundle.wanted import Wanted, read_pins
from swath.deploy.site.files import load_job, load_site, sites_folder
from swath.errors import ConfigError
from swath.spark.start.jars import cache_folder

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_PYTHON = re.compile(r"3\.\d{1,2}")
_OPTIONS = (
    click.option("--site", required=True, metavar="NAME|FILE", help="Where it goes."),
    click.option("--job", "jobs", multiple=True, help="Job that runs there; repeatable. All of conf/jobs by default."),
    click.option("--root", type=_FOLDER, default=Path(), help="Checkout of the delivery; this folder by default."),
    click.option(
        "--objects", type=click.Path(path_type=Path), multiple=True,
        help="Manifests rendered by other tools (helm template --include-crds, flux install --export); repeatable.",
    ),
    click.option("--chart", "charts", type=_FILE, multiple=True, help="NAME-VERSION.tgz that a release asks for; repeatable."),
    click.option("--image", "images", multiple=True, help="Image that no object names (a node's pause), by digest; repeatable."),
    click.option("--pins", type=_FILE, help="YAML file: which digest a NAME:TAG means."),
    click.option(
        "--from", "origins", multiple=True, metavar="NAME=PLACE",
        help="Source of images whose names begin with NAME: a registry, oci:FOLDER; repeatable.",
    ),
    click.option("--lock", type=_FILE, help="Lock of the packages; requirements.lock of the checkout by default."),
    click.option("--wheels", type=_FOLDER, help="Folder with the packages of the lock; by default pip fetches them."),
    click.option(
        "--python", "pythons", multiple=True, metavar="3.12",
        help="Python of the site whose packages are fetched beside those of this one; repeatable.",
    ),
    click.option("--jars", type=_FOLDER, multiple=True, help="Folder with jars; the cache of set-up by default; repeatable."),
    click.option("--model", "models", type=_FILE, multiple=True, help="Bundle of a model (models export --bundle); repeatable."),
    click.option("--schemas", type=_FOLDER, envvar="SWATH_STAC_SCHEMAS", show_envvar=True, help="Folder of STAC schemas."),
    click.option("--sbom", "sboms", type=_FILE, multiple=True, help="Bill of materials; repeatable."),
    click.option("--platform", default="linux/amd64", show_default=True, help="Platform of the site's nodes."),
)  # fmt: skip


def parts_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a bundle's parts."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wanted_of(**given: Any) -> Wanted:
    """The parts that the options ask for.

    Raises:
        ConfigError: A file is missing or cannot be read, or an option is none.
    """
    root: Path = given["root"]
    single = (given[name] for name in ("root", "pins", "lock", "wheels", "schemas"))
    several = (path for name in ("objects", "charts", "jars", "models", "sboms") for path in given[name])
    missing = next((path for path in (*single, *several) if path is not None and not path.exists()), None)
    if missing is not None:
        msg = f"{missing}: there is no such file or folder"
        raise ConfigError(msg)
    names = given["jobs"] or sorted(p.stem for p in (sites_folder() / "jobs").glob("*.yaml"))
    return Wanted(
        site=load_site(given["site"]),
        jobs=tuple(load_job(name) for name in names),
        root=root,
        objects=given["objects"],
        charts=given["charts"],
        images=given["images"],
        pins=read_pins(given["pins"]),
        origins=dict(_origin(text) for text in given["origins"]),
        wheels=given["wheels"],
        lock=given["lock"] or root / "requirements.lock",
        pythons=_pythons(given["pythons"]),
        jars=given["jars"] or (cache_folder(),),
        models=given["models"],
        schemas=given["schemas"],
        sboms=given["sboms"],
        platform=given["platform"],
    )


def _origin(text: str) -> tuple[str, str]:
    name, sign, place = text.partition("=")
    if not (name and sign and place):
        msg = f"--from {text}: expected NAME=PLACE, for example harbor.dc.example/=registry.build.example/"
        raise ConfigError(msg)
    return name, place


def _pythons(given: tuple[str, ...]) -> tuple[str, ...]:
    for version in given:
        if not _PYTHON.fullmatch(version):
            msg = f"--python {version}: expected a version such as 3.12"
            raise ConfigError(msg)
    return given
