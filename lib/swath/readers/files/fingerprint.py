"""The results of one pass over a file's bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Bytes kept of a file's head and tail, enough to recognise its format and to see whether its end is there.
EDGE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The results of one pass over a file's bytes.

    Args:
        sha256: Hex digest.
        size: Bytes.
        head: The first ``EDGE_BYTES`` bytes.
        tail: The last ``EDGE_BYTES`` bytes.
        others: Further hex digests that were asked for, by algorithm of ``readers.multihash``.
    """

    sha256: str
    size: int
    head: bytes
    tail: bytes
    others: Mapping[str, str] = field(default_factory=dict)
