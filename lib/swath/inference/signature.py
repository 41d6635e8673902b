"""Signatures of models in the OpenSSF model-signing format, made and verified by its library, on the driver only."""

import base64
import binascii
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swath.errors import ConfigError
from swath.inference.trusted_keys import TrustedKey, today

if TYPE_CHECKING:
    from model_signing.signing import Config

#: What a model's signature is called outside of its folder.
SIGNATURE_FILE = "model.sig"
#: Private key that signs, and its password.
SIGN_KEY = "SWATH_MODEL_SIGN_KEY"
SIGN_PASSWORD = "SWATH_MODEL_SIGN_KEY_PASSWORD"  # noqa: S105  the name of a variable
#: What URIs of keys in tokens begin with (RFC 7512).
PKCS11 = "pkcs11:"
MAX_SIGNATURE_BYTES = 1 << 20


def signature_beside(directory: Path) -> Path:
    """Where the signature of a model's folder is: ``landcover.sig`` beside ``landcover``, never inside."""
    return directory.with_name(f"{directory.name}.sig")


class SignatureError(ConfigError):
    """A signature that proves nothing: absent, broken, of another key or of other files."""


def place_signature(folder: Path, *, beside: Path, called: str) -> None:
    """Copy the one signature of a folder beside a model.

    Args:
        folder: Where a registered version keeps its signature.
        beside: Folder of the model.
        called: Name and version, for messages.

    Raises:
        SignatureError: The folder has no signature, or several.
    """
    found = sorted(p for p in folder.glob("*.sig") if p.is_file() and not p.is_symlink())
    if len(found) != 1:
        msg = (
            f"{called}: registered with a signature: expected one file *.sig among its run's artifacts, got {len(found)}; "
            "find out who changed them, or register the signed model again"
        )
        raise SignatureError(msg)
    shutil.copyfile(found[0], signature_beside(beside))


def sign(directory: Path, *, key: Path, signature: Path) -> None:
    """Sign every file of a folder.

    Args:
        directory: Plain files.
        key: PEM file with a private key on the curve P-256, P-384 or P-521, whose password is in SWATH_MODEL_SIGN_KEY_PASSWORD;
            or the URI ``pkcs11:...`` of a key in a token.
        signature: File to write, outside of the folder.

    Raises:
        ConfigError: The key cannot be used.
    """
    from model_signing import hashing  # noqa: PLC0415 (costs 1.5 CPU s: only where a model is signed)

    config = _of_token(str(key)) if str(key).startswith(PKCS11) else _of_file(key)
    every = hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)  # type: ignore[no-untyped-call]
    config.set_hashing_config(every).sign(directory, signature)


def _of_file(key: Path) -> "Config":
    from model_signing import signing  # noqa: PLC0415 (as above)

    password = os.environ.get(SIGN_PASSWORD)
    try:
        return signing.Config().use_elliptic_key_signer(  # type: ignore[no-untyped-call]
            private_key=key,
            # The library hands it to one that wants bytes.
            password=password.encode() if password else None,  # type: ignore[arg-type]
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        msg = f"{key}: not a private key that signs models (PEM, elliptic curve P-256, P-384 or P-521; {SIGN_PASSWORD}): {error}"
        raise ConfigError(msg) from error


def _of_token(uri: str) -> "Config":
    """A key that never leaves its token: a hardware module, or a service that looks like one."""
    from model_signing import signing  # noqa: PLC0415 (as above)

    called = uri.partition("?")[0]  # what follows may hold the PIN
    try:
        return signing.Config().use_pkcs11_signer(pkcs11_uri=uri)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        msg = f"{called}: keys of tokens need another library: pip install 'model-signing[pkcs11]'"
        raise ConfigError(msg) from error
    except Exception as error:  # PyKCS11 raises types of its own
        msg = (
            f"{called}: not a key that signs models (RFC 7512, elliptic curve P-256, P-384 or P-521; module-path= and "
            f"pin-source= say how it is reached): {error!s:.200}"
        )
        raise ConfigError(msg) from error


def verify(directory: Path, *, signature: Path, keys: tuple[TrustedKey, ...]) -> str:
    """The hint of the trusted key that signed every file of a folder.

    Args:
        directory: Plain files.
        signature: File outside of the folder.
        keys: Trusted keys.

    Raises:
        SignatureError: There is no signature, it is broken, of a key that is not trusted or not trusted today, or the files are
            not those that were signed.
    """
    key = _chosen(hint_of(signature), keys)
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 (as below)
    from model_signing import verifying  # noqa: PLC0415 (costs 1.5 CPU s: only where a signature is verified)

    try:
        config = verifying.Config().use_elliptic_key_verifier(public_key=key.path)  # type: ignore[no-untyped-call]
        config.verify(directory, signature)
    except InvalidSignature as error:
        msg = f"the signature was not made by key {key.hint[:12]}, which it names"
        raise SignatureError(msg) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The library names differing files with the bytes of their digests; what is added says it for people.
        reason = "these are not the files that were signed" if str(error).startswith("Signature mismatch") else str(error)
        msg = f"the signature by key {key.hint[:12]} does not hold: {reason}{_differing(directory, signature)}"
        raise SignatureError(msg) from error
    # The library leaves out the files that the signature says to ignore.
    _refuse_uncovered(directory, signature)
    return key.hint


def hint_of(signature: Path) -> str:
    """Hint of the key that a signature says it was made with; proves nothing.

    Raises:
        SignatureError: There is no signature, or it is none.
    """
    try:
        return str(_plain(signature)["verificationMaterial"]["publicKey"]["hint"])
    except (KeyError, TypeError) as error:
        msg = f"{signature.name} is not a signature by a key in the model-signing format"
        raise SignatureError(msg) from error


def _chosen(hint: str, keys: tuple[TrustedKey, ...]) -> TrustedKey:
    key = next((k for k in keys if k.hint == hint), None)
    if key is None:
        trusted = ", ".join(k.hint[:12] for k in keys) or "none"
        msg = f"signed by key {hint[:12]}, the trusted keys are {trusted}"
        raise SignatureError(msg)
    why = key.not_valid(today())
    if why:
        msg = f"signed by key {hint[:12]}, which {why}"
        raise SignatureError(msg)
    return key


def _plain(signature: Path) -> Mapping[str, Any]:
    try:
        if signature.stat().st_size > MAX_SIGNATURE_BYTES:
            msg = f"{signature.name} has {signature.stat().st_size} bytes, a signature has at most {MAX_SIGNATURE_BYTES}"
            raise SignatureError(msg)
        plain: Mapping[str, Any] = json.loads(signature.read_bytes())
    except FileNotFoundError as error:
        msg = f"it is not signed: there is no {signature.name}"
        raise SignatureError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"{signature.name} is not a signature: {error}"
        raise SignatureError(msg) from error
    return plain


def _signed(signature: Path) -> Mapping[str, str]:
    """Sha256 by file of a statement whose signature holds."""
    try:
        statement = json.loads(base64.b64decode(_plain(signature)["dsseEnvelope"]["payload"]))
        return {r["name"]: r["digest"] for r in statement["predicate"]["resources"] if r["algorithm"] == "sha256"}
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        msg = f"{signature.name}: its statement names no files: {error}"
        raise SignatureError(msg) from error


def _refuse_uncovered(directory: Path, signature: Path) -> None:
    other = _differing(directory, signature)
    if other:
        msg = f"{signature.name} does not cover every file{other}"
        raise SignatureError(msg)


def _differing(directory: Path, signature: Path) -> str:
    """Files that are not as a statement says, in words; empty when all are."""
    signed, found = _signed(signature), dict(_digests(directory))
    changed = {n for n in found.keys() & signed.keys() if found[n] != signed[n]}
    kinds = {"changed": changed, "added": found.keys() - signed.keys(), "missing": signed.keys() - found.keys()}
    told = "; ".join(f"{kind}: {', '.join(sorted(names))}" for kind, names in kinds.items() if names)
    return f" ({told})" if told else ""


def _digests(directory: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(p for p in directory.rglob("*") if p.is_file() and not p.is_symlink()):
        with path.open("rb") as file:
            yield path.relative_to(directory).as_posix(), hashlib.file_digest(file, "sha256").hexdigest()
