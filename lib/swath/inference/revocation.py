"""Models that must not be used any more: a list in a folder that sites copy from each other, signed where keys are trusted."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swath.errors import ConfigError
from swath.inference.signature import SignatureError, sign, signature_beside, verify
from swath.inference.trusted_keys import TrustedKey

#: Folder with the list of this site.
REVOKED = "SWATH_MODEL_REVOKED"
_LIST = "revoked.json"
_FORMAT = 1
_MAX_BYTES = 16 << 20


def revoked_in(folder: Path, *, keys: tuple[TrustedKey, ...]) -> Mapping[str, str]:
    """When and why models were revoked, by digest.

    Args:
        folder: Folder of the list; its signature is ``<folder>.sig`` beside it.
        keys: Whose signatures are trusted; the list must be signed by one of them when there are any.

    Raises:
        ConfigError: There is no list, it cannot be read, or it is not signed as it must be: a site whose list was taken
            away would use revoked models.
    """
    if keys:
        try:
            verify(folder, signature=signature_beside(folder), keys=keys)
        except SignatureError as error:
            msg = f"{folder}: the list of revoked models is not trusted: {error}; fetch it again from its signer"
            raise ConfigError(msg) from error
    try:
        with (folder / _LIST).open("rb") as file:
            plain = json.loads(file.read(_MAX_BYTES))
        return _reasons(plain)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{folder}/{_LIST}: the list of revoked models cannot be read: {error}; {REVOKED} names its folder"
        raise ConfigError(msg) from error


def _reasons(plain: Any) -> dict[str, str]:
    if plain["format"] != _FORMAT:
        msg = f"format {plain['format']!r}, expected {_FORMAT}"
        raise ValueError(msg)
    return {str(d): f"{e['at']}: {e['because']}" for d, e in plain["models"].items()}


def revoke(digest: str, *, because: str, folder: Path, key: Path | None) -> None:
    """Add a model to a list; nothing is ever taken out.

    Args:
        digest: Digest of the model.
        because: Reason.
        folder: Folder of the list; made when it is not there.
        key: Private key that signs the list; None leaves it unsigned.

    Raises:
        ConfigError: The list there cannot be read, or is signed and no key is given.
    """
    path, signature = folder / _LIST, signature_beside(folder)
    if key is None and signature.exists():
        msg = f"{folder} is signed: give --sign-key, or the sites that trust its signature refuse the longer list"
        raise ConfigError(msg)
    entries = {}
    if path.exists():
        revoked_in(folder, keys=())
        entries = json.loads(path.read_bytes())["models"]
    entries.setdefault(digest, {"at": datetime.now(UTC).isoformat(timespec="seconds"), "because": because})
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    draft.write_text(json.dumps({"format": _FORMAT, "models": entries}, sort_keys=True, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    if key is not None:
        sign(folder, key=key, signature=signature)
