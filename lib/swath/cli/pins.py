"""Sites that follow a release: the digests of ``images.json`` in site files, and the schedules that Flux delivers of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import yaml

from swath.deploy.release.released import Release
from swath.deploy.render.order import Order
from swath.deploy.rendering import render
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.names import new_run_id
from swath.deploy.site.site import Site
from swath.deploy.site.site_diff import differences
from swath.errors import ConfigError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """An image of a site, before and after.

    Args:
        name: Registry and path, as the site has them: its own registry may hold a copy.
        before: Digest that the site file asked for.
        after: Digest of the release.
    """

    name: str
    before: str
    after: str


def pin_site(path: Path, *, release: Release) -> tuple[Pin, ...]:
    """Write the digests of a release into a site file; everything else in it stays as it is written.

    Args:
        path: The site file.
        release: The release, verified.

    Returns:
        What changed.

    Raises:
        ConfigError: The site names no image, or one that the release has not.
    """
    site, text = load_site(str(path)), path.read_text(encoding="utf-8")
    pins = tuple(_pins(site, released=_digests(release), path=path))
    for pin in pins:
        text = text.replace(f"{pin.name}@{pin.before}", f"{pin.name}@{pin.after}")
    changed = tuple(pin for pin in pins if pin.before != pin.after)
    if changed:
        _replace(path, text)
        others = [place for place, _, _ in differences(site, load_site(str(path))) if "image" not in place]
        if others:
            msg = f"{path}: also {', '.join(others)} changed: an image's name is in another value too; put that right by hand"
            raise ConfigError(msg)
    return changed


def render_schedules(folder: Path, *, site: Site) -> tuple[Path, ...]:
    """Render the schedules of a folder anew; those that changed.

    Args:
        folder: Its files are named for their jobs, as ``swath render --template`` makes them.
        site: Where they run.

    Raises:
        ConfigError: A file is no schedule, or its job is none.
    """
    written = []
    for path in sorted(folder.glob("*.yaml")):
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(plain, Mapping) or plain.get("kind") == "Kustomization":
            continue
        job = load_job(path.stem)
        if not job.schedule:
            msg = f"{path}: job {job.job} has no schedule; a run is not part of a delivery"
            raise ConfigError(msg)
        text = render(Order(job=job, site=site, run_id=new_run_id(job.job)))
        if path.read_text(encoding="utf-8") != text:
            _replace(path, text)
            written.append(path)
    return tuple(written)


def _digests(release: Release) -> dict[str, str]:
    """Digests by the last part of the image's name."""
    return {_last(image.name): image.digest for image in release.images}


def _pins(site: Site, *, released: Mapping[str, str], path: Path) -> Iterator[Pin]:
    named = [image for image in (site.image, site.gpu.image if site.gpu else "") if image]
    if not named:
        msg = f"{path}: site {site.site} names no image"
        raise ConfigError(msg)
    for image in named:
        name, _, before = image.partition("@")
        if not _DIGEST.fullmatch(before):
            msg = f"{path}: {image} has no digest to replace"
            raise ConfigError(msg)
        if _last(name) in released:
            yield Pin(name=name, before=before, after=released[_last(name)])
        elif image == site.image:
            msg = f"{path}: {name} is not an image of this release: {', '.join(sorted(released))}"
            raise ConfigError(msg)


def _last(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _replace(path: Path, text: str) -> None:
    """Replace a file, whole or not at all."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8") as file:
        file.write(text)
    Path(file.name).chmod(path.stat().st_mode)
    Path(file.name).replace(path)
