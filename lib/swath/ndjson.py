"""Gzipped lines of JSON. Members of gzip may follow each other, so that parts grow by appending."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def packed(lines: Iterable[str]) -> bytes:
    """Lines of JSON as a member of gzip, the same bytes for the same lines."""
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), compresslevel=6, mtime=0)


def unpacked(data: bytes) -> list[dict[str, Any]]:
    """The objects of a part.

    Raises:
        ValueError: The part is cut short, or is of another kind.
    """
    try:
        return [json.loads(line) for line in gzip.decompress(data).splitlines()]
    except (EOFError, gzip.BadGzipFile) as error:
        msg = f"a part of a result cannot be read: {error}"
        raise ValueError(msg) from error


def entries(result: Mapping[str, Any], kind: str, *, read: Callable[[str], bytes | None]) -> Iterator[dict[str, Any]]:
    """All entries of a kind: from the parts that a result names, or those that it holds itself.

    Args:
        result: Result of a run.
        kind: ``products``, ``quarantine`` or ``skips``.
        read: Reads a file of the output.

    Raises:
        ValueError: A part is gone, or cannot be read.
    """
    paths = result.get("listings", {}).get(kind, {}).get("paths", [])
    if not paths:
        yield from result.get(kind, [])
    for path in paths:
        data = read(path)
        if data is None:
            msg = f"{path} is gone, which the result of the run names"
            raise ValueError(msg)
        yield from unpacked(data)
