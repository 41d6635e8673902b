"""Images of a bundle: one OCI layout whose blobs are files named by their digest, so that what two images share is there once.

Manifests stay as they are, those of Docker too: a digest that a converter changed would be another image.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from swath.deploy.bundle.content import CarriedImage
from swath.deploy.bundle.reference import ImageReference
from swath.errors import ConfigError

IMAGES = "images"
_MAX_MANIFEST = 16 << 20
_INDEXES = frozenset({"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"})
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def blob(bundle: Path, digest: str) -> Path:
    """Where a blob is."""
    return bundle / IMAGES / "blobs" / "sha256" / digest.removeprefix("sha256:")


def take_in(bundle: Path, copied: Path, *, digest: str) -> None:
    """Move an image that skopeo copied into a plain folder into the bundle's layout.

    Args:
        bundle: Folder of the bundle.
        copied: Folder of skopeo's.
        digest: Expected digest of the image.

    Raises:
        ConfigError: The image has another digest.
    """
    top = (copied / "manifest.json").read_bytes()
    found = f"sha256:{hashlib.sha256(top).hexdigest()}"
    if found != digest:
        msg = f"the image has digest {found}, {digest} was asked for"
        raise ConfigError(msg)
    blob(bundle, digest).parent.mkdir(parents=True, exist_ok=True)
    for path in copied.iterdir():
        if path.name == "manifest.json":
            path.replace(blob(bundle, digest))
        elif path.name != "version":
            path.replace(blob(bundle, path.name.removesuffix(".manifest.json")))


def write_index(bundle: Path, images: tuple[CarriedImage, ...]) -> None:
    """Write ``oci-layout`` and ``index.json``: the images by their full names."""
    entries = []
    for image in images:
        path = blob(bundle, image.digest)
        kind = _media_type(manifest(bundle, image.digest))
        names = {"org.opencontainers.image.ref.name": f"{image.name}@{image.digest}"}
        entries.append({"mediaType": kind, "digest": image.digest, "size": path.stat().st_size, "annotations": names})
    (bundle / IMAGES).mkdir(exist_ok=True)
    (bundle / IMAGES / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}\n', encoding="utf-8")
    index = json.dumps({"schemaVersion": 2, "manifests": entries}, indent=1) + "\n"
    (bundle / IMAGES / "index.json").write_text(index, encoding="utf-8")


def manifest(bundle: Path, digest: str) -> Mapping[str, Any]:
    """A manifest or index.

    Raises:
        ConfigError: The file is missing or is not a manifest.
    """
    path = blob(bundle, digest)
    try:
        if path.stat().st_size > _MAX_MANIFEST:
            msg = f"{digest}: {path.stat().st_size} bytes are not a manifest"
            raise ConfigError(msg)
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        msg = f"{path.name}: not an image manifest: {error}"
        raise ConfigError(msg) from error
    if not isinstance(plain, dict):
        msg = f"{path.name}: not an image manifest"
        raise ConfigError(msg)
    return plain


def parts(bundle: Path, digest: str) -> Iterator[tuple[str, bool]]:
    """Digests of everything that an image consists of, itself first, and whether each is a manifest."""
    yield digest, True
    plain = manifest(bundle, digest)
    if _media_type(plain) in _INDEXES:
        for entry in plain["manifests"]:
            yield from parts(bundle, entry["digest"])
    else:
        yield plain["config"]["digest"], False
        yield from ((layer["digest"], False) for layer in plain["layers"])


def refuse_other_platform(bundle: Path, image: CarriedImage, *, platform: str) -> None:
    """Refuse an image that does not run at the site.

    Raises:
        ConfigError: No manifest of the image is for the platform.
    """
    has = sorted(_platforms(bundle, image.digest))
    if platform not in has:
        named = ImageReference(image.name, digest=image.digest)
        msg = f"{named} is for {', '.join(has) or 'no platform'}, the site needs {platform} (named by {image.named_by[0]})"
        raise ConfigError(msg)


def _platforms(bundle: Path, digest: str) -> Iterator[str]:
    plain = manifest(bundle, digest)
    if _media_type(plain) in _INDEXES:
        for entry in plain["manifests"]:
            yield from _platforms(bundle, entry["digest"])
        return
    config = manifest(bundle, plain["config"]["digest"])
    if config.get("os") and config.get("architecture"):
        yield f"{config['os']}/{config['architecture']}"


def _media_type(plain: Mapping[str, Any]) -> str:
    kind = str(plain.get("mediaType") or "")
    return kind or ("application/vnd.oci.image.index.v1+json" if "manifests" in plain else _MANIFEST)


def lay_out(bundle: Path, digest: str, *, into: Path) -> None:
    """A folder as skopeo reads it, of links to the bundle's blobs.

    Args:
        bundle: Folder of the bundle.
        digest: Digest of the image.
        into: Empty folder.
    """
    (into / "version").write_text("Directory Transport Version: 1.1\n", encoding="utf-8")
    for number, (part, is_manifest) in enumerate(parts(bundle, digest)):
        name = part.removeprefix("sha256:") + (".manifest.json" if is_manifest else "")
        link = into / (name if number else "manifest.json")
        if not link.is_symlink():
            link.symlink_to(blob(bundle, part).absolute())
