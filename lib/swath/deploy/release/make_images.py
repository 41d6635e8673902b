"""Both images of a commit: built, listed, scanned, pushed by digest; ``images.json`` is written and signed last."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from swath.deploy.bundle.skopeo import digest_at
from swath.deploy.release.container_engine import ContainerEngine
from swath.deploy.release.released import IMAGES, Release, ReleasedImage, sha256_of
from swath.deploy.release.scan import scan
from swath.deploy.release.source import LOCK, CommitSource
from swath.errors import ConfigError, ServiceError
from swath.inference.signed_file import sign_file

_SWATH = "/opt/swath/venv/bin/swath"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """How one of the images is built.

    Args:
        name: Name of the image in the registry.
        dockerfile: Below the checkout.
        debian: The image has Debian's packages, which its bill lists.
        jars: The image has jars of its own, which its bill lists.
    """

    name: str
    dockerfile: str
    debian: bool
    jars: bool


RECIPES = (
    ImageRecipe(name="swath", dockerfile="spark-operator/Dockerfile", debian=True, jars=True),
    # EMR's base image is EMR's: its bill has what is added to it.
    ImageRecipe(name="swath-emr", dockerfile="emr-on-eks/Dockerfile", debian=False, jars=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """How images are made.

    Args:
        registry: Host, with a path or without.
        tag: New in the registry.
        engine: Container engine.
        arguments: Build arguments: base images of one's own.
        recipes: Images to make.
    """

    registry: str
    tag: str
    engine: ContainerEngine
    arguments: Mapping[str, str]
    recipes: tuple[ImageRecipe, ...] = RECIPES

    @property
    def named(self) -> dict[ImageRecipe, str]:
        """The images by name and tag."""
        return {recipe: f"{self.registry.rstrip('/')}/{recipe.name}:{self.tag}" for recipe in self.recipes}


def make_images(source: CommitSource, building: Building, *, out: Path, key: Path, tell: Callable[[str], None]) -> Release:
    """Make the images of a commit.

    Args:
        source: The commit.
        building: Images to make and the registry that receives them.
        out: Folder for ``images.json`` and the bills of materials.
        key: Private key that signs.
        tell: Takes a line for people.

    Raises:
        ConfigError: A tag that exists, a build that failed, an image that is not the lock's, a licence, a vulnerability.
        ServiceError: The registry does not take an image.
    """
    for image in building.named.values():
        refuse_existing(image)
    found = scan(source.root / LOCK)
    tell(f"scan of {LOCK}: {found}")
    out.mkdir(parents=True, exist_ok=True)
    # Every image is built and listed before the first is pushed: what is refused never reaches the registry.
    bills = {recipe: _built(image, recipe=recipe, source=source, building=building, out=out)
             for recipe, image in building.named.items()}  # fmt: skip
    images = tuple(_pushed(image, bill=bills[recipe], building=building) for recipe, image in building.named.items())
    for made in images:
        tell(f"pushed {made.pinned}")
    release = Release(
        commit=source.commit,
        lock_sha256=source.lock_sha256,
        wheel_sha256=sha256_of(source.wheel),
        scan=found,
        images=tuple(images),
    )
    (out / IMAGES).write_text(release.text(), encoding="utf-8")
    sign_file(out / IMAGES, key=key)
    return release


def refuse_existing(image: str) -> None:
    """Refuse a tag that the registry has: what it means would change.

    Raises:
        ConfigError: The tag exists.
    """
    there = digest_at(f"docker://{image}")
    if there is not None:
        msg = f"{image} is in the registry already ({there}): a tag means one image for ever; take another tag"
        raise ConfigError(msg)


def _pushed(image: str, *, bill: Path, building: Building) -> ReleasedImage:
    building.engine.push(image)
    digest = digest_at(f"docker://{image}")
    if digest is None:
        msg = f"{image}: the registry has no such image after the push"
        raise ServiceError(msg)
    name = image.removesuffix(f":{building.tag}")
    return ReleasedImage(name=name, tag=building.tag, digest=digest, sbom=bill.name, sbom_sha256=sha256_of(bill))


def _built(image: str, *, recipe: ImageRecipe, source: CommitSource, building: Building, out: Path) -> Path:
    """Build an image, and write the bill of materials that it prints of itself: it compares itself with the commit's lock."""
    epoch = {"SOURCE_DATE_EPOCH": str(source.epoch)}
    labels = {"org.opencontainers.image.revision": source.commit, "swath.lock.sha256": source.lock_sha256}
    arguments = {**building.arguments, **epoch}
    building.engine.build(image, root=source.root, dockerfile=recipe.dockerfile, arguments=arguments, labels=labels)
    words = [_SWATH, "sbom", "--lock", f"/source/{LOCK}", "--image", image]
    if recipe.jars:
        words += ["--pom", "/source/spark-operator/pom.xml", "--jars", "/source/spark-operator/jars.sha256"]
    if recipe.debian:
        words.append("--debian")
    text = building.engine.run(image, words=tuple(words), folder=source.root, environment=epoch)
    path = out / f"{recipe.name}.cdx.json"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return path


def recipes_named(names: tuple[str, ...]) -> tuple[ImageRecipe, ...]:
    """The recipes of these names; all without any.

    Raises:
        ConfigError: There is no such image.
    """
    unknown = sorted(set(names) - {r.name for r in RECIPES})
    if unknown:
        msg = f"there is no image {', '.join(unknown)}; there are {', '.join(r.name for r in RECIPES)}"
        raise ConfigError(msg)
    return tuple(r for r in RECIPES if not names or r.name in names)
