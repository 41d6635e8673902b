"""A model of another site becomes a version here, under the same digest, with where it comes from."""

import shutil
from pathlib import Path

from swath.errors import ConfigError
from swath.inference.bundle import BUNDLE_SIGNATURE, CONTENT, FROZEN, Bundle, opened, refuse_untrusted
from swath.inference.listing import RegisteredModel
from swath.inference.registry import Registry
from swath.inference.trusted_keys import TrustedKey
from swath.inference.unpacking import unpack
from swath.stores.registry import open_store


def read_bundle(place: str, *, keys: tuple[TrustedKey, ...], scratch: Path) -> Bundle:
    """Unpack and verify a bundle.

    Args:
        place: File, ``s3://`` object, or folder that a bundle was unpacked into.
        keys: Whose signatures are trusted.
        scratch: Empty folder of our own.

    Raises:
        ConfigError: There is none, or it is not whole, not signed by a trusted key, or altered.
    """
    home = scratch / "bundle"
    if "://" not in place and Path(place).is_dir():
        refuse_untrusted(Path(place) / BUNDLE_SIGNATURE, keys=keys, called=place)
        _copy_plain(Path(place), home)
        return opened(home, keys=keys, called=place)
    home.mkdir()
    folder, _, name = place.rpartition("/")
    try:
        with open_store(folder or ("/" if place.startswith("/") else "."), create=False).fetch(name) as source:
            unpack(source, into=home, called=place, first=lambda path: _first(path, keys=keys, called=place))
    except FileNotFoundError as error:
        msg = f"{place}: there is no such bundle"
        raise ConfigError(msg) from error
    return opened(home, keys=keys, called=place)


def _first(path: Path, *, keys: tuple[TrustedKey, ...], called: str) -> None:
    """The signature comes first; the key that it names decides whether the rest is unpacked."""
    refuse_untrusted(path if path.name == BUNDLE_SIGNATURE else path.with_name(BUNDLE_SIGNATURE), keys=keys, called=called)


def _copy_plain(place: Path, home: Path) -> None:
    home.mkdir()
    shutil.copyfile(place / BUNDLE_SIGNATURE, home / BUNDLE_SIGNATURE)
    # Links stay links: the signature and admission refuse them.
    shutil.copytree(place / CONTENT, home / CONTENT, symlinks=True)


def register_bundle(bundle: Bundle, *, registry: Registry, name: str = "", downgrade: bool = False) -> RegisteredModel:
    """Register the model of a bundle; an existing one keeps its version.

    Args:
        bundle: Verified.
        registry: Registry that receives the model.
        name: Registered name; that of the source when empty.
        downgrade: Take a version that is older than one which came from the same source.

    Raises:
        ConfigError: The model is older than the version here, or admission refuses it.
    """
    name = name or bundle.name
    source = str(bundle.lineage.get("source", {}).get("registry", ""))
    known = [m for m in registry.list(name) if m.source_name == bundle.name and m.source == source]
    same = next((m for m in known if m.digest == bundle.digest), None)
    if same is not None:
        return same
    newest = max((int(m.source_version) for m in known if m.source_version.isdecimal()), default=0)
    if bundle.version.isdecimal() and int(bundle.version) < newest and not downgrade:
        msg = (
            f"{name}: the bundle has version {bundle.version} of {source}, version {newest} is here; --downgrade takes the older"
        )
        raise ConfigError(msg)
    run = str(bundle.lineage.get("source", {}).get("run_id", ""))
    more = {
        "source.registry": source, "source.name": bundle.name, "source.version": bundle.version, "source.run": run,
        "source.signed_by": bundle.signed_by,
    }  # fmt: skip
    beside = {} if bundle.frozen is None else {FROZEN: bundle.frozen}
    return registry.register(bundle.model, name=name, more=more, beside=beside)
