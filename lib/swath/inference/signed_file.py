"""One file with a signature beside it, in the format of signed models: a list of digests that vouches for what it names."""

import shutil
import tempfile
from pathlib import Path

from swath.inference.signature import sign, verify
from swath.inference.trusted_keys import TrustedKey


def signature_of(path: Path) -> Path:
    """Where the signature of a file is: ``images.json.sig`` beside ``images.json``."""
    return path.with_name(f"{path.name}.sig")


def sign_file(path: Path, *, key: Path) -> Path:
    """Sign a file; the signature's path.

    Args:
        path: File; its name is part of what is signed.
        key: PEM file with a private key (see ``swath.inference.signature.sign``).

    Raises:
        ConfigError: The key cannot be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        alone = Path(scratch) / "signed"
        alone.mkdir()
        shutil.copyfile(path, alone / path.name)
        sign(alone, key=key, signature=signature_of(path))
    return signature_of(path)


def verify_file(path: Path, *, keys: tuple[TrustedKey, ...]) -> str:
    """The hint of the trusted key that signed a file.

    Args:
        path: File, with its signature beside it.
        keys: Trusted keys.

    Raises:
        SignatureError: No signature, one by a key that is not trusted today, or of another file.
    """
    with tempfile.TemporaryDirectory() as scratch:
        alone = Path(scratch) / "signed"
        alone.mkdir()
        shutil.copyfile(path, alone / path.name)
        return verify(alone, signature=signature_of(path), keys=keys)
