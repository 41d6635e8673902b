"""Finds and reads job and site files."""

from pathlib import Path

import yaml

from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.deploy.site.strict import Strict, parse
from swath.errors import ConfigError
from swath.settings import Settings
from swath.shipped import folder_with, installed_folders
from swath.suggestion import did_you_mean

CONF = "SWATH_CONF"


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses duplicate keys: otherwise the second would silently win."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[object, object]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    twice = next((k for i, k in enumerate(keys) if k in keys[:i]), None)
    if twice is not None:
        msg = f"key {twice!r} is given twice, line {node.start_mark.line + 1} and below"
        raise ConfigError(msg)
    return {k: loader.construct_object(v, deep=True) for k, (_, v) in zip(keys, node.value, strict=True)}


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def sites_folder() -> Path:
    """Where the named files are: ``$SWATH_CONF``, or ``conf`` of the checkout or the working folder.

    Raises:
        ConfigError: There is none.
    """
    given = Settings.of().conf
    places = [given] if given else [Path("conf"), *installed_folders()]
    found = folder_with("sites", places=places)
    if found is None:
        msg = f"no folder with sites/ in {', '.join(str(p) for p in places)}. Set {CONF}, or name the file itself"
        raise ConfigError(msg)
    return found


def site_names() -> tuple[str, ...]:
    """Names of the sites in the conf folder."""
    return tuple(sorted(p.stem for p in (sites_folder() / "sites").glob("*.yaml")))


def site_file(name_or_file: str) -> Path:
    """Where a site's values are.

    Raises:
        ConfigError: There is no such file.
    """
    return _find(name_or_file, folder="sites")


def load_site(name_or_file: str) -> Site:
    """Read a site by name or file.

    Raises:
        ConfigError: There is no such file, or something in it is wrong.
    """
    path = _find(name_or_file, folder="sites")
    site = parse(Site, _yaml(path), source=str(path))
    if path.parent.name == "sites" and path.stem != site.site:
        msg = f"{path}: site is {site.site!r}; the name of a site file must be the site's name"
        raise ConfigError(msg)
    return site


def load_job(name_or_file: str) -> JobSpec:
    """Read a job by name or file.

    Raises:
        ConfigError: There is no such file, or something in it is wrong.
    """
    path = _find(name_or_file, folder="jobs")
    return parse(JobSpec, _yaml(path), source=str(path))


def kind_of(path: Path) -> type[Strict] | None:
    """Whether a file is a job or a site, by its first keys; None for anything else.

    Raises:
        ConfigError: The file is not YAML.
    """
    data = _yaml(path)
    return next((model for key, model in (("site", Site), ("job", JobSpec)) if isinstance(data, dict) and key in data), None)


def validate(path: Path) -> Strict:
    """Read a file that is a job or a site.

    Raises:
        ConfigError: The file is neither, or a value in it is wrong.
    """
    model = kind_of(path)
    if model is None:
        msg = f"{path}: neither a site (key 'site') nor a job (key 'job')"
        raise ConfigError(msg)
    return parse(model, _yaml(path), source=str(path))


def _find(name: str, *, folder: str) -> Path:
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or "/" in name:
        if path.is_file():
            return path
        msg = f"{name}: no such file"
        raise ConfigError(msg)
    inside = sites_folder() / folder
    path = inside / f"{name}.yaml"
    if path.is_file():
        return path
    known = sorted(p.stem for p in inside.glob("*.yaml"))
    hint = did_you_mean(name, known) or f"; known: {', '.join(known) or 'none'}"
    msg = f"{name}: not in {inside}{hint}"
    raise ConfigError(msg)


def _yaml(path: Path) -> object:
    try:
        loaded: object = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: not YAML: {error}"
        raise ConfigError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    return loaded
