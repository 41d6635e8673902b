"""Make a bundle: in a draft beside its place, which takes the bundle's name when it is whole, listed and signed."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from swath import __version__
from swath.deploy.bundle.content import LIST, BundleContent, CarriedFile, CarriedImage, digest_of, files_below
from swath.deploy.bundle.delivery import Object, delivery_objects
from swath.deploy.bundle.gather import gather
from swath.deploy.bundle.image_layout import IMAGES, refuse_other_platform, take_in, write_index
from swath.deploy.bundle.named_images import named_images
from swath.deploy.bundle.reference import ImageReference
from swath.deploy.bundle.skopeo import copy, folder
from swath.deploy.bundle.wanted import Wanted
from swath.errors import ConfigError
from swath.inference.signed_file import sign_file

Tell = Callable[[str], None]


def make(wanted: Wanted, *, out: Path, key: Path, tell: Tell, epoch: int | None = None) -> BundleContent:
    """Make a bundle.

    Args:
        wanted: Parts.
        out: Folder to make.
        key: Private key that signs the list.
        tell: Takes a line for people.
        epoch: Moment of making [s since 1970]; now without one.

    Raises:
        ConfigError: Something that the delivery names is missing, or has no digest.
        ServiceError: An index or a registry does not answer.
    """
    if out.exists():
        msg = f"{out} already exists; write the new bundle beside the old one"
        raise ConfigError(msg)
    objects = delivery_objects(wanted.site, jobs=wanted.jobs, root=wanted.root, others=wanted.objects)
    images = carried_images(objects, wanted=wanted)
    with _draft(out) as draft:
        sources = {IMAGES: "images of the delivery, by digest"}
        _fetch_images(images, draft=draft, wanted=wanted, tell=tell)
        gathered = gather(wanted, objects=objects, into=draft, tell=tell)
        content = BundleContent(
            site=wanted.site.site,
            made=f"{_moment(epoch):%Y-%m-%dT%H:%M:%SZ}",
            commit=commit_of(wanted.root),
            swath=__version__,
            platform=wanted.platform,
            images=images,
            left_out=gathered.left_out,
            files=tuple(_listed(draft, sources={**sources, **gathered.sources})),
        )
        (draft / LIST).write_text(content.text(), encoding="utf-8")
        sign_file(draft / LIST, key=key)
    return content


def carried_images(objects: list[Object], *, wanted: Wanted) -> tuple[CarriedImage, ...]:
    """Images that a bundle must hold.

    Raises:
        ConfigError: An image has no digest.
    """
    found = named_images(objects)
    for text in wanted.images:
        found.setdefault(ImageReference.read(text, where="--image"), []).append("--image")
    carried: dict[tuple[str, str], list[str]] = {}
    for image, places in found.items():
        digest = image.digest or wanted.pins.get(f"{image.name}:{image.tag}", "")
        if not digest:
            msg = f"{image}: named by {places[0]} without a digest: a tag may mean another image tomorrow; pin it (--pins)"
            raise ConfigError(msg)
        carried.setdefault((image.name, digest), []).extend(places)
    return tuple(CarriedImage(name=n, digest=d, named_by=tuple(places)) for (n, d), places in sorted(carried.items()))


def _fetch_images(images: tuple[CarriedImage, ...], *, draft: Path, wanted: Wanted, tell: Tell) -> None:
    for image in images:
        named = ImageReference(image.name, digest=image.digest)
        tell(f"image {named}")
        with tempfile.TemporaryDirectory(dir=draft.parent, prefix=f"{draft.name}-image-") as scratch:
            copied = Path(scratch) / "image"
            try:
                copy(wanted.origin(named), folder(copied), called=str(named))
                take_in(draft, copied, digest=image.digest)
            except ConfigError as error:
                msg = f"{named}, named by {image.named_by[0]}, is missing: {error}"
                raise ConfigError(msg) from error
        refuse_other_platform(draft, image, platform=wanted.platform)
    write_index(draft, images)


def _listed(draft: Path, *, sources: Mapping[str, str]) -> Iterator[CarriedFile]:
    for path in files_below(draft):
        name = path.relative_to(draft).as_posix()
        source = sources.get(name) or sources[name.partition("/")[0]]
        yield CarriedFile(path=name, size=path.stat().st_size, sha256=digest_of(path), source=source)


@contextmanager
def _draft(out: Path) -> Iterator[Path]:
    """A folder beside the bundle's place, which becomes it, or is gone."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    try:
        yield draft
        draft.chmod(0o755)
        draft.rename(out)
    except OSError as error:
        msg = f"{out}: the bundle cannot be written: {error}"
        raise ConfigError(msg) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _moment(epoch: int | None) -> datetime:
    return datetime.now(UTC) if epoch is None else datetime.fromtimestamp(epoch, UTC)


def commit_of(root: Path) -> str:
    """Commit of a checkout.

    Raises:
        ConfigError: The folder is not a checkout.
    """
    words = ["git", "-C", str(root), "rev-parse", "HEAD"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{root}: not a git checkout: a bundle records the commit that it delivers"
        raise ConfigError(msg)
    return done.stdout.strip()
