"""Finds values that look like secrets, so that they never reach a rendered file, a log or an argument list."""

import re
from collections.abc import Iterable, Iterator, Mapping

_NAMES = re.compile(
    r"(secret[._-]?(access[._-]?)?key|access[._-]?key([._-]?id)?|password|passwd|pwd|api[._-]?key|session[._-]?token|"
    r"oauthtoken|bearer|private[._-]?key|credential)s?$",
    flags=re.IGNORECASE,
)
_VALUES = (
    ("an AWS access key id", re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a password inside a URL", re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", flags=re.IGNORECASE)),
    ("a password=... setting", re.compile(r"\b(password|passwd|pwd|secret|token)\s*=\s*\S+", flags=re.IGNORECASE)),
    ("a signed URL", re.compile(r"[?&](X-Amz-Signature|X-Amz-Credential|sig|token)=", flags=re.IGNORECASE)),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a bearer token", re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}")),
)


def what_is_secret(value: str) -> str | None:
    """What kind of secret ``value`` looks like, or None."""
    return next((kind for kind, pattern in _VALUES if pattern.search(value)), None)


def suspicious_settings(settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Keys of ``settings`` that carry secrets, each with the reason.

    A key that only *points* at a secret (``...secretKeyRef...``, a provider's class name, a path) is fine.
    """
    for key, value in settings.items():
        kind = what_is_secret(value)
        if (
            kind is None
            and _NAMES.search(key)
            and ".secrets." not in key
            and "secretKeyRef" not in key
            and not value.startswith(("/", "software.", "org."))
        ):
            kind = "a value under a key for secrets"
        if kind is not None:
            yield key, kind


def suspicious_arguments(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Arguments that carry secrets, shortened to what may be shown, each with the reason."""
    for argument in arguments:
        kind = what_is_secret(argument)
        if kind is not None:
            yield f"{argument[:8]}...", kind
