"""Files that come with swath, or that a team keeps in a folder of its own, and that users name without a path."""

import sys
from collections.abc import Sequence
from pathlib import Path

import swath
from swath.errors import ConfigError
from swath.settings import Settings
from swath.suggestion import did_you_mean


def installed_folders() -> list[Path]:
    """Where ``conf`` is: in the checkout, or beside an installed wheel."""
    return [Path(swath.__file__).resolve().parents[2] / "conf", Path(sys.prefix) / "share" / "swath" / "conf"]


def folder_with(kind: str, *, places: Sequence[Path | None]) -> Path | None:
    """The first of some folders that has one of a kind in it (``pipelines``, ``sites``); None when none has."""
    return next((p for p in places if p is not None and (p / kind).is_dir()), None)


def conf_folder() -> Path:
    """Where the shipped files are: SWATH_CONF, the checkout, beside an installed wheel, or beside the job's script.

    Raises:
        ConfigError: Nowhere.
    """
    # spark-submit jobs/process.py with swath in a zip: conf/ is beside jobs/.
    beside = Path(sys.argv[0]).resolve().parents[1] / "conf" if Path(sys.argv[0]).is_file() else None
    found = folder_with("pipelines", places=[Settings.of().conf, *installed_folders(), beside])
    if found is None:
        msg = "the shipped configuration is not found: set SWATH_CONF to the folder that holds pipelines/"
        raise ConfigError(msg)
    return found


def model_recipe(name: str) -> Path:
    """The shipped training recipe of a model: models/<name>/recipe.yaml beside conf/.

    A folder that SWATH_CONF names need not have one: images and teams keep pipelines and sites there alone.

    Raises:
        ConfigError: There is none.
    """
    recipes = [folder.parent / "models" / name / "recipe.yaml" for folder in (conf_folder(), *installed_folders())]
    found = next((path for path in recipes if path.is_file()), None)
    if found is None:
        msg = f"no recipe for a model {name!r}: expected {' or '.join(map(str, dict.fromkeys(recipes)))}"
        raise ConfigError(msg)
    return found


def find_pipeline(name: str) -> Path:
    """The file behind a pipeline's name, or the file that ``name`` is.

    Raises:
        ConfigError: There is none; the message suggests the nearest.
    """
    return _named(name, folder="pipelines", kind="pipeline")


def find_composite(name: str) -> Path:
    """The file behind a composite pipeline's name, or the file that ``name`` is.

    Raises:
        ConfigError: There is none; the message suggests the nearest.
    """
    return _named(name, folder="composites", kind="composite")


def _named(name: str, *, folder: str, kind: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if path.is_file():
            return path
        msg = f"{name}: there is no such pipeline file"
        raise ConfigError(msg)
    shipped = conf_folder() / folder
    known = sorted(p.stem for p in shipped.glob("*.yaml"))
    if name in known:
        return shipped / f"{name}.yaml"
    msg = f"unknown {kind} {name!r}{did_you_mean(name, known)} (shipped: {', '.join(known)}; or give a YAML file)"
    raise ConfigError(msg)
