"""What the demo shows of its model: admission, a lock, and the way to a second site by a signed bundle."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from swath.inference.bundle import pack
from swath.inference.importing import read_bundle, register_bundle
from swath.inference.lock import LOCK_FILE, LockedModel, ModelLock
from swath.inference.registry import Registry
from swath.inference.trusted_keys import TrustedKey


def show_model(reference: str, *others: str, output: Path, say: Callable[[str], None]) -> Path:
    """Check, lock and carry a model; the lock that the run keeps to.

    Args:
        reference: ``name@alias``.
        others: References that are locked, too.
        output: Folder of the demo's output.
        say: Hears of each step.
    """
    registry = Registry.beside(output)
    pinned = registry.resolve(reference)
    say(f"checked {reference}: manifest, weights and reference rows agree with each other and with the trainer's answers")
    lock = output / LOCK_FILE
    locked = {reference: LockedModel.of(pinned), **{other: LockedModel.of(registry.resolve(other)) for other in others}}
    lock.write_text(ModelLock(models=locked).to_text(), encoding="utf-8")
    say(f"locked {reference} as version {pinned.version}, sha256 {pinned.digest[:12]}: the run keeps to {lock.name}")
    bundle, private, public = output / f"{pinned.name}.tar", output / "demo-key.pem", output / "demo-key.pub"
    _write_keys(private, public)
    pack(pinned, key=private, target=bundle, origin=registry.origin(pinned))
    second = Registry.beside(output / "second-site")
    with tempfile.TemporaryDirectory() as scratch:
        found = read_bundle(str(bundle), keys=(TrustedKey.read(public),), scratch=Path(scratch))
        made = register_bundle(found, registry=second)
    say(f"carried it to a second site: {bundle.name}, signed, is {made.name} {made.version} there, sha256 {made.digest[:12]}")
    return lock


def _write_keys(private: Path, public: Path) -> None:
    """A key pair for this demo alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
