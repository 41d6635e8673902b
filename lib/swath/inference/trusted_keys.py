"""Public keys that a site trusts to sign models, each for its time."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import yaml

from swath.errors import ConfigError

#: Trusted keys of this site: PEM files, or YAML lists of them with dates, separated by commas.
KEYS = "SWATH_MODEL_KEYS"
_MAX_BYTES = 1 << 16
_FIELDS = frozenset({"key", "from", "until"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A public key.

    Args:
        path: PEM file.
        hint: Hex sha256 of the key's PEM, by which signatures name it.
        since: First day on which it is trusted; None for always.
        until: First day on which it is not trusted any more; None for never.
    """

    path: Path
    hint: str
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, path: Path, *, since: date | None = None, until: date | None = None) -> Self:
        """Read a PEM file.

        Raises:
            ConfigError: The file is not PEM, or holds no public key.
        """
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  sites without signatures do without
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            Encoding,
            PublicFormat,
            load_pem_public_key,
        )

        try:
            key = load_pem_public_key(path.read_bytes()[:_MAX_BYTES])
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            msg = f"{path}: no public key in it (PEM, elliptic curve): {error}"
            raise ConfigError(msg) from error
        pem = key.public_bytes(encoding=Encoding.PEM, format=PublicFormat.SubjectPublicKeyInfo)
        return cls(path=path, hint=hashlib.sha256(pem).hexdigest(), since=since, until=until)

    def not_valid(self, today: date) -> str:
        """Why the key is not trusted on a day; empty when it is."""
        if self.since is not None and today < self.since:
            return f"is trusted from {self.since} on"
        if self.until is not None and today >= self.until:
            return f"is not trusted any more since {self.until}"
        return ""


def keys_of(text: str) -> tuple[TrustedKey, ...]:
    """The keys that a list of files names.

    Args:
        text: PEM files, or YAML files with a list of ``{key: FILE, from: DATE, until: DATE}``; separated by commas.

    Raises:
        ConfigError: A file cannot be read.
    """
    paths = [Path(w.strip()) for w in text.split(",") if w.strip()]
    return tuple(k for p in paths for k in (_listed(p) if p.suffix in (".yaml", ".yml") else (TrustedKey.read(p),)))


def today() -> date:
    """The day by which keys are trusted, UTC."""
    return datetime.now(UTC).date()


def _listed(path: Path) -> tuple[TrustedKey, ...]:
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
        return tuple(_entry(e, folder=path.parent) for e in plain)
    except (OSError, yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        msg = f"{path}: expected a list of {{key: FILE, from: DATE, until: DATE}}: {error}"
        raise ConfigError(msg) from error


def _entry(plain: Mapping[str, Any], *, folder: Path) -> TrustedKey:
    unknown = sorted(set(plain) - _FIELDS)
    dates = {n: plain.get(n) for n in ("from", "until")}
    # YAML reads a date as one; a word is a typing error that must not trust for ever.
    wrong = [n for n, d in dates.items() if d is not None and (isinstance(d, datetime) or not isinstance(d, date))]
    if unknown or wrong:
        msg = f"unknown keys {unknown}" if unknown else f"{wrong[0]} must be a date like 2027-01-31, got {dates[wrong[0]]!r}"
        raise ValueError(msg)
    return TrustedKey.read(folder / str(plain["key"]), since=dates["from"], until=dates["until"])
