"""The images of a bundle into the site's registry, by digest; images already there are not sent again."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swath.deploy.bundle.content import BundleContent, CarriedImage
from swath.deploy.bundle.image_layout import lay_out
from swath.deploy.bundle.reference import ImageReference
from swath.deploy.bundle.skopeo import copy, digest_at, folder
from swath.errors import ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """An image in the site's registry.

    Args:
        image: Image, under the name that objects use.
        name: Name in the registry, by digest.
        sent: False when it was there.
    """

    image: CarriedImage
    name: str
    sent: bool


def push(bundle: Path, *, content: BundleContent, registry: str) -> Iterator[Pushed]:
    """Push every image.

    Args:
        bundle: Folder of a verified bundle.
        content: List.
        registry: Host, with a path or without.

    Raises:
        ServiceError: The registry does not take an image; started again, the push goes on where it was.
    """
    for image in content.images:
        named = ImageReference(image.name, digest=image.digest)
        place = f"{registry.rstrip('/')}/{named.path}"
        there = f"docker://{place}@{image.digest}"
        sent = digest_at(there) != image.digest
        if sent:
            with tempfile.TemporaryDirectory() as scratch:
                lay_out(bundle, image.digest, into=Path(scratch))
                # A registry may forget a manifest without a tag.
                tagged = f"docker://{place}:sha256-{image.digest.removeprefix('sha256:')[:12]}"
                copy(folder(Path(scratch)), tagged, called=str(named))
            found = digest_at(there)
            if found != image.digest:
                msg = f"{place}: the registry has {found or 'nothing'} after the push, expected {image.digest}"
                raise ServiceError(msg)
        yield Pushed(image=image, name=f"{place}@{image.digest}", sent=sent)
