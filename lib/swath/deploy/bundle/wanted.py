"""What a bundle is to be made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from swath.deploy.bundle.reference import ImageReference
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A bundle's parts.

    Args:
        site: Site that receives the bundle.
        jobs: Jobs that run there.
        root: Checkout of the delivery.
        objects: Files of manifests that others rendered.
        charts: Archives of charts.
        images: Images that no object names (a node's pause), by digest.
        pins: Digests of images that are named by a tag alone.
        origins: Sources of images by the beginning of their name; an image without one comes from its own name.
        wheels: Folder with the packages of the lock; None fetches them.
        lock: Lock of the packages.
        pythons: Versions of Python beside this one whose packages are fetched too.
        jars: Folders with the jars of ``spark-operator/jars.sha256``.
        models: Signed bundles of models.
        schemas: Folder of STAC schemas; None carries none.
        sboms: Bills of materials.
        platform: Platform of the site's nodes.
    """

    site: Site
    jobs: tuple[JobSpec, ...]
    root: Path
    objects: tuple[Path, ...] = ()
    charts: tuple[Path, ...] = ()
    images: tuple[str, ...] = ()
    pins: Mapping[str, str]
    origins: Mapping[str, str]
    wheels: Path | None = None
    lock: Path
    pythons: tuple[str, ...] = ()
    jars: tuple[Path, ...] = ()
    models: tuple[Path, ...] = ()
    schemas: Path | None = None
    sboms: tuple[Path, ...] = ()
    platform: str = "linux/amd64"

    def origin(self, image: ImageReference) -> str:
        """Where skopeo fetches an image."""
        start = max((o for o in self.origins if image.name.startswith(o)), key=len, default=None)
        if start is None:
            return f"docker://{image.pinned}"
        place = self.origins[start] + image.name.removeprefix(start)
        return place if place.startswith(("oci:", "dir:", "oci-archive:")) else f"docker://{place}@{image.digest}"


def read_pins(path: Path | None) -> dict[str, str]:
    """Digests by ``name:tag``, of a YAML file.

    Raises:
        ConfigError: A line is none.
    """
    if path is None:
        return {}
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise ConfigError(msg) from error
    if not isinstance(plain, dict):
        msg = f"{path}: expected lines of NAME:TAG: sha256:..."
        raise ConfigError(msg)
    for name, digest in plain.items():
        if not ImageReference.read(f"{name}@{digest}", where=str(path)).tag:
            msg = f"{path}: {name} has no tag: a pin says which digest a tag means"
            raise ConfigError(msg)
    return {str(name): str(digest) for name, digest in plain.items()}
