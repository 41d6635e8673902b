"""One file that carries a model to another site: the model, where it comes from, its bill of materials, signatures.

``bundle.sig`` signs everything below ``content/``; ``content/model.sig`` signs the model alone and stays with it.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swath.errors import ConfigError
from swath.inference.bill import bill_of
from swath.inference.digest import model_digest
from swath.inference.pinned import PinnedModel
from swath.inference.signature import SIGNATURE_FILE, SignatureError, hint_of, sign, signature_beside, verify
from swath.inference.trusted_keys import TrustedKey

BUNDLE_FORMAT = 1
BUNDLE_SIGNATURE = "bundle.sig"
CONTENT = "content"
MODEL = "model"
#: Samples that no model of a recipe learns, named by their digest: among the artifacts of a training run, and in bundles.
FROZEN = "frozen"
_FACTS = "bundle.json"
LINEAGE = "lineage.json"
BILL = "sbom.cdx.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle whose signatures hold.

    Args:
        model: Folder of the model; its signature is beside it.
        name: Registered name where it comes from.
        version: Version there.
        digest: Digest of the model.
        lineage: Registry, run, data and code that it comes from.
        signed_by: Hint of the key that signed the bundle.
        frozen: Samples that no model of its recipe learns, for the gate here; None when its training left none.
    """

    model: Path
    name: str
    version: str
    digest: str
    lineage: Mapping[str, Any]
    signed_by: str
    frozen: Path | None = None


def pack(pinned: PinnedModel, *, key: Path, target: Path, origin: Mapping[str, Any], frozen: Path | None = None) -> None:
    """Write a signed bundle; without its signatures the same model gives the same bytes.

    Args:
        pinned: The model.
        key: Private key that signs.
        target: File to write.
        origin: Facts that the registry has of the version.
        frozen: Frozen samples of its training, a file named by its digest.

    Raises:
        ConfigError: The key cannot be used, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        content = home / CONTENT
        shutil.copytree(pinned.path, content / MODEL)
        sign(content / MODEL, key=key, signature=content / SIGNATURE_FILE)
        if frozen is not None:
            (content / FROZEN).mkdir()
            shutil.copyfile(frozen, content / FROZEN / frozen.name)
        manifest = pinned.manifest
        named = {"name": pinned.name, "version": pinned.version, "digest": pinned.digest}
        bill = bill_of(pinned.path, manifest, **named)
        lineage = {"source": {"registry": pinned.source, **named, **origin}, "training": dict(manifest.training)}
        for name, plain in ((_FACTS, {"format": BUNDLE_FORMAT, **named}), (LINEAGE, lineage), (BILL, bill)):
            (content / name).write_text(json.dumps(plain, sort_keys=True, indent=2) + "\n", encoding="utf-8")
        sign(content, key=key, signature=home / BUNDLE_SIGNATURE)
        _write(home, target=target)


def _write(home: Path, *, target: Path) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(draft, "w", format=tarfile.USTAR_FORMAT) as tar:
            # The signature comes first: who reads the bundle knows whether to go on.
            for path in (home / BUNDLE_SIGNATURE, *sorted(p for p in (home / CONTENT).rglob("*") if p.is_file())):
                data = path.read_bytes()
                member = tarfile.TarInfo(path.relative_to(home).as_posix())
                member.size, member.mode = len(data), 0o644
                tar.addfile(member, io.BytesIO(data))
        draft.replace(target)
    except OSError as error:
        msg = f"{target}: the bundle cannot be written: {error}"
        raise ConfigError(msg) from error
    finally:
        draft.unlink(missing_ok=True)


def opened(home: Path, *, keys: tuple[TrustedKey, ...], called: str) -> Bundle:
    """A bundle that was unpacked into ``home``, verified.

    Args:
        home: Holds ``bundle.sig`` and ``content``.
        keys: Whose signatures are trusted.
        called: The bundle's name in messages.

    Raises:
        SignatureError: Unsigned, altered, signed by another key or for another model.
        ConfigError: The folder is not a bundle.
    """
    content = home / CONTENT
    hint = _verified(content, home / BUNDLE_SIGNATURE, keys=keys, called=called)
    _verified(content / MODEL, content / SIGNATURE_FILE, keys=keys, called=f"{called}: its model")
    facts = _json(content / _FACTS, called=called)
    found = model_digest(content / MODEL)
    if facts.get("format") != BUNDLE_FORMAT or facts.get("digest") != found:
        msg = f"{called}: {_FACTS} promises format {BUNDLE_FORMAT} and digest {facts.get('digest')}, the model has {found}"
        raise ConfigError(msg)
    (content / SIGNATURE_FILE).replace(signature_beside(content / MODEL))
    return Bundle(
        model=content / MODEL, name=str(facts["name"]), version=str(facts["version"]), digest=found,
        lineage=_json(content / LINEAGE, called=called), signed_by=hint, frozen=_frozen(content, called=called),
    )  # fmt: skip


def _frozen(content: Path, *, called: str) -> Path | None:
    found = sorted((content / FROZEN).glob("*.npz"))
    if not found:
        return None
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if len(found) > 1 or found[0].stem != digest:
        msg = f"{called}: {FROZEN} holds {', '.join(p.name for p in found)}, expected one file named by its digest {digest}"
        raise ConfigError(msg)
    return found[0]


def refuse_untrusted(signature: Path, *, keys: tuple[TrustedKey, ...], called: str) -> None:
    """Refuse a bundle by the key that its signature names, before the rest of it is unpacked.

    Raises:
        SignatureError: No signature, or one by a key that is not trusted.
    """
    try:
        hint = hint_of(signature)
    except SignatureError as error:
        msg = f"{called}: {error}"
        raise SignatureError(msg) from error
    if hint not in {k.hint for k in keys}:
        trusted = ", ".join(k.hint[:12] for k in keys)
        msg = f"{called}: signed by key {hint[:12]}, the trusted keys are {trusted}; nothing was unpacked"
        raise SignatureError(msg)


def _verified(directory: Path, signature: Path, *, keys: tuple[TrustedKey, ...], called: str) -> str:
    try:
        return verify(directory, signature=signature, keys=keys)
    except SignatureError as error:
        msg = f"{called}: {error}"
        raise SignatureError(msg) from error


def _json(path: Path, *, called: str) -> Mapping[str, Any]:
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        msg = f"{called}: {path.name} cannot be read: {error}"
        raise ConfigError(msg) from error
    if not isinstance(plain, dict):
        msg = f"{called}: {path.name} is not a JSON object"
        raise ConfigError(msg)
    return plain
