"""A manifest as customer metadata of a package: ``swath.*``, within the characters and lengths that SageMaker takes."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from swath.errors import ConfigError
from swath.inference.manifest import Manifest
from swath.suggestion import did_you_mean

PREFIX: Final = "swath."
#: Longest value, number of entries, and what the service model lets a value hold.
MAX_VALUE, MAX_ENTRIES = 256, 50
_ALLOWED = re.compile(r"[^\W_]*[\w .:/=+\-@]*")
_CLASS = re.compile(r"class\.(\d+)")
_CLASS_FORM = "VALUE:NAME:RRGGBB:TITLE, as in 1:water:0000c8:Open water"
_NUMBER = ("scale", "offset", "resolution_m")
_WORD = ("name", "of", "licence")
#: What says nothing of the manifest.
DIGEST, VERSION = "digest", "version"


def stated_in(metadata: Mapping[str, str], *, where: str) -> dict[str, Any]:
    """What a package states of its model, as a manifest's keys; empty when it states nothing.

    Raises:
        ConfigError: A key is unknown, or a value cannot be read.
    """
    own = {k.removeprefix(PREFIX): v for k, v in metadata.items() if k.startswith(PREFIX)}
    own = {k: v for k, v in own.items() if k not in (DIGEST, VERSION)}
    stated: dict[str, Any] = {}
    for key, value in sorted(own.items(), key=_in_order):
        try:
            if match := _CLASS.fullmatch(key):
                stated.setdefault("classes", []).append(_class(value, number=match[1]))
            else:
                stated[key] = _reader(key)(value)
        except ValueError as error:
            msg = f"{where}: {PREFIX}{key} = {value!r} cannot be read: {error}"
            raise ConfigError(msg) from error
    return stated


def _in_order(entry: tuple[str, str]) -> tuple[str, int]:
    match = _CLASS.fullmatch(entry[0])
    return ("class", int(match[1])) if match else (entry[0], 0)


def _reader(key: str) -> Callable[[str], Any]:
    readers: dict[str, Callable[[str], Any]] = {
        **dict.fromkeys(_WORD, str),
        **dict.fromkeys(_NUMBER, float),
        "bands": str.split,
        "pixel_m": lambda v: [float(w) for w in v.split()],
    }
    if key not in readers:
        known = (*readers, "class.1")
        hint = did_you_mean(key, known) or f"; known: {', '.join(PREFIX + k for k in known)}"
        msg = f"unknown key{hint}"
        raise ValueError(msg)
    return readers[key]


def _class(value: str, *, number: str) -> dict[str, Any]:
    parts = value.split(":", 3)
    if len(parts) != 4 or not re.fullmatch(r"[0-9a-fA-F]{6}", parts[2]) or not parts[0].isdecimal():
        msg = f"class {number} must be {_CLASS_FORM}"
        raise ValueError(msg)
    return {"value": int(parts[0]), "name": parts[1], "title": parts[3], "rgb": list(bytes.fromhex(parts[2]))}


def metadata_of(manifest: Manifest, *, digest: str, version: str) -> dict[str, str]:
    """What a package of a model of ours states: what fits; the manifest in its tar says all."""
    told = {
        DIGEST: digest, VERSION: version, "name": manifest.name, "of": manifest.of, "licence": manifest.licence,
        "bands": " ".join(manifest.bands), "scale": repr(manifest.scale), "offset": repr(manifest.offset),
    }  # fmt: skip
    for number, c in enumerate(manifest.classes, 1):
        told[f"class.{number}"] = f"{c.value}:{c.name}:{bytes(c.rgb).hex()}:{c.title}"
    fitting = {PREFIX + k: v for k, v in told.items() if 0 < len(v) <= MAX_VALUE and _ALLOWED.fullmatch(v)}
    return dict(list(fitting.items())[:MAX_ENTRIES])
