"""JSON objects in which a name has two values: readers differ in which one they take (RFC 8259, section 4)."""

from collections.abc import Mapping
from typing import Any

from swath.errors import MetadataError


class _Twice(dict[str, Any]):
    """An object with two different values of ``name``; it holds the last."""

    name: str = ""


def object_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object while JSON is parsed (``object_pairs_hook``); ``refuse_twice`` knows then what was said twice."""
    found = dict(pairs)
    differing = next((name for name, value in pairs if found[name] != value), None) if len(found) < len(pairs) else None
    if differing is None:
        return found
    twice = _Twice(found)
    twice.name = differing
    return twice


def refuse_twice(record: Any, *, href: str) -> None:
    """Refuse a record that says something twice and differently, at any depth; equal values pass.

    Args:
        record: Parsed with ``object_once``.
        href: Its file, for the message.

    Raises:
        MetadataError: A name has two values.
    """
    pending = [record]
    while pending:
        value = pending.pop()
        if isinstance(value, _Twice):
            raise MetadataError(
                "the item says something twice, and differently",
                expected=f"one {ascii(value.name)[:60]} in an object",
                got=f"two in {href}, the last of them {ascii(value[value.name])[:60]}",
                remedy="Take the wrong one out.",
            )
        pending += value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
