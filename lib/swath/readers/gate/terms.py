"""Terms under which deliveries are read: what the user vouches for, where a delivery does not say or cannot be checked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Self

#: Every scene must state its level, also those of a sensor of the user's own.
STATED: Final = "stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the user vouches for.

    Args:
        level: Processing level of scenes that state none (``L1``); ``STATED`` refuses them, empty leaves it to the gate.
        trust_checksums: Take a delivery's sha2-256 at its word instead of reading the file. Products say so.
    """

    level: str = ""
    trust_checksums: bool = False

    def to_plain(self) -> dict[str, Any]:
        """JSON-able; empty for the usual terms."""
        told: dict[str, Any] = {"level": self.level} if self.level else {}
        return {**told, "trust_checksums": True} if self.trust_checksums else told

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Self:
        """The inverse of ``to_plain``; None is the usual terms."""
        told = plain or {}
        return cls(level=str(told.get("level", "")), trust_checksums=bool(told.get("trust_checksums", False)))


_USUAL = Terms()
_TERMS: ContextVar[Terms] = ContextVar("terms", default=_USUAL)


@contextmanager
def under(terms: Terms) -> Iterator[None]:
    """Read scenes in the block under these terms."""
    token = _TERMS.set(terms)
    try:
        yield
    finally:
        _TERMS.reset(token)


def terms_in_use() -> Terms:
    """The terms of the block around the caller."""
    return _TERMS.get()
