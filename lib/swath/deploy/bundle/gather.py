"""Everything of a bundle that is no image: charts, their CRDs, packages, jars, models, schemas, guides, the delivery itself."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import yaml

from swath.deploy.bundle.content import digest_of
from swath.deploy.bundle.delivery import Object, charts, rendered_charts
from swath.deploy.bundle.wanted import Wanted
from swath.deploy.bundle.wheels import check, fetch
from swath.errors import ConfigError

Tell = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Gathered:
    """What was put into a bundle.

    Args:
        sources: Source of each folder or file of the bundle.
        left_out: Parts of a whole delivery that were not given, in words.
    """

    sources: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def gather(wanted: Wanted, *, objects: list[Object], into: Path, tell: Tell) -> Gathered:
    """Put everything but the images into a bundle.

    Args:
        wanted: Parts.
        objects: The site's delivery.
        into: Folder of the bundle.
        tell: Takes a line for people.

    Raises:
        ConfigError: A part is missing, or not what it should be.
        ServiceError: The index of packages does not answer.
    """
    done = Gathered()
    _charts(wanted, objects, into=into, done=done)
    tell("packages of the lock")
    _wheels(wanted, into=into, done=done)
    _jars(wanted, into=into, done=done)
    _files(wanted.models, into / "models", done=done, source="signed bundles of models")
    _files(wanted.sboms, into / "sbom", done=done, source="bills of materials (swath sbom)")
    _files(wanted.objects, into / "objects", done=done, source="manifests that others rendered")
    _files(sorted(wanted.root.glob("docs/*.md")), into / "guides", done=done, source="docs of the delivery's commit")
    if wanted.schemas is not None:
        _files(sorted(wanted.schemas.glob("*.json")), into / "stac-schemas", done=done, source=str(wanted.schemas))
    _projection(into / "proj", done=done)
    _delivery(wanted.root, into / "delivery", done=done)
    every = {"models": "--model", "sbom": "--sbom", "stac-schemas": "--schemas"}
    done.left_out = tuple(f"{name}: none was given ({option})" for name, option in every.items() if name not in done.sources)
    return done


def _charts(wanted: Wanted, objects: list[Object], *, into: Path, done: Gathered) -> None:
    """Each chart that the cluster would fetch comes as an archive, and with its objects: they name the images in it."""
    rendered = rendered_charts(objects)
    given = {p.name.removesuffix(".tgz"): p for p in wanted.charts}
    for chart, asked_by in charts(objects).items():
        if chart not in given:
            msg = f"{asked_by} fetches chart {chart}: carry it, --chart {chart}.tgz (helm pull)"
            raise ConfigError(msg)
        if chart not in rendered:
            msg = f"{asked_by}: the images in chart {chart} are known from its objects only; add them: helm template "
            msg += f"--include-crds {chart}.tgz --values ... > operator.yaml, then --objects operator.yaml"
            raise ConfigError(msg)
    _files(wanted.charts, into / "charts", done=done, source="charts that the delivery fetches (helm pull)")
    crds = {str(o["metadata"]["name"]): o for o in objects if o.get("kind") == "CustomResourceDefinition"}
    for name, made in crds.items():
        target = into / "crds" / f"{name}.yaml"
        target.parent.mkdir(exist_ok=True)
        target.write_text(yaml.safe_dump(dict(made), sort_keys=False), encoding="utf-8")
        done.sources["crds"] = "manifests that others rendered"


def _wheels(wanted: Wanted, *, into: Path, done: Gathered) -> None:
    target, folder = into / "wheels", wanted.wheels
    if folder is None:
        for python in ("", *wanted.pythons):
            fetch(wanted.lock, into=target, python=python)
        check(wanted.lock, folder=target)
    else:
        _files(check(wanted.lock, folder=folder), target, done=done, source="")
    own = sorted((wanted.root / "dist").glob("swath-*.whl"))
    if len(own) != 1:
        msg = f"{wanted.root / 'dist'}: {len(own)} wheels of swath, expected one: make wheel"
        raise ConfigError(msg)
    _files(own, into / "swath", done=done, source="make wheel")
    shutil.copyfile(wanted.lock, into / "swath" / wanted.lock.name)
    done.sources["wheels"] = f"{wanted.lock.name} of the delivery's commit, by its hashes"


def _jars(wanted: Wanted, *, into: Path, done: Gathered) -> None:
    listing = wanted.root / "spark-operator" / "jars.sha256"
    target = into / "jars"
    target.mkdir()
    for digest, name in (line.split() for line in listing.read_text(encoding="utf-8").splitlines() if line.strip()):
        places = [p for folder in wanted.jars for p in folder.rglob(name)]
        right = next((p for p in places if digest_of(p) == digest), None)
        if right is None:
            there = f"{places[0]} is another file by its SHA-256" if places else "it is in none of the folders of --jars"
            msg = f"{name}, listed in {listing}: {there}; python -m swath.spark.prepare --s3a fetches it"
            raise ConfigError(msg)
        shutil.copyfile(right, target / name)
    shutil.copyfile(listing, target / listing.name)
    done.sources["jars"] = "Maven, by jars.sha256 of the delivery's commit"


def _projection(target: Path, *, done: Gathered) -> None:
    """PROJ's tables: coordinate systems and transformations, without which no pixel has a place."""
    spec = find_spec("pyproj")
    data = Path(spec.origin).parent / "proj_dir" / "share" / "proj" if spec is not None and spec.origin else Path()
    if not (data / "proj.db").is_file():
        msg = f"{data}: PROJ's data (proj.db) is not there; install the packages of the lock"
        raise ConfigError(msg)
    shutil.copytree(data, target)
    done.sources["proj"] = "pyproj of the lock"


def _delivery(root: Path, target: Path, *, done: Gathered) -> None:
    """The commit itself: sites, overlays, Flux's folders."""
    target.mkdir()
    words = ["git", "-C", str(root), "archive", "--format=tar", f"--output={target.absolute() / 'swath.tar'}", "HEAD"]
    packed = subprocess.run(words, capture_output=True, text=True, check=False)
    if packed.returncode:
        msg = f"{root}: git archive: {packed.stderr.strip()}"
        raise ConfigError(msg)
    done.sources["delivery"] = "git archive of the delivery's commit"


def _files(paths: Iterable[Path], target: Path, *, done: Gathered, source: str) -> None:
    """Copy files into a folder of the bundle; two of one name would be one."""
    names: Mapping[str, Path] = {}
    for path in paths:
        if path.name in names:
            msg = f"{path} and {names[path.name]}: two files of one name in {target.name}"
            raise ConfigError(msg)
        names = {**names, path.name: path}
        target.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if path.is_dir() else shutil.copyfile
        try:
            copy(path, target / path.name)
        except OSError as error:
            msg = f"{path}: cannot be carried: {error}"
            raise ConfigError(msg) from error
    if names:
        done.sources[target.name] = source
