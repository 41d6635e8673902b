"""What one pass over a file's bytes tells."""

from dataclasses import dataclass

#: Bytes kept of a file's head and tail, enough to recognise its format and to see whether its end is there.
EDGE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What one pass over a file's bytes tells.

    Args:
        sha256: Hex digest.
        size: Bytes.
        head: The first ``EDGE_BYTES`` bytes.
        tail: The last ``EDGE_BYTES`` bytes.
    """

    sha256: str
    size: int
    head: bytes
    tail: bytes
