"""Frozen values as JSON-able ones, their canonical JSON and its digest.

``dataclasses.asdict`` copies every text and number, which would be half of the time of a key.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final

_AS_THEY_ARE: Final = frozenset({str, int, float, bool, type(None)})


def canonical(plain: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(plain: Any) -> str:
    """Hex sha256 of the canonical JSON."""
    return hashlib.sha256(canonical(plain).encode()).hexdigest()


def plain_of(value: Any) -> Any:
    """A dataclass as a dict by field, also inside tuples, lists and mappings; anything else as it is."""
    if type(value) in _AS_THEY_ARE:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain_of(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {name: plain_of(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain_of(inner) for inner in value]
    return value


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))
