"""File names that are no text: told by their path, since rows and JSON hold text alone."""

import os
import re

from swath.errors import MetadataError

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def printable(path: str) -> str:
    r"""A path as text: bytes of a name that are not UTF-8 become ``\xff``; all others are as they were."""
    return os.fsencode(path).decode("utf-8", "backslashreplace") if _has_raw_bytes(path) else path


def _has_raw_bytes(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return True
    return False


def refuse_unprintable(href: str) -> None:
    """Refuse a name that no file system has, and a file whose name is not UTF-8, as ``printable`` spells it.

    Raises:
        MetadataError: The name is one of these.
    """
    if "\0" in href:
        raise MetadataError("the scene's path holds a NUL", expected="a path or URI", got=ascii(href)[:200], remedy="Correct it.")
    if "\\x" not in href or os.path.lexists(href):
        return
    raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), href.encode())
    if os.path.lexists(raw):
        raise MetadataError(
            "the file's name is not UTF-8", expected="a name in UTF-8", got=href, remedy="Rename it; then run `swath retry`."
        )
