"""Is a bundle what was signed: every file, and no other, read once in constant memory."""

from collections.abc import Iterable
from pathlib import Path

from swath.deploy.bundle.content import LIST, BundleContent, CarriedFile, digest_of, files_below
from swath.deploy.bundle.image_layout import blob, parts, refuse_other_platform
from swath.errors import ConfigError
from swath.inference.signature import SignatureError
from swath.inference.signed_file import verify_file
from swath.inference.trusted_keys import TrustedKey


def signed_content(bundle: Path, *, keys: tuple[TrustedKey, ...]) -> BundleContent:
    """The list of a bundle, signed by a trusted key; its files are not looked at.

    Raises:
        ConfigError: No list, or one that no trusted key signed.
    """
    if not (bundle / LIST).is_file():
        msg = f"{bundle}: not a bundle: it has no {LIST}"
        raise ConfigError(msg)
    try:
        verify_file(bundle / LIST, keys=keys)
    except SignatureError as error:
        msg = f"{bundle / LIST}: {error}"
        raise SignatureError(msg) from error
    return BundleContent.read(bundle)


def verify(bundle: Path, *, keys: tuple[TrustedKey, ...], base: Path | None = None) -> BundleContent:
    """Check a bundle.

    Args:
        bundle: Folder.
        keys: Trusted keys.
        base: Folder of a bundle, or of what is installed, that has the files which a delta leaves out.

    Raises:
        ConfigError: Unsigned, altered, cut, too much, too little, or for other machines.
    """
    content = signed_content(bundle, keys=keys)
    listed = content.by_path
    for path in files_below(bundle):
        name = path.relative_to(bundle).as_posix()
        if name not in listed:
            msg = f"{bundle}: {name} is not in {LIST}: a file too many"
            raise ConfigError(msg)
        refuse_altered(path, listed[name])
    for missing in (f for f in content.files if not (bundle / f.path).is_file()):
        if base is None or not (base / missing.path).is_file():
            hint = "" if base else "; a delta needs what it builds on (--base)"
            msg = f"{bundle}: {missing.path} is missing{hint}"
            raise ConfigError(msg)
        refuse_altered(base / missing.path, missing)
    _refuse_images(content, places=(bundle, base or bundle))
    return content


def refuse_altered(path: Path, listed: CarriedFile) -> None:
    """Refuse a file that is not the listed one.

    Raises:
        ConfigError: Another size, or another digest.
    """
    size = path.stat().st_size
    if size != listed.size:
        msg = f"{listed.path}: {size} bytes, {LIST} says {listed.size}: it is cut or added to; carry it again"
        raise ConfigError(msg)
    found = digest_of(path)
    if found != listed.sha256:
        msg = f"{listed.path}: SHA-256 {found}, {LIST} says {listed.sha256}: it was altered; carry it again"
        raise ConfigError(msg)


def _refuse_images(content: BundleContent, *, places: Iterable[Path]) -> None:
    """Each image is whole, and for the site's machines."""
    for image in content.images:
        place = next((p for p in places if blob(p, image.digest).is_file()), None)
        if place is None:
            msg = f"{image.name}@{image.digest}: the bundle lists the image, but has no manifest for it"
            raise ConfigError(msg)
        whole = all(any(blob(p, part).is_file() for p in places) for part, _ in parts(place, image.digest))
        if not whole:
            msg = f"{image.name}@{image.digest}: parts of the image are not in the bundle"
            raise ConfigError(msg)
        refuse_other_platform(place, image, platform=content.platform)
