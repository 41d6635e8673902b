"""Digests of files that have not changed since they were taken: size, times or etag represent the bytes."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

from swath.readers.files.fingerprint import Fingerprint
from swath.readers.files.href import split_href

#: A file that changed so recently may change again within the same tick of its file system's clock [s].
SETTLED_S = 2.0
_VSI, _CURL = "/vsi", "/vsicurl/"
_HTTP = f"{_CURL}http"
#: Stamp, sha256, size, head, tail; what follows is optional.
_FIELDS = 5


class DigestMemory:
    """What is known of files, and what was met while the memory was in use.

    Args:
        known: Stamp and fingerprint by name, as ``to_json`` keeps them.
    """

    def __init__(self, known: dict[str, list[Any]]) -> None:
        self._known = known
        self._met: dict[str, list[Any]] = {}

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """The inverse of ``to_json``; None is an empty memory."""
        return cls(json.loads(text) if text else {})

    def to_json(self) -> str:
        """What was met."""
        return json.dumps(self._met, sort_keys=True)

    def fingerprint(self, href: str, *, take: Callable[[str], Fingerprint], also: str = "") -> Fingerprint:
        """The known fingerprint of an unchanged file, otherwise a new one.

        Args:
            href: Address as ``readers.href.gdal_href`` spells it.
            take: Reads the file.
            also: Another digest that is wanted; a memory without it has the file read again.
        """
        # Looked at before the bytes are read: a change meanwhile makes the stamp stale, never the digest.
        stamp = stamp_of(href)
        found = self._known.get(href)
        if stamp is None or found is None or found[0] != stamp or (also and also not in _others(found)):
            taken = take(href)
            found = [stamp, taken.sha256, taken.size, taken.head.hex(), taken.tail.hex(), dict(taken.others)]
        if stamp is not None:
            self._met[href] = found
        _, sha256, size, head, tail = found[:_FIELDS]
        edges = {"head": bytes.fromhex(head), "tail": bytes.fromhex(tail)}
        return Fingerprint(sha256=sha256, size=size, **edges, others=_others(found))


def _others(found: list[Any]) -> dict[str, str]:
    """Further digests; older memories have none."""
    return dict(found[_FIELDS]) if len(found) > _FIELDS else {}


def stamp_of(href: str) -> str | None:
    """What vouches for the bytes of a file (of the archive, for a member); None when nothing does.

    Size and times of a local one; length and ETag, or date, of one over https.
    """
    path = split_href(href)[1]
    if path.startswith(_HTTP):
        from swath.readers.files.remote import stamp_of_remote  # noqa: PLC0415  for reads over http alone

        return stamp_of_remote(path.removeprefix(_CURL))
    if path.startswith(_VSI):
        return None
    try:
        status = os.stat(path)  # noqa: PTH116  one call for many files; pathlib adds nothing here
    except OSError:
        return None
    if time.time() - max(status.st_mtime, status.st_ctime) < SETTLED_S:
        return None
    # The time of the last change of the inode too: copying keeps the other one, and nothing can set this one back.
    return f"{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"


_MEMORY: ContextVar[DigestMemory | None] = ContextVar("digest_memory", default=None)


@contextmanager
def remembering(memory: DigestMemory) -> Iterator[DigestMemory]:
    """Let fingerprints taken in the block use a memory."""
    token = _MEMORY.set(memory)
    try:
        yield memory
    finally:
        _MEMORY.reset(token)


def memory_in_use() -> DigestMemory | None:
    """The memory of the block around the caller."""
    return _MEMORY.get()
